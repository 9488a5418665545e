"""Many paid orders registered by one request, beside the same kind of orders registered one by one.

Both ways take turns, so that whatever else the machine does meanwhile falls on both. A figure is
the median of its turns, and a turn's ratio is that of the two ways right after each other.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from statistics import median

from django.utils import timezone

from accounts.models import Member
from accounts.numbers import new_member_numbers
from bench.databases import own_database
from orders.models import Outlet, Source
from orders.queries.figures import LineSpec
from orders.services.orders import register_paid_order
from orders.services.registering import PaidOrder, register_paid_orders

MEMBERS = 600
TOGETHER = 1_000
ONE_BY_ONE = 100
LINES = 3
GOAL_RATIO = 20


class Shop:
    """Members, and orders of theirs that nobody has seen yet."""

    def __init__(self) -> None:
        self.dice = random.Random(MEMBERS)
        self.numbers = count(1)
        self.source = Source.objects.create(code="bench", name="Bench")
        self.outlet = Outlet.objects.create(source=self.source, code="main", name="Main Street")
        joined_at = timezone.now() - timedelta(days=30)
        self.members = Member.objects.bulk_create(
            Member(number=number, joined_at=joined_at) for number in new_member_numbers(MEMBERS)
        )

    def new_orders(self, how_many: int) -> list[PaidOrder]:
        """Orders of the last hour, oldest first."""
        now = timezone.now()
        return [self._order(now - timedelta(seconds=how_many - turn)) for turn in range(how_many)]

    def _order(self, paid_at: datetime) -> PaidOrder:
        lines = [
            LineSpec(name=f"Thing {turn}", line_sum=Decimal(self.dice.randrange(100_000)) / 100)
            for turn in range(LINES)
        ]
        return PaidOrder(
            number=str(next(self.numbers)),
            total_sum=sum((line.line_sum for line in lines), Decimal(0)),
            paid_at=paid_at,
            member=self.dice.choice(self.members),
            outlet=self.outlet,
            lines=lines,
        )

    def register_together(self, orders: list[PaidOrder]) -> None:
        """One request for all of them."""
        outcomes = register_paid_orders(source=self.source, orders=orders)
        if not all(outcome.is_new for outcome in outcomes):
            raise RuntimeError("An order was refused.")

    def register_one_by_one(self, orders: list[PaidOrder]) -> None:
        """A request for each of them."""
        for order in orders:
            register_paid_order(source=self.source, **vars(order))


def main(*, is_quick: bool = False) -> bool:
    """Print the figures; what comes back is whether many at once are as much faster as they should be."""
    together, one_by_one = [], []
    with own_database("register"):
        shop = Shop()
        shop.register_together(shop.new_orders(TOGETHER))
        for _turn in range(2 if is_quick else 7):
            sample = 30 if is_quick else ONE_BY_ONE
            one_by_one.append(per_second(shop.register_one_by_one, shop.new_orders(sample)))
            together.append(per_second(shop.register_together, shop.new_orders(TOGETHER)))
    ratios = [fast / slow for fast, slow in zip(together, one_by_one, strict=True)]
    print(f"one by one       {median(one_by_one):8.0f} orders a second")
    print(f"{TOGETHER} at once     {median(together):8.0f} orders a second")
    print(f"ratio            {median(ratios):8.1f}   {' '.join(f'{ratio:.1f}' for ratio in ratios)}")
    is_reached = median(ratios) >= GOAL_RATIO
    print(f"Goal: {GOAL_RATIO} times as many at once or more: {'yes' if is_reached else 'NO'}")
    return is_reached


def per_second(register: Callable[[list[PaidOrder]], None], orders: list[PaidOrder]) -> float:
    """How many orders a second one way of registering takes."""
    begun = time.perf_counter()
    register(orders)
    return len(orders) / (time.perf_counter() - begun)
