"""Where a member stands at a moment, by the rules that their standing was counted by."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from django.db import connection
from django.db.models import Sum, Window

from accounts.models import Member
from loyalty.errors import NoRulesInForce
from loyalty.models import PaidSumEntry, RuleSet, Standing, Tier, TierChange
from loyalty.queries.rules import (
    IN_FORCE,
    edition,
    keeps_floors,
    leaves_period_at,
    next_tier,
    paid_sum_since_at,
    same_tier,
    tier_for,
)


@dataclass(frozen=True)
class Validity:
    """Until when a tier holds if nothing more is bought, and what would keep it."""

    until_at: datetime
    to_keep_sum: Decimal


@dataclass(frozen=True)
class StandingCard:
    """A member's tier as pages show it.

    `progress_value` of `progress_max` is the way to the next tier from a paid sum of 0, in whole
    units of the currency; at the top both are equal. `since_at` is None where the time that has passed
    has moved the tier and no recount has run since. `validity` is None for a tier that time alone does
    not take away.

    While the member `is_being_recounted`, newer rules (`rule_set`) are in force than those of the tier
    that is shown. Nothing is said of a way to the next tier then: it would be promised by old rules.
    """

    rule_set: RuleSet
    tier: Tier
    paid_sum: Decimal
    next_tier: Tier | None
    to_next_sum: Decimal
    progress_value: int
    progress_max: int
    since_at: datetime | None
    is_held_by_hand: bool
    is_being_recounted: bool
    validity: Validity | None


# Every page about points asks for both, so they are asked for together.
IN_FORCE_AND_STANDING = f"""
    with in_force as ({IN_FORCE})
    select in_force.id, in_force.number, in_force.published_at,
           counted_by.id, counted_by.number, counted_by.published_at,
           tier.id, standing.paid_sum, standing.since_at, standing.floor_position
      from in_force
      left join loyalty_standing standing on standing.member_id = %(member_id)s
      left join loyalty_tier tier on tier.id = standing.tier_id
      left join loyalty_rule_set counted_by on counted_by.id = tier.rule_set_id
"""  # noqa: S608, our own


def in_force_and_standing(member: Member, at: datetime) -> tuple[RuleSet, Standing | None]:
    """The edition in force at `at`, and where the member stands; one query, once the editions are read.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE_AND_STANDING, {"member_id": member.pk, "at": at})
        found = cursor.fetchone()
    if found is None:
        raise NoRulesInForce
    in_force, counted_by, (tier_id, paid_sum, since_at, floor_position) = found[:3], found[3:6], found[6:]
    if tier_id is None:
        return edition(in_force), None
    return edition(in_force), Standing(
        member=member,
        paid_sum=paid_sum,
        tier=next(tier for tier in edition(counted_by).tiers.all() if tier.pk == tier_id),
        since_at=since_at,
        floor_position=floor_position,
    )


def standing_card(member: Member, at: datetime) -> StandingCard:
    """The member's tier at `at`, by the rules that their standing was counted by; at most 3 queries.

    New rules show once they have reached the member: by a recount, or by an order in between. What
    only time changes, such as orders that leave a rolling period, shows at once.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    in_force, standing = in_force_and_standing(member, at)
    is_being_recounted = standing is not None and _is_older(standing.tier.rule_set, in_force)
    rule_set = standing.tier.rule_set if standing is not None and is_being_recounted else in_force
    paid_sum = Decimal(0) if standing is None else paid_sum_at(standing, rule_set, at)
    tier = tier_for(rule_set, paid_sum, standing.floor_position if standing else None)
    above = None if is_being_recounted else next_tier(rule_set, tier)
    goal_sum = above.threshold_sum if above else paid_sum
    goal = max(int(goal_sum.to_integral_value(rounding=ROUND_CEILING)), 1)
    counted_now = None if is_being_recounted else standing
    return StandingCard(
        rule_set=in_force,
        tier=tier,
        paid_sum=paid_sum,
        next_tier=above,
        to_next_sum=goal_sum - paid_sum,
        progress_value=int(paid_sum) if above else goal,
        progress_max=goal,
        since_at=_since_at(member, standing, rule_set, tier),
        is_held_by_hand=tier != tier_for(rule_set, paid_sum),
        is_being_recounted=is_being_recounted,
        validity=_validity(counted_now, rule_set, tier, paid_sum, at) if counted_now else None,
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


def tier_since_at(*, member_id: int, tier_name: str, at: datetime) -> datetime | None:
    """Since when a member had the tier of that name at a moment; None where no change tells."""
    changes = TierChange.objects.filter(member_id=member_id, to_tier__name=tier_name, changed_at__lte=at)
    return changes.order_by("-changed_at", "-pk").values_list("changed_at", flat=True).first()


def _validity(
    standing: Standing, rule_set: RuleSet, tier: Tier, paid_sum: Decimal, at: datetime
) -> Validity | None:
    """When orders leave a rolling period one by one, the first that the tier does not survive."""
    since_at = paid_sum_since_at(rule_set, at)
    floor = standing.floor_position
    is_held = keeps_floors(rule_set) and floor is not None and floor >= tier.position
    if since_at is None or is_held or tier.position == 0:
        return None
    # What is counted at one moment, such as an order and its refund, leaves the period together.
    left = paid_sum - Window(Sum("paid_sum"), order_by="counted_at")
    entries = PaidSumEntry.objects.filter(
        member_id=standing.pk, counted_at__gt=since_at, counted_at__lte=at
    ).annotate(left_sum=left)
    first = entries.filter(left_sum__lt=tier.threshold_sum).order_by("counted_at").first()
    if first is None:
        return None
    return Validity(
        until_at=leaves_period_at(rule_set, first.counted_at),
        to_keep_sum=tier.threshold_sum - first.left_sum,
    )


def _since_at(member: Member, standing: Standing | None, rule_set: RuleSet, tier: Tier) -> datetime | None:
    if standing is None:
        return member.joined_at
    return standing.since_at if same_tier(rule_set, standing.tier) == tier else None


def _is_older(rule_set: RuleSet, other: RuleSet) -> bool:
    return (rule_set.number or 0) < (other.number or 0)
