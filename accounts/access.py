"""Who may see what: the member of a request, and the doors for staff and supervisors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import NoMember
from accounts.models import ContactChange, Member, User
from accounts.queries import contact_changes
from accounts.roles import Role

View = Callable[..., HttpResponseBase]


def own_member(request: HttpRequest) -> Member:
    """The member whose login this is.

    Raises:
        NoMember: nobody is signed in, or the login is not in the programme; shown as “not found”.
    """
    if not isinstance(request.user, User):
        raise NoMember
    member: Member | None = getattr(request.user, "member", None)
    if member is None:
        raise NoMember
    return member


def signed_in_user(request: HttpRequest) -> User:
    """The login of a request that `login_required` has let in."""
    return cast(User, request.user)


def own_contact_change(member: Member, change_id: int) -> ContactChange:
    """The request of that number, if it is this member's.

    Raises:
        Http404: there is none, or it is somebody else's.
    """
    return get_object_or_404(contact_changes(member), pk=change_id)


def own_session(user: User, session_id: int) -> UserSession:
    """The session of that number, if it is this user's.

    Raises:
        Http404: there is none, or it is somebody else's.
    """
    session: UserSession = get_object_or_404(UserSession, user=user, pk=session_id)
    return session


def roles(user: User | AnonymousUser) -> frozenset[str]:
    """The names of the login's roles; a superuser is a supervisor."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    return user.role_names | ({Role.SUPERVISOR.value} if user.is_superuser else set())


def main_role(user: User | AnonymousUser) -> str:
    """The highest role of the login, or nothing: as what a colleague did something."""
    found = roles(user)
    return next((role.value for role in (Role.SUPERVISOR, Role.STAFF, Role.MEMBER) if role in found), "")


def is_supervisor(user: User | AnonymousUser) -> bool:
    """Whether the login may change the programme."""
    return Role.SUPERVISOR in roles(user)


def is_staff_person(user: User | AnonymousUser) -> bool:
    """Whether the login may look members up; a supervisor may too."""
    return not roles(user).isdisjoint({Role.STAFF, Role.SUPERVISOR})


def role_required(role: Role) -> Callable[[View], View]:
    """A door for views: those without the role get the 403 page, which says why.

    Somebody who is not signed in goes to the sign-in page first, and comes back afterwards.
    """

    def door(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if role == Role.SUPERVISOR and not is_supervisor(request.user):
                raise PermissionDenied(_("This page is for supervisors. Ask one of them to open it for you."))
            if role == Role.STAFF and not is_staff_person(request.user):
                raise PermissionDenied(_("This page is for staff. Your own points are in your cabinet."))
            return view(request, *args, **kwargs)

        return guarded

    return door
