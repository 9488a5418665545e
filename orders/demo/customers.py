"""What ordinary members do: visits, orders at the site and what becomes of them, gifts, transfers."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from accounts.models import Member
from loyalty.errors import LoyaltyError
from loyalty.models import Transfer
from orders.demo.cast import Person
from orders.demo.goods import BANQUETS, TILLS, basket, goods_sum, line
from orders.demo.world import World
from orders.errors import HoldLapsed
from orders.models import Order
from orders.queries.figures import LineSpec
from orders.services.orders import add_points, cancel_order, pay_order, refund_order

# Orders a month, and how many of a hundred members order that often.
PACES = ((0.1, 48), (0.35, 35), (0.9, 14), (2, 3))
FIRST_DAY = 728
LEAST_SPENT_POINTS = 30
BIRTHDAY_POINTS = 150


class Customer:
    """A member, and their habits."""

    def __init__(self, world: World, person: Person, *, dice: random.Random) -> None:
        self.world = world
        self.person = person
        self.dice = dice
        self.home = dice.choice(TILLS)[0]
        self.orders_online_rate = dice.choice((0.05, 0.15, 0.4))
        self.spends_rate = dice.choice((0, 0.1, 0.25, 0.4))
        self.member: Member

    def join(self, at: datetime) -> None:
        """Become a member, one in six by a friend, one in four with a login."""
        is_invited = self.dice.random() < 0.17 and self.world.members
        inviter = self.dice.choice(self.world.members) if is_invited else None
        if self.person.email and self.dice.random() < 0.25:
            self.member = self.world.join_online(self.person, at, inviter)
        else:
            self.member = self.world.join_at_till(self.person, at, inviter)

    def visit(self, at: datetime) -> None:
        """Buy something, at a till or at the site."""
        lines = basket(self.dice)
        if self.dice.random() < self.orders_online_rate:
            self._order_online(lines, at)
            return
        outlet = self.home if self.dice.random() < 0.8 else self.dice.choice(TILLS)[0]
        points = self._points_to_spend(goods_sum(lines), at)
        order = self.world.sell(self.member, lines, at, outlet=outlet, points=points)
        self._maybe_return(order, lines, at)

    def book_banquet(self, at: datetime) -> None:
        """Order for a whole office and pay the day after."""
        order = self.world.order_online(self.member, [line(self.dice.choice(BANQUETS))], at)
        self.world.timeline.on(
            at + timedelta(hours=20), lambda paid_at: pay_order(order=order, paid_at=paid_at)
        )

    def celebrate(self, at: datetime) -> None:
        """Have a birthday."""
        self.world.give(self.member, BIRTHDAY_POINTS, at, reason="С днём рождения!")

    def pass_points_on(self, at: datetime) -> None:
        """Give points to another member; one in five thinks better of it."""
        receiver = self.dice.choice(self.world.members)
        points = self.world.available(self.member, at) // 20 * 10
        if not points or receiver == self.member:
            return
        try:
            transfer = self.world.transfer(self.member, receiver, points, at)
        except LoyaltyError:
            # The rules of that time do not let so many go, or let that member have none.
            return
        if self.dice.random() < 0.2:
            self.world.timeline.on(at + timedelta(minutes=20), lambda later: self._regret(transfer, later))

    def _regret(self, transfer: Transfer, at: datetime) -> None:
        try:
            self.world.take_back(transfer, at)
        except LoyaltyError:
            # The friend was quicker and has spent them, or the rules gave no time: they stay there.
            return

    def _points_to_spend(self, total_sum: Decimal, at: datetime) -> int:
        if self.dice.random() >= self.spends_rate:
            return 0
        points = min(self.world.available(self.member, at), int(total_sum * Decimal("0.6")))
        return points if points >= LEAST_SPENT_POINTS else 0

    def _maybe_return(self, order: Order, lines: Sequence[LineSpec], at: datetime) -> None:
        """One in thirty brings a line back, one in a hundred everything."""
        fate = self.dice.random()
        when = at + timedelta(hours=self.dice.randrange(1, 60))
        if fate < 0.033:
            position = self.dice.randrange(len(lines))
            key = self.world.key("refund")
            line_sums = {position + 1: lines[position].line_sum}

            def bring_back(later: datetime) -> None:
                # A till that lost the answer asks again.
                for _time in range(self.dice.choice((1, 1, 2))):
                    refund_order(order=order, key=key, refunded_at=later, line_sums=line_sums)

            self.world.timeline.on(when, bring_back)
        elif fate < 0.043:
            self.world.timeline.on(when, lambda later: cancel_order(order=order, cancelled_at=later))

    def _order_online(self, lines: list[LineSpec], at: datetime) -> None:
        points = self._points_to_spend(goods_sum(lines), at)
        is_delivered = self.dice.random() < 0.6
        is_in_two = points > 2 * LEAST_SPENT_POINTS and self.dice.random() < 0.2
        first_points = points // 2 if is_in_two else points
        order = self.world.order_online(
            self.member, lines, at, points=first_points, is_delivered=is_delivered
        )
        if is_in_two:
            add_points(
                order=order,
                member=self.member,
                points=points - first_points,
                key=self.world.key("more points"),
                at=at,
                actor_id=self.member.user_id,
            )
        fate = self.dice.random()
        on = self.world.timeline.on
        if fate < 0.07:
            on(at + timedelta(hours=5), lambda later: cancel_order(order=order, cancelled_at=later))
        elif fate < 0.10:
            # Forgotten: what was set aside comes free by itself.
            return
        elif fate < 0.15:
            on(at + timedelta(hours=settings.HOLD_HOURS + 7), lambda later: self._pay_late(order, later))
        elif fate < 0.20:
            on(at + timedelta(minutes=9), lambda later: pay_order(order=order, paid_at=later))
            on(at + timedelta(hours=3), lambda later: cancel_order(order=order, cancelled_at=later))
            if fate < 0.17:
                on(at + timedelta(hours=4), lambda later: pay_order(order=order, paid_at=later))
        else:
            on(
                at + timedelta(minutes=self.dice.randrange(2, 240)),
                lambda later: self._pay(order, lines, later),
            )

    def _pay(self, order: Order, lines: Sequence[LineSpec], at: datetime) -> None:
        # A site that lost the answer tells it again, and nothing happens twice.
        for _time in range(self.dice.choice((1, 1, 1, 2))):
            pay_order(order=order, paid_at=at)
        self._maybe_return(order, lines, at)

    def _pay_late(self, order: Order, at: datetime) -> None:
        try:
            pay_order(order=order, paid_at=at)
        except HoldLapsed:
            cancel_order(order=order, cancelled_at=at)


def plan(customer: Customer) -> None:
    """Put a customer's two years on the timeline: joining, visits, birthdays, perhaps a banquet."""
    dice, timeline = customer.dice, customer.world.timeline
    # Half of them came in the first four months, when the programme was new.
    joined = FIRST_DAY - int(dice.random() * (120 if dice.random() < 0.5 else FIRST_DAY - 3))
    timeline.on(timeline.ago(joined, dice.randrange(8, 20), dice.randrange(60)), customer.join)
    pace = dice.choices([pace for pace, _ in PACES], [share for _, share in PACES])[0]
    day = joined - 1.0
    while day > 1:
        visit_at = timeline.ago(int(day), dice.randrange(8, 21), dice.randrange(60))
        timeline.on(visit_at + timedelta(seconds=dice.randrange(60)), customer.visit)
        day -= max(dice.expovariate(pace / 30), 1)
    birthday = dice.randrange(365)
    for days in (birthday, birthday + 365):
        if days < joined and dice.random() < 0.7:
            timeline.on(timeline.ago(days, 9), customer.celebrate)
    if joined > 90 and dice.random() < 0.06:
        timeline.on(timeline.ago(dice.randrange(30, joined - 30), 15), customer.book_banquet)
    if joined > 60 and dice.random() < 0.25:
        timeline.on(timeline.ago(dice.randrange(1, joined - 30), 19, 30), customer.pass_points_on)


def plan_office(customer: Customer, *, months: Sequence[int]) -> None:
    """An office: few visits, and banquets in these months."""
    timeline = customer.world.timeline
    timeline.on(timeline.ago(FIRST_DAY - 20, 11), customer.join)
    for months_back in months:
        timeline.on(timeline.months_ago(months_back, 12, 15), customer.book_banquet)
        timeline.on(timeline.months_ago(months_back, 20, 9, 20), customer.visit)
