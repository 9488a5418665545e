"""Where a member stands: counting paid orders, and tiers set by hand.

Everything here runs under the lock of the member's points account. Whoever moves points for the
same event locks it anyway, first of all (`loyalty.services.ledger.lock_accounts`).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import Member
from accounts.services.messages import tell
from loyalty.errors import FloorIgnored, TierUnknown
from loyalty.models import PaidSumEntry, RuleSet, Standing, Tier, TierChange
from loyalty.queries.rules import (
    keeps_floors,
    paid_sum_since_at,
    rule_set_in_force,
    same_tier,
    tier_for,
    tiers_of,
)
from loyalty.queries.standing import paid_sum_at
from loyalty.services.ledger import lock_accounts
from loyalty.services.telling import told_of_change


@dataclass(frozen=True)
class StandingMove:
    """What one step of an order did to a standing.

    Both tiers are of the edition that the step was counted under. `change` is the row that tells
    the member, or None when the tier stayed.
    """

    standing: Standing
    tier_before: Tier
    tier_after: Tier
    change: TierChange | None


@dataclass(frozen=True, kw_only=True)
class _Step:
    """Why a standing is written: what a row of TierChange says about itself."""

    cause: TierChange.Cause
    at: datetime
    order_id: int | None = None
    actor_id: int | None = None
    reason: str = ""


def standing_of(*, member: Member, at: datetime, is_told: bool = True) -> Standing:
    """The member's standing as it is at `at`: begun in the lowest tier on first use.

    New rules that took effect, and orders that left a rolling period, are counted now if no
    recount has run since; the member is told, as by a recount, if that is another tier. Only what is
    taken over from long ago is told to nobody.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    rule_set = rule_set_in_force(at)
    standing = _standing(member, rule_set, at)
    change = _settle(standing, rule_set, at)
    if is_told:
        tell(*told_of_change(change, paid_sum=standing.paid_sum, at=at))
    return standing


def tier_at(*, member: Member, rule_set: RuleSet, at: datetime, is_told: bool = True) -> Tier:
    """The member's tier at `at` by that edition, also where newer rules have reached their standing.

    The standing itself is brought up to date, as `standing_of` says.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    standing = standing_of(member=member, at=at, is_told=is_told)
    if standing.tier.rule_set_id == rule_set.pk:
        return standing.tier
    return tier_for(rule_set, paid_sum_at(standing, rule_set, at), standing.floor_position)


def count_paid_sum(
    *,
    member: Member,
    order_id: int,
    paid_sum: Decimal,
    counted_at: datetime,
    rule_set: RuleSet,
    at: datetime,
    cause: TierChange.Cause,
) -> StandingMove:
    """Count what a step of an order paid, or gave back when it is negative, and move the tier.

    `counted_at` is when the order was paid, also for its refunds, so that both leave a rolling
    period together. `rule_set` is the edition the step is counted under; a standing that newer
    rules have reached meanwhile stays with them.
    """
    standing = _standing(member, rule_set, at)
    before_sum = paid_sum_at(standing, rule_set, at)
    PaidSumEntry.objects.create(
        member=member, order_id=order_id, paid_sum=paid_sum, counted_at=counted_at, recorded_at=at
    )
    since_at = paid_sum_since_at(rule_set, at)
    is_counted = since_at is None or since_at < counted_at <= at
    after_sum = before_sum + paid_sum if is_counted else before_sum
    tier_before = tier_for(rule_set, before_sum, standing.floor_position)
    tier_after = tier_for(rule_set, after_sum, standing.floor_position)
    # Where the order moved nothing, a change is owed to new rules or to the time that has passed.
    step = _Step(
        cause=cause if tier_before != tier_after else TierChange.Cause.RECOUNT, at=at, order_id=order_id
    )
    if _edition_number(standing) <= (rule_set.number or 0):
        change = _write(standing, rule_set, after_sum, tier_after, step)
    else:
        change = _count_under_newer_rules(standing, paid_sum, step)
    return StandingMove(standing, tier_before, tier_after, change)


def earning_tier(*, rule_set: RuleSet, move: StandingMove) -> Tier:
    """The tier that an order earns at: whether the order that crosses a threshold already does."""
    return move.tier_after if rule_set.crossing_order_earns_new_tier else move.tier_before


@transaction.atomic
def set_floor(
    *, member: Member, position: int | None, actor_id: int | None, reason: str, at: datetime
) -> Standing:
    """Set a tier by hand, below which the member does not fall; None takes it back.

    The floor is a place among the tiers, so that it outlives the edition. It is always kept as a
    change "by hand", also where the member stands in that tier or higher already.

    Raises:
        TierUnknown: the edition in force has no tier in that place.
        FloorIgnored: the edition in force lowers tiers at once.
    """
    lock_accounts(member.pk)
    rule_set = rule_set_in_force(at)
    if position is not None:
        if position not in {tier.position for tier in tiers_of(rule_set)}:
            raise TierUnknown
        if not keeps_floors(rule_set):
            raise FloorIgnored
    standing = standing_of(member=member, at=at)
    standing.floor_position = position
    standing.save(update_fields=["floor_position"])
    tier = tier_for(rule_set, standing.paid_sum, position)
    step = _Step(cause=TierChange.Cause.BY_HAND, at=at, actor_id=actor_id, reason=reason)
    _write(standing, rule_set, standing.paid_sum, tier, step)
    return standing


def _standing(member: Member, rule_set: RuleSet, at: datetime) -> Standing:
    """The member's standing as it was written last, with its tier and edition."""
    standing = Standing.objects.select_related("tier__rule_set").filter(member=member).first()
    if standing is None:
        lowest = tier_for(rule_set, Decimal(0))
        standing = Standing.objects.create(member=member, tier=lowest, since_at=at)
        TierChange.objects.create(
            member=member, to_tier=lowest, rule_set=rule_set, changed_at=at, cause=TierChange.Cause.JOINED
        )
    return standing


