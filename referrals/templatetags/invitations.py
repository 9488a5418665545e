"""What the sign-up page says of an invitation."""

from dataclasses import dataclass

from django import template
from django.http import HttpRequest
from django.utils import timezone

from loyalty.queries.rules import rule_set_in_force
from referrals.cookies import read_click
from referrals.offers import FriendOffer, friend_offer, inviter_name
from referrals.queries import invite_code

register = template.Library()


@dataclass(frozen=True)
class RememberedInvitation:
    """Who invites the person in this browser, empty when they do not say, and what there is to get."""

    inviter_name: str
    offer: FriendOffer


@register.simple_tag
def remembered_invitation(request: HttpRequest) -> RememberedInvitation | None:
    """The invitation that this browser came by and that still counts; None without one."""
    click = read_click(request)
    code = click and invite_code(click.code)
    if not code or code.ended_at is not None:
        return None
    return RememberedInvitation(
        inviter_name=inviter_name(code), offer=friend_offer(rule_set_in_force(timezone.now()))
    )
