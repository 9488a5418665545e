"""Whose operation is this."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Member
from loyalty.queries.operations import Operation, operation

View = Callable[..., HttpResponseBase]


def own_operation(member: Member, posting_id: int) -> Operation:
    """The member's own operation; somebody else's is “not found”."""
    own = operation(account_id=member.pk, posting_id=posting_id)
    if own is None:
        raise Http404
    return own


def signed_in(view: View) -> View:
    """A door for pages of which htmx asks for parts: whoever is signed out goes to sign in first.

    htmx would put the sign-in page in the place of the part, so it is told to ask for the whole page.
    """
    whole_page = login_required(view)

    @wraps(view)
    def door(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
            return HttpResponseClientRefresh()
        return whole_page(request, *arguments, **named)

    return door
