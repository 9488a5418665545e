"""Whose accounts a colleague may act on, anybody's but their own, and how many they may look at."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from math import ceil
from typing import Any

from allauth.core.internal import ratelimit
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.models import Member, User
from supervisor.errors import OwnAccount

View = Callable[..., HttpResponseBase]

TOO_MANY_REQUESTS = 429
# Whose settings the limits stand in, as ACCOUNT_RATE_LIMITS.
LIMITS = "allauth.account"


def is_own(user: User | AnonymousUser, *members: Member) -> bool:
    """Whether whoever is signed in is one of the members."""
    return isinstance(user, User) and any(member.is_of(user) for member in members)


def require_others(user: User | AnonymousUser, *members: Member) -> None:
    """Let nobody act on an account of their own.

    Raises:
        PermissionDenied: whoever is signed in is one of the members.
    """
    if is_own(user, *members):
        raise PermissionDenied(str(OwnAccount()))


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


def limited(action: str) -> Callable[[View], View]:
    """A door for views that show people, within the door for staff: nobody collects contacts one by one.

    A colleague who comes more often than the limit of that name allows gets a page that says when to go on.
    """

    def door(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if ratelimit.consume(request, app=LIMITS, action=action, limit_get=True):
                return view(request, *args, **kwargs)
            opens_at, now = _opens_at(request, action), timezone.now()
            response = render(
                request, "supervisor/too_often.html", {"opens_at": opens_at}, status=TOO_MANY_REQUESTS
            )
            response["Retry-After"] = str(max(1, ceil((opens_at - now).total_seconds())))
            return response

        return guarded

    return door


def _opens_at(request: HttpRequest, action: str) -> datetime:
    """When the first of the requests that fill the limit no longer counts."""
    [rate] = ratelimit.get_rates(app=LIMITS, action=action)
    counted = cache.get(ratelimit.get_cache_key(request, app=LIMITS, action=action, rate=rate))
    first = counted[-1] if counted else timezone.now().timestamp()
    return datetime.fromtimestamp(first + rate.duration, tz=UTC)
