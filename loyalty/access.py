"""Whose operation, intent or transfer is this."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Member
from loyalty.models import Transfer, TransferIntent
from loyalty.queries.operations import Operation, operation
from loyalty.queries.transfers import intent_of, transfer_for

View = Callable[..., HttpResponseBase]


def own_operation(member: Member, posting_id: int) -> Operation:
    """The member's own operation; somebody else's is “not found”."""
    own = operation(account_id=member.pk, posting_id=posting_id)
    if own is None:
        raise Http404
    return own


def own_intent(member: Member, key: UUID) -> TransferIntent:
    """What the member was about to give; somebody else's, or a forgotten one, is “not found”."""
    intent = intent_of(member, key)
    if intent is None:
        raise Http404
    # The same person, with the login that has been read already.
    intent.sender = member
    return intent


def intent_named(member: Member, key: str) -> TransferIntent | None:
    """The member's own intent of that key as an address has it; None where there is none."""
    try:
        return intent_of(member, UUID(key))
    except ValueError:
        return None


def own_transfer(member: Member, number: str) -> Transfer:
    """A transfer that the member made or received; everybody else's is “not found”."""
    own = transfer_for(member, number)
    if own is None:
        raise Http404
    return own


def own_sent_transfer(member: Member, number: str) -> Transfer:
    """A transfer that the member made; any other is “not found”, also one that they received."""
    own = own_transfer(member, number)
    if own.sender_id != member.pk:
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
