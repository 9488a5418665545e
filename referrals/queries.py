"""Who invited whom, and what it brought."""

from datetime import datetime

from django.utils import timezone

from accounts.models import Member
from loyalty.models import RuleSet
from loyalty.queries.rules import months_later
from referrals.models import Referral, Reward


def inviter_id_of(member_id: int) -> int | None:
    """The member who invited this one, by id."""
    return Referral.objects.filter(invited_id=member_id).values_list("inviter_id", flat=True).first()


def earning_referral(*, invited: Member, rule_set: RuleSet, order_id: int, at: datetime) -> Referral | None:
    """The invitation by which the friend's order brings the inviter a share, if the edition lets it."""
    referral = Referral.objects.select_related("inviter").filter(invited=invited).first()
    if referral is None:
        return None
    if not is_in_time(referral, rule_set, at):
        return None
    if rule_set.referral_orders is not None:
        rewarded = Reward.objects.filter(referral=referral).exclude(order_id=order_id)
        if rewarded.values("order_id").distinct().count() >= rule_set.referral_orders:
            return None
    return referral


def is_in_time(referral: Referral, rule_set: RuleSet, at: datetime) -> bool:
    """Whether the edition still lets an order of that moment bring a share, as its months go."""
    if rule_set.referral_months is None:
        return True
    end_on = months_later(timezone.localdate(referral.since_at), rule_set.referral_months)
    return timezone.localdate(at) < end_on
