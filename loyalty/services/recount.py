"""Recounting everybody: the same decision as for one member, for a batch of them at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from procrastinate.contrib.django import app

from accounts.models import Member
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import keeps_floors, paid_sum_since_at, succession, tiers_of
from loyalty.services import batches
from loyalty.services.ledger import lock_accounts

# The job is called by name: jobs call services, and not the other way round.
RECOUNT_TASK = "loyalty.jobs.recount_everybody"
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
               before.name AS from_name, reached.name AS to_name,
               before.name_en AS from_name_en, reached.name_en AS to_name_en,
               reached.coefficient, summed.paid_sum,
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
               SELECT id, name, name_en, coefficient, position
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
                                  'why', why, 'from_tier', from_name, 'missing_sum', missing_sum)
               || jsonb_strip_nulls(jsonb_build_object('tier_en', nullif(to_name_en, ''),
                                                       'from_tier_en', nullif(from_name_en, ''))),
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
    found = dict(following.values_list("pk", "is_sandbox")[: batches.BATCH_MEMBERS])
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
