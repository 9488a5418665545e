"""Whose accounts a colleague may act on: anybody's but their own."""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.models import Member, User


def is_own(user: User | AnonymousUser, *members: Member) -> bool:
    """Whether the login is that of one of the members."""
    return any(member.user_id is not None and member.user_id == user.pk for member in members)


def require_others(user: User | AnonymousUser, *members: Member) -> None:
    """Let nobody act on an account of their own.

    Raises:
        PermissionDenied: the login is that of one of the members.
    """
    if is_own(user, *members):
        raise PermissionDenied(_("This is about your own account. Ask a colleague to do it."))


def others_account(request: HttpRequest, number: str) -> Member:
    """The member of that number, for what a colleague does on their account.

    Raises:
        Http404: there is no such member outside of the sandbox.
        PermissionDenied: it is the colleague's own account.
    """
    members = Member.objects.select_related("user")
    member: Member = get_object_or_404(members, number=number, is_sandbox=False)
    require_others(request.user, member)
    return member
