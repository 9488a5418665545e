"""Where a member stands: counting paid orders, tiers set by hand, and recounting everybody.

Everything here runs under the lock of the member's points account. Whoever moves points for the
same event locks it anyway, first of all (`loyalty.services.ledger.lock_accounts`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from procrastinate.contrib.django import app

from accounts.models import Member
from accounts.services.messages import tell
from loyalty.errors import FloorIgnored, TierUnknown
from loyalty.models import PaidSumEntry, RuleSet, Standing, Tier, TierChange
from loyalty.queries.rules import (
    keeps_floors,
    paid_sum_since_at,
    rule_set_in_force,
    same_tier,
    succession,
    tier_for,
    tiers_of,
)
from loyalty.queries.standing import paid_sum_at
from loyalty.services.ledger import lock_accounts
from loyalty.services.telling import tier_changed

# The job is called by name: jobs call services, and not the other way round.
RECOUNT_TASK = "loyalty.jobs.recount_everybody"
# So many accounts are locked at once while everybody is recounted: well below a second's work.
BATCH_MEMBERS = 2000
# Members who have no standing yet begin in the lowest tier.
BEGIN_SQL = """
    WITH begun AS (
        INSERT INTO loyalty_standing (member_id, paid_sum, tier_id, since_at)
        SELECT id, 0, %(lowest_id)s, %(at)s
          FROM accounts_member
         WHERE id = ANY(%(ids)s) AND NOT EXISTS (SELECT FROM loyalty_standing WHERE member_id = id)
        RETURNING member_id
    )
    INSERT INTO loyalty_tier_change (member_id, to_tier_id, rule_set_id, changed_at, cause, reason)
    SELECT member_id, %(lowest_id)s, %(rule_set_id)s, %(at)s, 'joined', '' FROM begun
"""
# The same decision as `tier_for` makes for one member; what the tiers of older editions become is given. A
# standing that a newer edition has reached is left alone: a job for an older one may run late. Orders that
# were paid since the recount began are counted with the others. Without the ids the update would read the
# whole table for every batch.
RECOUNT_SQL = """
    WITH stands AS (
        SELECT standing.member_id, standing.floor_position, standing.tier_id, old.same_id, old.rises_from,
               CASE WHEN old.is_sum_known THEN standing.paid_sum END AS known_sum
          FROM loyalty_standing AS standing
          JOIN unnest(%(old_ids)s::bigint[], %(same_ids)s::bigint[], %(rises_from)s::int[],
                      %(are_sums_known)s::bool[]) AS old (tier_id, same_id, rises_from, is_sum_known)
            ON old.tier_id = standing.tier_id
         WHERE standing.member_id = ANY(%(ids)s)
    ), counted AS (
        SELECT member_id, sum(paid_sum) AS paid_sum
          FROM loyalty_paid_sum_entry
         WHERE member_id = ANY(ARRAY(SELECT member_id FROM stands WHERE known_sum IS NULL))
           AND (%(is_all_time)s OR counted_at > %(since_at)s)
         GROUP BY member_id
    ), summed AS (
        SELECT stands.*, coalesce(known_sum, counted.paid_sum, 0) AS paid_sum
          FROM stands
          LEFT JOIN counted ON counted.member_id = stands.member_id
    ), decided AS (
        SELECT summed.member_id, summed.tier_id AS from_tier_id, reached.id AS to_tier_id,
               before.name AS from_name, reached.name AS to_name, reached.coefficient, summed.paid_sum,
               reached.id IS DISTINCT FROM summed.same_id AS is_change,
               reached.position >= summed.rises_from AS is_higher,
               CASE WHEN before.rule_set_id = %(rule_set_id)s THEN 'time' ELSE 'rules' END AS why,
               CASE WHEN same.position > reached.position
                    THEN greatest(same.threshold_sum - summed.paid_sum, 0)::numeric(14, 2)::text
               END AS missing_sum
          FROM summed
          JOIN loyalty_tier AS before ON before.id = summed.tier_id
          LEFT JOIN loyalty_tier AS same ON same.id = summed.same_id
         CROSS JOIN LATERAL (
               SELECT id, name, coefficient, position
                 FROM loyalty_tier
                WHERE rule_set_id = %(rule_set_id)s
                  AND (position = 0
                       OR threshold_sum <= summed.paid_sum
                       OR (%(keeps_floors)s AND position <= summed.floor_position))
                ORDER BY position DESC
                LIMIT 1
               ) AS reached
    ), written AS (
        UPDATE loyalty_standing AS standing
           SET paid_sum = decided.paid_sum, tier_id = decided.to_tier_id,
               since_at = CASE WHEN decided.is_change THEN %(at)s ELSE standing.since_at END
          FROM decided
         WHERE standing.member_id = decided.member_id AND standing.member_id = ANY(%(ids)s)
           AND (standing.paid_sum, standing.tier_id) IS DISTINCT FROM (decided.paid_sum, decided.to_tier_id)
    ), changed AS (
        INSERT INTO loyalty_tier_change
               (member_id, from_tier_id, to_tier_id, rule_set_id, changed_at, cause, reason)
        SELECT member_id, from_tier_id, to_tier_id, %(rule_set_id)s, %(at)s, 'recount', ''
          FROM decided
         WHERE is_change
         ORDER BY member_id
    ), told AS (
        INSERT INTO accounts_message (member_id, kind, facts, happened_at, wants_letter)
        SELECT member_id, 'tier_changed',
               jsonb_build_object('tier', to_name, 'is_higher', is_higher, 'coefficient', coefficient::text,
                                  'why', why, 'from_tier', from_name, 'missing_sum', missing_sum),
               %(at)s, true
          FROM decided
         WHERE is_change
         ORDER BY member_id
    )
    SELECT count(*) FILTER (WHERE is_higher), count(*) FILTER (WHERE NOT is_higher)
      FROM decided
      JOIN accounts_member AS member ON member.id = decided.member_id AND NOT member.is_sandbox
     WHERE is_change
