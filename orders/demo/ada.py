"""Ada, whose cabinet the visitor opens first: two years of coffee, almost Gold, and some of everything."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import Member
from config.demo import DEMO_PASSWORD
from loyalty.queries.standing import standing_card
from orders.demo.cast import ADA, BEN, CLARA, INGA, LEV, ROMAN, TIMUR, ZOYA
from orders.demo.goods import (
    CAKE_TO_ORDER,
    CAKES,
    OFFICE_BREAKFAST,
    PACKS,
    PASTRIES,
    SHELF,
    WHOLE_CAKES,
    basket,
    big_basket,
    line,
)
from orders.demo.world import World
from orders.models import Order
from orders.queries.figures import LineSpec
from orders.services.orders import cancel_order, pay_order, refund_order

# What Ada still has to pay for until the next tier.
SHORT_OF_GOLD_SUM = Decimal(3210)
MUG, BEANS, MEDOVIK = SHELF[0], PACKS[2], WHOLE_CAKES[0]


class AdaStory:
    """Ada and the friends she brought."""

    def __init__(self, world: World) -> None:
        self.world = world
        # Her dice are her own, so that her sums do not depend on what others do.
        self.dice = random.Random("Ada")  # noqa: S311, nothing is secret here
        self.ada: Member
        self.ben: Member
        self.clara: Member
        self.lev: Member
        self.zoya: Member
        self.roman: Member

    def plan(self) -> None:
        """Put it all on the timeline."""
        on, ago, months_ago = self.world.timeline.on, self.world.timeline.ago, self.world.timeline.months_ago
        on(months_ago(24, 5, 10), self._ada_joins)
        on(months_ago(13, 9, 13), self._ben_joins)
        on(months_ago(7, 4, 20), self._clara_joins)
        on(months_ago(4, 22, 19), self._lev_joins)
        for months in range(23, 0, -1):
            on(months_ago(months, 21, 8, 45), self._drop_in)
            if months % 5 in (1, 3):
                on(months_ago(months, 6, 11, 20), self._buy_for_home)
            if 1 < months < 13:
                on(months_ago(months, 24, 18, 5), self._ben_visits)
        on(months_ago(14, 3, 10), self._order_breakfast)
        on(months_ago(12, 3, 9, 30), self._order_breakfast)
        on(months_ago(6, 15, 21), self._give_too_much_to_ben)
        on(months_ago(5, 17, 14), lambda at: self._order_with_points(at, 700))
        on(months_ago(3, 11, 20), self._thank_ada)
        on(months_ago(2, 18, 16), self._say_sorry)
        for days in (34, 21, 9, 8, 2):
            on(ago(days, 20, 15), lambda at: self.world.open_link(self.ada, at))
        on(ago(26, 19), self._zoya_joins)
        on(ago(25, 13, 30), self._zoya_tries_a_bun)
        on(ago(10, 18), self._timur_comes_too_late)
        on(ago(5, 21, 30), self._inga_joins)
        on(ago(4, 12), self._roman_joins)
        on(ago(3, 12, 30), self._roman_orders)
        on(ago(36, 12), self._clara_changes_her_mind)
        on(ago(22, 12, 40), self._buy_thermos)
        on(ago(16, 13), self._lev_orders)
        on(ago(11, 9), self._win_a_gift)
        on(ago(9, 15), lambda at: self._order_with_points(at, 120))
        on(ago(6, 18, 10), self._order_cake)
        on(ago(4, 18, 20), self._give_to_ben)
        on(ago(1, 17, 40), self._ben_orders)
        # It keeps the points for a day: from the hour in which the demo is looked at first.
        on(self.world.timeline.hour, self._leave_unpaid)

    def _ada_joins(self, at: datetime) -> None:
        self.ada = self.world.join_online(ADA, at, password=DEMO_PASSWORD)

    def _ben_joins(self, at: datetime) -> None:
        self.ben = self.world.join_online(BEN, at, inviter=self.ada)

    def _clara_joins(self, at: datetime) -> None:
        self.clara = self.world.join_online(CLARA, at, inviter=self.ada)

    def _lev_joins(self, at: datetime) -> None:
        self.lev = self.world.join_at_till(LEV, at, inviter=self.ada)

    def _buy_for_home(self, at: datetime) -> None:
        self.world.sell(self.ada, big_basket(self.dice), at)

    def _drop_in(self, at: datetime) -> None:
        self.world.sell(self.ada, basket(self.dice), at, outlet="petrogradskaya")

    def _buy_thermos(self, at: datetime) -> None:
        self.world.sell(self.ada, [line(SHELF[2])], at, outlet="petrogradskaya")

    def _order_breakfast(self, at: datetime) -> None:
        order = self.world.order_online(self.ada, [line(OFFICE_BREAKFAST)], at)
        self._pay(order, at + timedelta(minutes=7))

    def _order_with_points(self, at: datetime, points: int) -> None:
        order = self.world.order_online(self.ada, [line(BEANS, 2)], at, points=points)
        self._pay(order, at + timedelta(minutes=4))

    def _order_cake(self, at: datetime) -> None:
        """The order that leaves her so far from Gold; a mug of it comes back."""
        to_gold_sum = standing_card(self.ada, at).to_next_sum
        cake = LineSpec(
            name=CAKE_TO_ORDER,
            category=CAKES,
            line_sum=to_gold_sum - SHORT_OF_GOLD_SUM,
        )
        order = self.world.sell(self.ada, [cake, line(MUG)], at)
        key = self.world.key("mug")
        self.world.timeline.on(
            self.world.timeline.ago(2, 12),
            lambda later: refund_order(order=order, key=key, refunded_at=later, line_sums={2: MUG.price}),
        )

    def _leave_unpaid(self, at: datetime) -> None:
        self.world.order_online(self.ada, [line(MEDOVIK), line(BEANS)], at, points=250)

    def _give_to_ben(self, at: datetime) -> None:
        self.world.transfer(self.ada, self.ben, 150, at)

    def _give_too_much_to_ben(self, at: datetime) -> None:
        transfer = self.world.transfer(self.ada, self.ben, 300, at)
        self.world.timeline.on(
            at + timedelta(minutes=12), lambda later: self.world.take_back(transfer, later)
        )

    def _thank_ada(self, at: datetime) -> None:
        self.world.transfer(self.ben, self.ada, 40, at)

    def _say_sorry(self, at: datetime) -> None:
        self.world.correct(self.ada, 100, at, reason="Извините за остывший капучино")

    def _win_a_gift(self, at: datetime) -> None:
        self.world.give(self.ada, 300, at, reason="Осенний розыгрыш: вы угадали сорт", waiting_days=16)

    def _ben_visits(self, at: datetime) -> None:
        self.world.sell(self.ben, big_basket(self.dice), at, outlet="vasilievsky")

    def _ben_orders(self, at: datetime) -> None:
        self.world.sell(self.ben, [line(MEDOVIK), line(BEANS, 2)], at, outlet="vasilievsky")

    def _lev_orders(self, at: datetime) -> None:
        self.world.sell(self.lev, [line(WHOLE_CAKES[1])], at)

    def _clara_changes_her_mind(self, at: datetime) -> None:
        order = self.world.order_online(self.clara, [line(PACKS[3], 2)], at)
        self._pay(order, at + timedelta(minutes=3))
        self.world.timeline.on(
            at + timedelta(days=3), lambda later: cancel_order(order=order, cancelled_at=later)
        )

    def _inga_joins(self, at: datetime) -> None:
        """She has an account, and has bought nothing yet."""
        self.world.join_online(INGA, at, inviter=self.ada)

    def _zoya_joins(self, at: datetime) -> None:
        self.zoya = self.world.join_online(ZOYA, at, inviter=self.ada)

    def _zoya_tries_a_bun(self, at: datetime) -> None:
        """Too small an order for a share."""
        self.world.sell(self.zoya, [line(PASTRIES[0])], at)

    def _timur_comes_too_late(self, at: datetime) -> None:
        """The link had been open for more than a month."""
        self.world.join_online(TIMUR, at, inviter=self.ada, thinks_it_over=timedelta(days=33))

    def _roman_joins(self, at: datetime) -> None:
        """Ada's brother, or Ada herself: he joined in seconds, and his orders have her phone."""
        self.roman = self.world.join_online(ROMAN, at, inviter=self.ada, thinks_it_over=timedelta(seconds=21))

    def _roman_orders(self, at: datetime) -> None:
        self.world.sell(self.roman, [line(WHOLE_CAKES[1])], at, customer_phone=ADA.phone)

    def _pay(self, order: Order, at: datetime) -> None:
        self.world.timeline.on(at, lambda paid_at: pay_order(order=order, paid_at=paid_at))
