"""Who may see what: the member of a request, and the doors for staff and supervisors."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.errors import NoMember
from accounts.models import ContactChange, Member, User
from accounts.queries import contact_changes
from accounts.roles import Role, is_staff_person, is_supervisor

View = Callable[..., HttpResponseBase]

logger = logging.getLogger(__name__)

# As allauth writes down in a session that somebody gave a code.
SECOND_FACTOR = "mfa"


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


def has_second_factor(user: User) -> bool:
    """Whether the login is asked for more than its password when it signs in."""
    return bool(is_mfa_enabled(user, types=[Authenticator.Type.TOTP]))


def gave_second_factor(request: HttpRequest) -> bool:
    """Whether a code was given in this session, when it was opened or later."""
    records = get_authentication_records(request, signed_in_user(request))
    return any(record["method"] == SECOND_FACTOR for record in records)


def must_have_second_factor(user: User | AnonymousUser) -> bool:
    """Whether the console opens for the login only with a second factor."""
    return settings.NEEDS_SECOND_FACTOR and is_staff_person(user)


def role_required(role: Role) -> Callable[[View], View]:
    """A door for views: those without the role get the 403 page, which says why.

    Somebody who is not signed in goes to the sign-in page first, and comes back afterwards. A colleague
    without the second factor that the settings ask for goes to where it is set up, and one whose session
    was opened without it to where a code is asked for.
    """

    def door(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(page_of(request))
            if role == Role.SUPERVISOR and not is_supervisor(request.user):
                _log_refusal(request, role)
                raise PermissionDenied(_("This page is for supervisors. Ask one of them to open it for you."))
            if role == Role.STAFF and not is_staff_person(request.user):
                _log_refusal(request, role)
                raise PermissionDenied(_("This page is for staff. Your own points are in your cabinet."))
            user = signed_in_user(request)
            if must_have_second_factor(user):
                if not has_second_factor(user):
                    return redirect("mfa_index")
                if not gave_second_factor(request):
                    return redirect_to_login(page_of(request), reverse("mfa_reauthenticate"))
            return view(request, *args, **kwargs)

        return guarded

    return door


def page_of(request: HttpRequest) -> str:
    """Where to come back to: the page itself, or the one that sent a form, since a form is not a page."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    sent_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(
        sent_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return urlsplit(sent_from)._replace(scheme="", netloc="", fragment="").geturl()
    return request.get_full_path()


def _log_refusal(request: HttpRequest, role: Role) -> None:
    """Write down who wanted what without the right to it; an address may name somebody, so it stays out."""
    page = request.resolver_match.view_name if request.resolver_match else ""
    logger.warning("No right: user %s, page %s, which is for %s", request.user.pk, page, role.value)
