"""Counts orders into standings for tests, in few words, and says what became of them."""

from decimal import Decimal

from django.db import transaction

from accounts.models import Message
from loyalty.models import TierChange
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.ledger import lock_accounts
from loyalty.services.standing import count_paid_sum
from tests.clock import NOON

Cause = TierChange.Cause


@transaction.atomic
def count(member, paid_sum, *, at=NOON, counted_at=None, rule_set=None, cause=Cause.ORDER, order_id=1):
    lock_accounts(member.pk)
    return count_paid_sum(
        member=member,
        order_id=order_id,
        paid_sum=Decimal(paid_sum),
        counted_at=counted_at or at,
        rule_set=rule_set or rule_set_in_force(at),
        at=at,
        cause=cause,
    )


def changes_of(member):
    return [
        (change.cause, change.from_tier.name if change.from_tier else None, change.to_tier.name)
        for change in TierChange.objects.filter(member=member).order_by("pk")
    ]


def told(*members):
    """What these members were told of their tiers."""
    messages = Message.objects.filter(member__in=members, kind="tier_changed").order_by("member", "pk")
    return [
        {name: message.facts[name] for name in ("tier", "is_higher", "coefficient")} for message in messages
    ]
