"""Members are told some days before their tier ends, and how it is kept."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.services.messages import Telling, tell_many
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import (
    keeps_floors,
    leaves_period_at,
    paid_sum_since_at,
    rule_set_in_force,
    tier_for,
    tiers_of,
)
from loyalty.services.batches import in_batches
from loyalty.services.telling import Why

# The first order that leaves the rolling period, within the days ahead, and takes the tier along; what
# `loyalty.queries.standing` says of one member as `validity`.
ENDING = """
    with leaving as (
        select distinct entry.member_id
          from loyalty_paid_sum_entry entry
         where entry.counted_at > %(since_at)s and entry.counted_at <= %(since_then_at)s
    ), member as (
        select standing.member_id, tier.id as tier_id, tier.threshold_sum, standing.floor_position
          from leaving
          join accounts_member on accounts_member.id = leaving.member_id and not accounts_member.is_sandbox
          join loyalty_standing standing on standing.member_id = leaving.member_id
          join loyalty_tier tier on tier.id = standing.tier_id
         where tier.rule_set_id = %(rule_set_id)s and tier.position > 0
           and not (%(keeps_floors)s and coalesce(standing.floor_position >= tier.position, false))
    ), counted as (
        select member.*, entry.counted_at,
               sum(entry.paid_sum) over (partition by member.member_id) as paid_sum,
               sum(entry.paid_sum) over (partition by member.member_id)
               - sum(entry.paid_sum) over (partition by member.member_id order by entry.counted_at)
                   as left_sum
          from member
          join loyalty_paid_sum_entry entry
            on entry.member_id = member.member_id
           and entry.counted_at > %(since_at)s and entry.counted_at <= %(at)s
    )
    select distinct on (member_id) member_id, tier_id, floor_position, counted_at, left_sum
      from counted
     where left_sum < threshold_sum and paid_sum >= threshold_sum
     order by member_id, counted_at
"""


def warned_until_at(at: datetime) -> datetime:
    """Members are told of tiers that end by that moment."""
    return at + timedelta(days=settings.TIER_WARNING_DAYS)


def tell_tiers_at_risk(*, at: datetime) -> int:
    """Tell members whose tier ends within the days of BALLADA_TIER_WARNING_DAYS, as orders leave the period.

    Each is told once for the day on which it ends. Returns how many have such a tier.
    """
    rule_set = rule_set_in_force(at)
    if rule_set.paid_sum_months is None:
        return 0
    values = {
        "rule_set_id": rule_set.pk,
        "keeps_floors": keeps_floors(rule_set),
        "since_at": paid_sum_since_at(rule_set, at),
        "since_then_at": paid_sum_since_at(rule_set, warned_until_at(at)),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(ENDING, values)
        rows = cursor.fetchall()
    tiers = {tier.pk: tier for tier in tiers_of(rule_set)}
    return tell_in_batches(_endings(rule_set, tiers, rows, at))


def tell_in_batches(tellings: Iterator[Telling]) -> int:
    """Tell members, a batch in each transaction; returns how many tellings there were."""
    count = 0
    for batch in in_batches(tellings):
        with transaction.atomic():
            tell_many(batch)
        count += len(batch)
    return count


def at_risk(
    *,
    member_id: int,
    tier: Tier,
    to_tier: Tier,
    until_at: datetime,
    to_keep_sum: Decimal | None,
    why: Why,
    key: str,
    at: datetime,
    edition: int | None = None,
) -> Telling:
    """What a member is told of a tier that ends: the sum that keeps it is None where none does.

    `edition` is the number of the one that ends it, if its rules do.
    """
    facts: dict[str, object] = {
        **tier.words(),
        **to_tier.words("to_tier"),
        "until_at": until_at.astimezone(UTC).isoformat(),
        "to_keep_sum": None if to_keep_sum is None else f"{to_keep_sum:.2f}",
        "why": why,
        "edition": edition,
    }
    return Telling(member_id=member_id, kind="tier_at_risk", happened_at=at, facts=facts, key=key)


def _endings(
    rule_set: RuleSet, tiers: dict[int, Tier], rows: Iterable[tuple[Any, ...]], at: datetime
) -> Iterator[Telling]:
    latest_at = warned_until_at(at)
    for member_id, tier_id, floor_position, counted_at, left_sum in rows:
        tier = tiers[tier_id]
        until_at = leaves_period_at(rule_set, counted_at)
        # What has left the period already is the next recount's.
        if not at < until_at <= latest_at:
            continue
        yield at_risk(
            member_id=member_id,
            tier=tier,
            to_tier=tier_for(rule_set, left_sum, floor_position),
            until_at=until_at,
            to_keep_sum=tier.threshold_sum - left_sum,
            why=Why.TIME,
            key=f"tier_at_risk:{until_at.astimezone(UTC):%Y-%m-%d}",
            at=at,
        )
