"""What a friend's order brings, decided in one place for an order alone and for many at once."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from loyalty.days import midnight
from loyalty.models import RuleSet
from loyalty.queries.rules import months_later, points_for, waited_until
from referrals.models import Referral


def counts_order(referral: Referral, paid_at: datetime) -> bool:
    """Whether an order paid then is one that the invitation led to."""
    return paid_at >= referral.since_at


def brings_share(
    referral: Referral, rule_set: RuleSet, *, base_sum: Decimal, paid_at: datetime, rewarded_orders: int
) -> bool:
    """Whether the edition lets an order bring its inviter a share.

    `rewarded_orders` is how many other orders of the friend brought one before; it is only asked for
    where `rule_set.referral_orders` is set.
    """
    return (
        referral.ended_at is None
        and counts_order(referral, paid_at)
        and base_sum >= rule_set.referral_least_sum
        and is_in_time(referral, rule_set, paid_at)
        and (rule_set.referral_orders is None or rewarded_orders < rule_set.referral_orders)
    )


def is_in_time(referral: Referral, rule_set: RuleSet, paid_at: datetime) -> bool:
    """Whether the edition still lets an order of that moment bring a share, as its months go."""
    if rule_set.referral_months is None:
        return True
    end_on = months_later(timezone.localdate(referral.since_at), rule_set.referral_months)
    return timezone.localdate(paid_at) < end_on


def share_points(rule_set: RuleSet, *, base_sum: Decimal, referral_rate: Decimal, month_points: int) -> int:
    """The points of a share, down to what the inviter may still get in that month.

    `month_points` is what the month's shares have brought them so far, less what was taken back; it
    is only asked for where `rule_set.referral_month_limit_points` is set.
    """
    points = points_for(rule_set, base_sum, referral_rate)
    if rule_set.referral_month_limit_points is None:
        return points
    return max(min(points, rule_set.referral_month_limit_points - month_points), 0)


def brings_welcome(
    referral: Referral, rule_set: RuleSet, *, base_sum: Decimal, paid_at: datetime, has_welcome: bool
) -> bool:
    """Whether an order is the one that gives the friend their welcome points.

    `has_welcome` says that they were given and not taken back; it is only asked for where the edition
    gives them with the first order.
    """
    return (
        gives_welcome_with_order(rule_set)
        and referral.ended_at is None
        and counts_order(referral, paid_at)
        and base_sum > 0
        and base_sum >= rule_set.referral_least_sum
        and not has_welcome
    )


def gives_welcome_with_order(rule_set: RuleSet) -> bool:
    """Whether the first paid order gives the invited welcome points."""
    return rule_set.welcome_points > 0 and rule_set.welcome_when == RuleSet.WelcomeWhen.FIRST_ORDER


def gives_welcome_at_sign_up(rule_set: RuleSet) -> bool:
    """Whether the sign-up itself gives the invited welcome points."""
    return rule_set.welcome_points > 0 and rule_set.welcome_when == RuleSet.WelcomeWhen.SIGN_UP


def reward_available_at(rule_set: RuleSet, at: datetime) -> datetime:
    """When what an order brought by an invitation becomes available, if nobody has doubts."""
    days = rule_set.referral_waiting_days
    return waited_until(at, rule_set.waiting_days if days is None else days)


def month_of(at: datetime) -> datetime:
    """The beginning of the calendar month in the programme's zone: a month's limit counts from there."""
    return midnight(timezone.localdate(at, timezone.get_default_timezone()).replace(day=1))
