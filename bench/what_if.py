"""The preview of an edition, and its replay of the last 12 months, on bases of two sizes.

Beside each stands one plain aggregate over the same rows: every entry of a paid sum and every order, added
up once. A base is made by SQL: people with few orders and some with many, a tenth of the orders paid
partly with points, some with delivery, some returned, a fifth of the people invited by others, spread
over two years. Filling it takes the rights of a superuser, since the rows are not made by the services.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection
from django.utils import timezone

from bench.databases import filled_quickly, own_database

if TYPE_CHECKING:
    from loyalty.models import RuleSet

# Members, orders, and how many seconds the preview may take.
SIZES = ((23_570, 69_659, 1.0), (1_000_000, 5_000_000, 15.0))
QUICK_SIZES = ((2_000, 10_000, 1.0),)
DAYS = 730
PLAIN = """
    select (select sum(paid_sum) from loyalty_paid_sum_entry),
           (select sum(total_sum - refunded_sum) from orders_order)
"""
FILL = (
    "select setseed(0.5)",
    """insert into accounts_member (id, number, first_name, last_name, language, joined_at)
       select id, lpad(id::text, 12, '0'), 'Anna', 'Number ' || id, 'ru',
              %(at)s::timestamptz - interval '1 day' * %(days)s
         from generate_series(1, %(members)s) as id""",
    """insert into orders_source (id, code, name) values (1, 'shop', 'Shop')""",
    # The square of chance gives some members many orders and most of them few.
    """insert into orders_order
              (id, source_id, number, member_id, status, placed_at, paid_at, payments_count, total_sum,
               delivery_sum, refunded_sum, refunded_delivery_sum, held_points, spent_points,
               given_back_points, earned_points, taken_back_points, rule_set_id, tier_id, coefficient)
       select id, 1, id::text, 1 + floor(random() * random() * %(members)s)::bigint,
              case when kind < 0.03 then 'refunded' else 'paid' end, paid_at, paid_at, 1,
              goods_sum + delivery_sum, delivery_sum,
              case when kind < 0.03 then goods_sum + delivery_sum else 0 end,
              case when kind < 0.03 then delivery_sum else 0 end, 0, points,
              case when kind < 0.03 then points else 0 end, floor((goods_sum - points) * 0.03),
              case when kind < 0.03 then floor((goods_sum - points) * 0.03) else 0 end,
              %(rule_set_id)s, %(tier_id)s, 0.03
         from (select id, kind, goods_sum, paid_at,
                      case when kind > 0.8 then 300 else 0 end as delivery_sum,
                      case when kind between 0.5 and 0.6 then floor(goods_sum * 0.3) else 0 end as points
                 from (select id, random() as kind,
                              round((200 + 15000 * random() ^ 3)::numeric, 2) as goods_sum,
                              %(at)s::timestamptz
                              - interval '1 second' * (%(orders)s - id) * (%(days)s * 86400.0 / %(orders)s)
                              as paid_at
                         from generate_series(1, %(orders)s) as id) as drawn) as made""",
    """insert into loyalty_paid_sum_entry (member_id, order_id, counted_at, recorded_at, paid_sum)
       select member_id, id, paid_at, paid_at, total_sum - spent_points from orders_order
       union all
       select member_id, id, paid_at, paid_at + interval '3 days', spent_points - total_sum
         from orders_order where status = 'refunded'""",
    """insert into orders_orderline (order_id, position, name, category, quantity, line_sum, refunded_sum)
       select id, 1, 'Goods', case id %% 10 when 0 then 'gift cards' else 'goods' end, 1,
              total_sum - delivery_sum, refunded_sum - refunded_delivery_sum
         from orders_order""",
    """insert into loyalty_standing (member_id, paid_sum, tier_id, since_at, floor_position)
       select member.id, coalesce(paid_sum, 0), %(tier_id)s, %(at)s,
              case when member.id %% 500 = 0 then 1 end
         from accounts_member as member
         left join (select member_id, sum(paid_sum) as paid_sum
                      from loyalty_paid_sum_entry group by member_id) as sums on member_id = member.id""",
    """insert into loyalty_points_account (id, available_points)
       select id, floor(random() * 1000) from accounts_member""",
    """insert into referrals_referral (inviter_id, invited_id, since_at, how, orders_count)
       select 1 + floor(random() * (id - 1))::bigint, id,
              %(at)s::timestamptz - interval '1 day' * %(days)s * random(), 'link', 0
         from accounts_member where id %% 5 = 0""",
)


def main(*, is_quick: bool = False) -> bool:
    """Print the figures; what comes back is whether all goals are reached."""
    reached = [measure(*size) for size in (QUICK_SIZES if is_quick else SIZES)]
    return all(reached)


def measure(members: int, orders: int, goal_seconds: float) -> bool:
    """One size; what comes back is whether the preview keeps to its time."""
    from loyalty.queries.rules import rule_set_in_force
    from supervisor.queries.what_if import had_it_been, what_if

    at = timezone.now()
    reached = []
    with own_database("what_if"):
        live = rule_set_in_force(at)
        fill(members, orders, at, live)
        print(f"{members:,} members, {orders:,} orders; seconds, and how many plain aggregates that is")
        plain = seconds_of("one plain aggregate", plain_aggregate)
        for name, draft in drafts(live):
            print(f"  {name}")
            preview = seconds_of("the preview", partial(what_if, draft=draft, live=live, at=at), plain)
            seconds_of("the last 12 months", partial(had_it_been, draft=draft, at=at), plain)
            reached.append(preview <= goal_seconds)
    print(f"Goal: the preview within {goal_seconds:g} s: {'yes' if all(reached) else 'NO'}")
    return all(reached)


def fill(members: int, orders: int, at: datetime, live: "RuleSet") -> None:
    """Make a base of that size, whose orders end now."""
    values = {
        "members": members,
        "orders": orders,
        "days": DAYS,
        "at": at,
        "rule_set_id": live.pk,
        "tier_id": live.tiers.get(position=0).pk,
    }
    with filled_quickly(), connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, values if "%" in statement else None)


def drafts(live: "RuleSet") -> Iterator[tuple[str, "RuleSet"]]:
    """What is asked about: other thresholds alone, and a draft that changes everything that takes work."""
    from loyalty.services.rules import create_draft
    from loyalty.services.rules.specs import specs_of

    tiers = [replace(tier, threshold_sum=tier.threshold_sum * 8 / 10) for tier in specs_of(live)]
    yield "other thresholds", create_draft(copy_of=live, tiers=tiers)
    yield (
        "six months, other base sums, limits of referrals",
        create_draft(
            copy_of=live,
            tiers=tiers,
            paid_sum_months=6,
            earns_on_delivery=True,
            excluded_categories=["gift cards"],
            redemption_cap_rate=Decimal("0.2"),
            referral_months=12,
            referral_orders=5,
            referral_month_limit_points=1_000,
        ),
    )


def plain_aggregate() -> None:
    """Add up every entry of a paid sum and every order."""
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)


def seconds_of(name: str, work: Callable[[], object], plain: float | None = None) -> float:
    """The quickest of three turns, printed; the first also brings the pages into memory."""
    turns = []
    for _turn in range(3):
        began = time.monotonic()
        work()
        turns.append(time.monotonic() - began)
    seconds = min(turns)
    print(f"    {name:24}{seconds:8.2f}" + (f"{seconds / plain:8.0f}" if plain else ""), flush=True)
    return seconds
