# ruff: noqa: S608, since the queries are put together from our own words only
"""What the orders of the last months would earn and take under each edition, in the tiers of now and then."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import Any

from django.db import connection
from django.utils import timezone

from referrals.queries.shares import month_of
from supervisor.queries.what_if.figures import DAYS_OF_MONTH, CapEffect, Pace
from supervisor.queries.what_if.shares import Shares
from supervisor.queries.what_if.sides import PARTS_OF_POINT, Parameters, Side, Sides, excluded_join

# The days of a pace, the short one first.
PACE_DAYS = (90, 365)
# What was added up, by the days of a pace and by name.
Sums = dict[int, dict[str, int]]
# Since when there are orders at all. The first to be placed is found by the index of their time.
FIRST_ORDER = """
    select o.placed_at
      from orders_order as o join accounts_member as member on member.id = o.member_id
     where o.paid_at is not null and not member.is_sandbox
     order by o.placed_at, o.id limit 1
"""


class Paces:
    """What a half of the members would earn, bring and take, added up over the orders of each window.

    Of an order: points = round(base sum × coefficient), both by the edition, in the tier that the
    member has under it; the base sum is what is left after refunds. Of an inviter: as `Shares` has it.
    A month's points = points of all those orders ÷ the days there are × 365.25 ÷ 12.
    An edition lets spend: the cap, total × rate of the tier, rounded down; nothing, if that is below its
    minimum.
    """

    def __init__(self, sides: Sides, at: datetime, parameters: Parameters) -> None:
        short, long = PACE_DAYS
        given = {
            **parameters,
            "recent_at": at - timedelta(days=short),
            "since_at": at - timedelta(days=long),
            "month_at": month_of(at - timedelta(days=long)) - timedelta(microseconds=1),
            "zone": timezone.get_default_timezone_name(),
        }
        self.earned = _sums(_earned_sql(sides), given)
        # The friends' orders are read once where both editions ask for the same of them.
        is_same = sides.now.basis == sides.then.basis and _reach(sides.now) == _reach(sides.then)
        groups = [(sides.now, sides.then)] if is_same else [(sides.now,), (sides.then,)]
        self.shared = [_sums(_shared_sql(*group), given) for group in groups]
        self.refused = _sums(_refused_sql(sides), given)


def paces(halves: Sequence[Paces], at: datetime) -> list[Pace]:
    """Points a month under both editions, by the orders of the last 90 and 365 days."""
    earned = _together([half.earned for half in halves])
    shared = _together([sums for half in halves for sums in half.shared])
    return [
        Pace(
            days=days,
            counted_days=counted,
            orders=earned[days]["orders"],
            earned_now=_a_month(earned[days]["now"], counted),
            earned_then=_a_month(earned[days]["then_"], counted),
            shared_now=_a_month(shared[days]["now_"], counted),
            shared_then=_a_month(shared[days]["then_"], counted),
        )
        for days, counted in _counted_days(at).items()
    ]


def caps(halves: Sequence[Paces]) -> list[CapEffect]:
    """What each edition would have refused of the points spent on the orders of the last 90 and 365 days."""
    refused = _together([half.refused for half in halves])
    return [CapEffect(days=days, **refused[days]) for days in PACE_DAYS]


def _earned_sql(sides: Sides) -> str:
    now, then = sides.now, sides.then
    is_same = now.basis == then.basis
    points = {
        side.name: side.points(base, side.of_tier("coefficients", f"tier_{side.name}"))
        for side, base in ((now, "base_now"), (then, "base_now" if is_same else "base_then"))
    }
    bases = f"{now.base()} as base_now"
    if not is_same:
        bases += f", {then.base()} as base_then"
    # Each base is worked out once: without the offset it would be put in wherever it is named.
    return f"""
        select is_recent, count(*) filter (where status in ('paid', 'partly_refunded')) as orders,
               sum({points["now"]}) as now, sum({points["then"]}) as then_
          from (
               select o.paid_at > %(recent_at)s as is_recent, o.status, member.tier_now, member.tier_then,
                      {bases}
                 from orders_order as o
                 join what_if_member as member on member.member_id = o.member_id
                      {excluded_join(now, *([] if is_same else [then]))}
                where o.paid_at > %(since_at)s and o.paid_at <= %(at)s
               offset 0
               ) as paid
         group by is_recent"""


def _reach(side: Side) -> str:
    """SQL for which earlier orders decide on a share, beside those of the year."""
    if side.rule_set.referral_orders is not None:
        # Which of a friend's orders count is known from their first one on only.
        return "true"
    is_limited = side.rule_set.referral_month_limit_points is not None
    return f"o.paid_at > {'%(month_at)s' if is_limited else '%(since_at)s'}"


def _shared_sql(*sides: Side) -> str:
    """The shares of invitations as they would be in the tiers that the inviters have under each edition.

    The editions earn on the same sums, and reach equally far back.
    """
    first = sides[0]
    shares = " union all ".join(
        f"""select '{side.name}' as side, paid_at, points from ({_of_friends(side)}) as share_{side.name}"""
        for side in sides
    )
    sums = ", ".join(f"sum(points) filter (where side = '{side.name}') as {side.name}_" for side in sides)
    return f"""
        with friends_order as (
            select o.id, o.paid_at, referral.id as referral_id, referral.inviter_id, referral.since_at,
                   {first.base(after_refunds=False)} as paid_base, {first.base()} as left_base,
                   member.tier_now, member.tier_then
              from referrals_referral as referral
              join orders_order as o on o.member_id = referral.invited_id
              join what_if_member as member on member.member_id = referral.inviter_id{excluded_join(first)}
             where referral.ended_at is null and o.paid_at >= referral.since_at and o.paid_at <= %(at)s
               and {_reach(first)}
        )
        select paid_at > %(recent_at)s as is_recent, {sums}
          from ({shares}) as share
         where paid_at > %(since_at)s
         group by is_recent"""


def _of_friends(side: Side) -> str:
    rate = side.of_tier("referral_rates", f"tier_{side.name}")
    return Shares(side).sql(f"select *, {rate} as rate, 0 as orders_before from friends_order")


def _refused_sql(sides: Sides) -> str:
    let = {}
    for side in (sides.now, sides.then):
        rate = side.of_tier("cap_rates", f"member.tier_{side.name}")
        cap = f"least(o.spent_points, (o.total_sum * 100)::bigint * {rate} / {PARTS_OF_POINT})"
        let[side.name] = f"case when {cap} < %({side.name}_minimum)s then 0 else {cap} end"
    return f"""
        select is_recent, count(*) as orders,
               count(*) filter (where spent > let_now) as orders_now,
               count(*) filter (where spent > let_then) as orders_then,
               sum(spent - let_now) as refused_points_now, sum(spent - let_then) as refused_points_then
          from (
               select o.paid_at > %(recent_at)s as is_recent, o.spent_points as spent,
                      {let["now"]} as let_now, {let["then"]} as let_then
                 from orders_order as o
                 join what_if_member as member on member.member_id = o.member_id
                where o.spent_points > 0 and o.paid_at > %(since_at)s and o.paid_at <= %(at)s
               ) as spending
         group by is_recent"""


def _sums(sql: str, parameters: Parameters) -> Sums:
    """What a query adds up over the recent and the other orders of a year, by the days of the paces."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    names.remove("is_recent")
    recent = [row for row in rows if row["is_recent"]]
    return {
        days: {name: int(sum(row[name] or 0 for row in counted)) for name in names}
        for days, counted in zip(PACE_DAYS, (recent, rows), strict=True)
    }


def _together(parts: Sequence[Sums]) -> Sums:
    together = {days: Counter[str]() for days in PACE_DAYS}
    for part in parts:
        for days, sums in part.items():
            together[days].update(sums)
    return {days: dict(sums) for days, sums in together.items()}


def _counted_days(at: datetime) -> dict[int, int]:
    """How many days there are orders of, by the days of each pace: at least one."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_ORDER)
        first = cursor.fetchone()
    there_are = ceil((at - first[0]) / timedelta(days=1)) if first else 0
    return {days: max(min(days, there_are), 1) for days in PACE_DAYS}


def _a_month(points: int, days: int) -> int:
    return int((points * DAYS_OF_MONTH / Decimal(days)).to_integral_value(ROUND_HALF_UP))
