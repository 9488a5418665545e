# ruff: noqa: S608, since the queries are put together from our own words only
"""The orders of the last 12 months once more, one after the other, under the draft.

Each member has a sequence of moves of the paid sum, in the order of time: a paid order adds its money, a
refund takes its money off when it happened, and where only the last months count an order leaves again
when its months are over. The sum of the moves before an order gives the tier it finds; with its own money
the tier it leads to. Window functions add them up, so nothing is asked order by order.
"""

from datetime import datetime
from itertools import chain

from django.db import connection
from django.utils import timezone

from loyalty.queries.rules import months_later, paid_sum_since_at
from supervisor.queries.what_if.figures import History, HistoryMonth
from supervisor.queries.what_if.shares import Shares
from supervisor.queries.what_if.sides import KOPECKS, Parameters, Side, excluded_join, of_half
from supervisor.queries.what_if.snapshot import HALVES, of_both_halves

HISTORY_MONTHS = 12
# Moves of one moment go by their orders; of one order, the payment comes before what follows from it.
ORDER_TURN, LATER_TURN, FRIEND_TURN = 1, 2, 3
RUNNING = """(sum(money) over (
    partition by member_id order by moved_at, order_id, turn rows unbounded preceding))::bigint"""
MONEY = f"(paid_sum * {KOPECKS})::bigint"
# A payment moves the sum when the order was paid, a refund when it happened.
MOVED_AT = "case when paid_sum < 0 then recorded_at else counted_at end"
MONTHS = "make_interval(months => %(then_months)s)"
# What counted at `recorded_at` still counts then, as `loyalty.queries.rules.paid_sum_since_at` has it.
STILL_COUNTS = f"counted_at > ((recorded_at at time zone %(zone)s) - {MONTHS}) at time zone %(zone)s"
# When an order leaves the period, as `leaves_period_at` has it: a month too short for its day has none.
LEAVES_AT = f"""
    case when (moved - {MONTHS})::date < local::date
         then date_trunc('day', moved) + interval '1 day' else moved end at time zone %(zone)s"""
FLOORS = "select member_id, floor_position from loyalty_standing where floor_position is not null"
REFUNDED = f"""
    left join (
         select order_id, counted_at, sum({MONEY})::bigint as money
           from loyalty_paid_sum_entry where paid_sum < 0 group by order_id, counted_at
         ) as refunded on refunded.order_id = o.id and refunded.counted_at = o.paid_at"""
REWARDED_BEFORE = """(
    select count(distinct reward.order_id)
      from referrals_reward as reward join orders_order as earlier on earlier.id = reward.order_id
     where reward.referral_id = referral.id and reward.kind = 'share' and earlier.paid_at <= %(from_at)s)"""
# The shares that orders of the window have really brought, less what was taken back.
SHARED_REALLY = f"""
    select width_bucket(o.paid_at, %(begins)s::timestamptz[]) as month,
           sum(reward.points - reward.taken_back_points)
      from referrals_reward as reward
      join orders_order as o on o.id = reward.order_id
      join accounts_member as member on member.id = o.member_id
     where reward.kind = 'share' and not member.is_sandbox and o.paid_at > %(from_at)s and o.paid_at <= %(at)s
       and {of_half("o.member_id")}
     group by month
"""


