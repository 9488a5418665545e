"""Where a member stands at a moment, computed from the edition in force then."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from django.db.models import Sum

from accounts.models import Member
from loyalty.models import PaidSumEntry, RuleSet, Standing, Tier
from loyalty.queries.rules import (
    next_tier,
    paid_sum_since_at,
    rule_set_in_force,
    same_tier,
    tier_for,
)


@dataclass(frozen=True)
class StandingCard:
    """A member's tier as pages show it.

    `progress_value` of `progress_max` is the way to the next tier from a paid sum of 0, in whole
    units of the currency; at the top both are equal. `since_at` is None while the member's tier of
    new rules has not been recounted yet.
    """

    tier: Tier
    paid_sum: Decimal
    next_tier: Tier | None
    to_next_sum: Decimal
    progress_value: int
    progress_max: int
    since_at: datetime | None
    is_held_by_hand: bool


def standing_card(member: Member, at: datetime) -> StandingCard:
    """The member's tier, right at `at` whether or not a recount has run; at most 3 queries.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    rule_set = rule_set_in_force(at)
    standing = Standing.objects.select_related("tier__rule_set").filter(member=member).first()
    paid_sum = Decimal(0) if standing is None else paid_sum_at(standing, rule_set, at)
    tier = tier_for(rule_set, paid_sum, standing.floor_position if standing else None)
    above = next_tier(rule_set, tier)
    goal_sum = above.threshold_sum if above else paid_sum
    goal = max(int(goal_sum.to_integral_value(rounding=ROUND_CEILING)), 1)
    return StandingCard(
        tier=tier,
        paid_sum=paid_sum,
        next_tier=above,
        to_next_sum=goal_sum - paid_sum,
        progress_value=int(paid_sum) if above else goal,
        progress_max=goal,
        since_at=_since_at(member, standing, rule_set, tier),
        is_held_by_hand=tier != tier_for(rule_set, paid_sum),
    )


def paid_sum_at(standing: Standing, rule_set: RuleSet, at: datetime) -> Decimal:
    """The sum that decides the member's tier under that edition: no query while it is all of time.

    The standing carries the sum of its own edition; `standing.tier.rule_set` must be loaded.
    """
    since_at = paid_sum_since_at(rule_set, at)
    if since_at is None and standing.tier.rule_set.paid_sum_months is None:
        return standing.paid_sum
    entries = PaidSumEntry.objects.filter(member_id=standing.pk)
    if since_at is not None:
        entries = entries.filter(counted_at__gt=since_at, counted_at__lte=at)
    total: Decimal | None = entries.aggregate(total=Sum("paid_sum"))["total"]
    return total or Decimal(0)


def _since_at(member: Member, standing: Standing | None, rule_set: RuleSet, tier: Tier) -> datetime | None:
    if standing is None:
        return member.joined_at
    return standing.since_at if same_tier(rule_set, standing.tier) == tier else None