"""


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


@dataclass(frozen=True)
class Recounted:
    """How many members a recount has moved to another tier, up or down."""

    higher_count: int = 0
    lower_count: int = 0

    @property
    def changed_count(self) -> int:
        """All who stand in another tier than before."""
        return self.higher_count + self.lower_count

    def __add__(self, other: "Recounted") -> "Recounted":
        return Recounted(self.higher_count + other.higher_count, self.lower_count + other.lower_count)


@dataclass(frozen=True)
class RecountedBatch:
    """Some members who were recounted together, up to the one with `last_id`; sandboxes are not counted."""

    last_id: int
    members_count: int
    found: Recounted


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
    if change is not None and is_told:
        tell(
            *tier_changed(
                member_id=member.pk,
                from_tier=change.from_tier,
                to_tier=change.to_tier,
                cause=change.cause,
                paid_sum=standing.paid_sum,
                at=at,
            )
        )
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


def recount_standings(
    *, rule_set: RuleSet, at: datetime, progress: Callable[[int, int], None] | None = None
) -> Recounted:
    """Give every member the tier of the edition in force at `at`; returns how many changed tier.

    It goes through the members in batches, so it may be stopped and begun again. `progress` is told
    how many of how many members are done.
    """
    total = Member.objects.filter(is_sandbox=False).count()
    done, last_id, found = 0, 0, Recounted()
    while batch := recount_batch(rule_set=rule_set, at=at, after_id=last_id):
        last_id, found = batch.last_id, found + batch.found
        done += batch.members_count
        if progress:
            progress(done, max(done, total))
    return found


def recount_later(*, rule_set: RuleSet) -> None:
    """Have the worker recount everybody once the edition takes effect, if the caller commits."""
    task = app.configure_task(RECOUNT_TASK, schedule_at=rule_set.effective_at)
    task.defer(timestamp=0)


@transaction.atomic
def recount_batch(*, rule_set: RuleSet, at: datetime, after_id: int) -> RecountedBatch | None:
    """Recount the members next after that id, under the locks of their accounts; None when there are none.

    Members without a standing get one. Paid sums of a period are added up anew from their entries; that
    of all time is on the standing already. Whoever changes tier is told so. What a batch has done it
    does not do again, however often it is repeated.
    """
    following = Member.objects.filter(pk__gt=after_id).order_by("pk")
    found = dict(following.values_list("pk", "is_sandbox")[:BATCH_MEMBERS])
    if not found:
        return None
    ids = list(found)
    lock_accounts(*ids)
    values = {**_recount_values(rule_set, at), **_old_tiers(rule_set), "ids": ids}
    with connection.cursor() as cursor:
        cursor.execute(BEGIN_SQL, values)
        cursor.execute(RECOUNT_SQL, values)
        higher_count, lower_count = cursor.fetchone()
    members_count = sum(not is_sandbox for is_sandbox in found.values())
    return RecountedBatch(ids[-1], members_count, Recounted(higher_count, lower_count))


def _recount_values(rule_set: RuleSet, at: datetime) -> dict[str, int | str | datetime | None]:
    since_at = paid_sum_since_at(rule_set, at)
    return {
        "rule_set_id": rule_set.pk,
        "number": rule_set.number,
        "lowest_id": tiers_of(rule_set)[0].pk,
        "keeps_floors": keeps_floors(rule_set),
        "is_all_time": since_at is None,
        "since_at": since_at or at,
        "at": at,
    }


def _old_tiers(rule_set: RuleSet) -> dict[str, list[int | bool | None]]:
    """What the tiers of this and of all older editions become in it, as the recount asks."""
    tiers = list(Tier.objects.filter(rule_set__number__lte=rule_set.number).select_related("rule_set"))
    become = [succession(rule_set, tier) for tier in tiers]
    of_all_time = rule_set.paid_sum_months is None
    return {
        "old_ids": [tier.pk for tier in tiers],
        "same_ids": [one.same.pk if one.same else None for one in become],
        "rises_from": [one.rises_from for one in become],
        "are_sums_known": [of_all_time and tier.rule_set.paid_sum_months is None for tier in tiers],
    }


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