class Replay:
    """What the orders of the last 12 months brought, and what they would have under the draft.

    Orders earn on what is left of them after refunds, floors are those of now, and invitations begin
    the window with as many rewarded orders as they really had.
    """

    def __init__(self, then: Side, at: datetime) -> None:
        self.then = then
        self.at = at
        self.begins = _months(at)
        self.parameters: Parameters = {
            **then.parameters(at),
            "at": at,
            "from_at": self.begins[0],
            "from_since_at": paid_sum_since_at(then.rule_set, self.begins[0]),
            "begins": self.begins,
            "zone": timezone.get_default_timezone_name(),
        }
        # Figures by month, which is counted from 1.
        self.earned: dict[int, tuple[int, ...]] = {}
        self.shared_really: dict[int, tuple[int, ...]] = {}
        self.shared_replayed: dict[int, tuple[int, ...]] = {}

    def earn(self) -> None:
        """Let every order earn."""
        self.earned = self._by_month(_earned_sql(self.then))

    def share(self) -> None:
        """Let every order of the invited bring its share."""
        self.shared_really = self._by_month(SHARED_REALLY)
        self.shared_replayed = self._by_month(_shared_sql(self.then))

    def history(self) -> History:
        """What came of it."""
        months = []
        for place, begin in enumerate(self.begins, start=1):
            orders, really, replayed = self.earned.get(place, (0, 0, 0))
            months.append(
                HistoryMonth(
                    month=timezone.localdate(begin, timezone.get_default_timezone()).replace(day=1),
                    orders=orders,
                    earned_really=really,
                    earned_replayed=replayed,
                    shared_really=self.shared_really.get(place, (0,))[0],
                    shared_replayed=self.shared_replayed.get(place, (0,))[0],
                )
            )
        return History(
            since_at=self.begins[0],
            until_at=self.at,
            orders=sum(month.orders for month in months),
            earned_really=sum(month.earned_really for month in months),
            earned_replayed=sum(month.earned_replayed for month in months),
            shared_really=sum(month.shared_really for month in months),
            shared_replayed=sum(month.shared_replayed for month in months),
            months=months,
        )

    def _by_month(self, sql: str) -> dict[int, tuple[int, ...]]:
        """What a query adds up in each month, over both halves of the members."""

        def of_half(half: int) -> list[tuple[int, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql, {**self.parameters, "halves": HALVES, "other_half": 1 - half})
                return cursor.fetchall()

        found: dict[int, tuple[int, ...]] = {}
        for month, *figures in chain(*of_both_halves(of_half)):
            before = found.get(month, (0,) * len(figures))
            found[month] = tuple(int(one) + int(other) for one, other in zip(before, figures, strict=True))
        return found


def _months(at: datetime) -> list[datetime]:
    """When each month of the window begins: the first within a month, as the window does."""
    local = timezone.localtime(at, timezone.get_default_timezone())
    first = months_later(local.date(), -HISTORY_MONTHS)
    begin = local.replace(year=first.year, month=first.month, day=first.day)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    firsts = [months_later(first.replace(day=1), months) for months in range(1, HISTORY_MONTHS + 1)]
    return [begin, *(midnight.replace(year=day.year, month=day.month, day=1) for day in firsts)]


def _earned_sql(then: Side) -> str:
    """By month: how many orders stand, what they earned, and what they would have."""
    other_moves = _other_moves(then, of_half("member_id"))
    paid = "running" if then.rule_set.crossing_order_earns_new_tier else "running - money"
    points = then.points("left_base", then.of_tier("coefficients", "tier"))
    return f"""
        select month, count(*) filter (where stands), sum(earned), sum({points})
          from (
               select width_bucket(moved_at, %(begins)s::timestamptz[]) as month, stands, earned, left_base,
                      {then.tier(paid, "floor_position")} as tier
                 from (
                      select *, {RUNNING} as running
                        from (
                             select {_own_order()}, {then.base()} as left_base,
                                    o.earned_points - o.taken_back_points as earned,
                                    o.status in ('paid', 'partly_refunded') as stands
                               from orders_order as o{REFUNDED}{excluded_join(then)}
                              where o.paid_at > %(from_at)s and o.paid_at <= %(at)s
                                and o.member_id is not null and {of_half("o.member_id")}
                                and o.member_id not in (select id from accounts_member where is_sandbox)
                             union all
                             select *, null, null, null from ({other_moves}) as other_move
                             ) as move
                      ) as summed
                 left join ({FLOORS}) as floored using (member_id)
                where turn = {ORDER_TURN}
               offset 0
               ) as replayed
         group by month"""


def _shared_sql(then: Side) -> str:
    """By month: what friends' orders would have brought, in the tier of the inviter at that moment."""
    inviters = (
        f"(select inviter_id from referrals_referral where ended_at is null and {of_half('inviter_id')})"
    )
    orders_before = "0"
    if then.rule_set.referral_orders is not None:
        orders_before = REWARDED_BEFORE
    rate = then.of_tier("referral_rates", then.tier("running", "floor_position"))
    orders = f"""
        select friend.*, {rate} as rate
          from (
               select *, {RUNNING} as running
                 from (
                      select {_own_order()}
                        from orders_order as o{REFUNDED}
                       where o.paid_at > %(from_at)s and o.paid_at <= %(at)s and o.member_id in {inviters}
                      union all
                      {_other_moves(then, f"member_id in {inviters}")}
                      union all
                      select inviter_id, paid_at, id, {FRIEND_TURN}, 0 from friend
                      ) as move
               ) as summed
          left join ({FLOORS}) as floored using (member_id)
          join friend on friend.id = summed.order_id
         where turn = {FRIEND_TURN}"""
    return f"""
        with friend as materialized (
            select o.id, o.paid_at, referral.id as referral_id, referral.inviter_id, referral.since_at,
                   {then.base(after_refunds=False)} as paid_base, {then.base()} as left_base,
                   {orders_before} as orders_before
              from referrals_referral as referral
              join accounts_member as member on member.id = referral.inviter_id and not member.is_sandbox
              join orders_order as o on o.member_id = referral.invited_id{excluded_join(then)}
             where referral.ended_at is null and {of_half("referral.inviter_id")}
               and o.paid_at >= referral.since_at
               and o.paid_at > %(from_at)s and o.paid_at <= %(at)s
        )
        select width_bucket(paid_at, %(begins)s::timestamptz[]) as month, sum(points)
          from ({Shares(then).sql(orders)}) as share
         group by month"""


def _own_order() -> str:
    """SQL for the move that an order was when it was paid: what stands, and what refunds took off later."""
    left = "o.total_sum - o.refunded_sum - o.spent_points + o.given_back_points"
    return (
        f"o.member_id, o.paid_at as moved_at, o.id as order_id, {ORDER_TURN} as turn,"
        f" (({left}) * {KOPECKS})::bigint - coalesce(refunded.money, 0) as money"
    )


def _other_moves(then: Side, whose: str) -> str:
    """SQL for all other moves of the paid sums of members of whom the condition `whose` holds.

    They are what stands when the window begins; refunds; payments of orders that were cancelled and
    paid anew later; and, where only the last months count, orders that leave the period: those that
    counted when the window began or later, and do not when it ends.
    """
    whose_order = whose.replace("member_id", "o.member_id", 1)
    counts, stays, leaving = whose, "true", ""
    if then.is_rolling:
        counts = f"{whose} and counted_at > %(from_since_at)s"
        stays = STILL_COUNTS
        leaving = f"""
            union all
            select member_id, {LEAVES_AT}, 0, 0, -{MONEY}
              from (
                   select *, local + {MONTHS} as moved
                     from (
                          select *, counted_at at time zone %(zone)s as local
                            from loyalty_paid_sum_entry
                           where {counts} and counted_at <= %(then_since_at)s
                             and (paid_sum >= 0 or {stays})
                          offset 0
                          ) as counted
                   offset 0
                   ) as leaving"""
    return f"""
        select member_id, '-infinity'::timestamptz as moved_at, 0::bigint as order_id, 0 as turn,
               sum({MONEY})::bigint as money
          from loyalty_paid_sum_entry where {MOVED_AT} <= %(from_at)s and {counts} group by member_id
        union all
        select member_id, recorded_at, order_id, {LATER_TURN}, {MONEY}
          from loyalty_paid_sum_entry
         where paid_sum < 0 and recorded_at > %(from_at)s and recorded_at <= %(at)s and {counts} and {stays}
        union all
        select entry.member_id, counted_at, order_id, {LATER_TURN}, {MONEY}
          from orders_order as o
          join loyalty_paid_sum_entry as entry on entry.member_id = o.member_id and entry.order_id = o.id
         where o.payments_count > 1 and paid_sum > 0 and counted_at <> o.paid_at
           and {whose_order} and counted_at > %(from_at)s and counted_at <= %(at)s{leaving}"""