def _settle(standing: Standing, rule_set: RuleSet, at: datetime) -> TierChange | None:
    if _edition_number(standing) > (rule_set.number or 0):
        return None
    total = paid_sum_at(standing, rule_set, at)
    tier = tier_for(rule_set, total, standing.floor_position)
    return _write(standing, rule_set, total, tier, _Step(cause=TierChange.Cause.RECOUNT, at=at))


def _count_under_newer_rules(standing: Standing, paid_sum: Decimal, step: _Step) -> TierChange | None:
    """Count a step that comes late into a standing that newer rules have reached."""
    rule_set = standing.tier.rule_set
    if rule_set.paid_sum_months is None:
        total = standing.paid_sum + paid_sum
    else:
        total = paid_sum_at(standing, rule_set, max(step.at, rule_set.effective_at or step.at))
    return _write(standing, rule_set, total, tier_for(rule_set, total, standing.floor_position), step)


def _write(
    standing: Standing, rule_set: RuleSet, paid_sum: Decimal, tier: Tier, step: _Step
) -> TierChange | None:
    """Keep the sum and the tier; a row of TierChange only if it is another tier to the person."""
    from_tier = standing.tier
    is_moved = same_tier(rule_set, from_tier) != tier
    if is_moved or (standing.paid_sum, from_tier.pk) != (paid_sum, tier.pk):
        standing.paid_sum = paid_sum
        standing.tier = tier
        standing.since_at = step.at if is_moved else standing.since_at
        standing.save(update_fields=["paid_sum", "tier", "since_at"])
    if not is_moved and step.cause != TierChange.Cause.BY_HAND:
        return None
    return TierChange.objects.create(
        member_id=standing.pk,
        from_tier=from_tier,
        to_tier=tier,
        rule_set=rule_set,
        changed_at=step.at,
        cause=step.cause,
        order_id=step.order_id,
        actor_id=step.actor_id,
        reason=step.reason,
    )


def _edition_number(standing: Standing) -> int:
    return standing.tier.rule_set.number or 0
