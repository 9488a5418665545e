"""Whatever happens to orders, points and invitations, in any order: every promise holds."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.models import Member
from loyalty.errors import LoyaltyError
from loyalty.models import Transfer
from loyalty.queries.balance import balance
from loyalty.services import ledger
from loyalty.services.transfers import make_transfer, reverse_transfer, take_back_transfer
from orders.models import Order, Source
from orders.services.orders import cancel_order, pay_order, place_order, refund_order, register_paid_order
from referrals.models import Flag, Referral, Reward
from referrals.queries import State, invitations_page, totals
from referrals.services import attach_at_till, decide_flags, raise_flag
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.loyalty.transfers.giving import proved_intent
from tests.referrals.friends import broken_promises, publish

EDITIONS = (
    {"referral_month_limit_points": 40, "welcome_points": 30, "welcome_when": "first_order"},
    {"waiting_days": 2, "referral_waiting_days": 9, "welcome_points": 30},
    {"referral_orders": 2, "referral_least_sum": Decimal(300), "rounding": "up"},
    {
        "referral_waiting_days": 3,
        "welcome_points": 7,
        "welcome_when": "first_order",
        "rounding": "half_up",
        "life_months": 1,
        "life_end": "day",
    },
)
STEPS = 150


class Life:
    """A few members of one shop, to whom anything may happen."""

    def __init__(self, shop: Source, chance: random.Random) -> None:
        self.shop = shop
        self.chance = chance
        self.at = NOON
        # They have joined late enough for an inviter to be noted all the time.
        joined_at = NOON + timedelta(days=60)
        self.members = [MemberFactory(phone=f"+7916123450{place}", joined_at=joined_at) for place in range(6)]
        for member in self.members:
            earn(member, 50)
        register_paid_order(**{**self.new_order(), "points": 0}, paid_at=self.at)

    def live(self) -> None:
        """One thing happens; a refusal is as good as anything else."""
        self.at += timedelta(hours=self.chance.choice([0, 1, 5, 30]))
        act = self.chance.choice(
            [self.buy] * 4
            + [self.place, self.pay, self.give_back, self.give_back, self.cancel, self.transfer]
            + [self.undo_transfer, self.attach, self.attach, self.doubt, self.decide]
        )
        try:
            act()
        except LoyaltyError:
            return

    def member(self) -> Member:
        return self.chance.choice(self.members)

    def order(self) -> Order:
        found: Order = self.chance.choice(list(Order.objects.order_by("pk")))
        return found

    def buy(self) -> None:
        register_paid_order(**self.new_order(), paid_at=self.at)

    def place(self) -> None:
        place_order(**self.new_order(), placed_at=self.at)

    def new_order(self) -> dict[str, object]:
        return {
            "source": self.shop,
            "number": str(uuid4()),
            "member": self.member(),
            "total_sum": Decimal(self.chance.choice(["0", "99.99", "300", "1234.5", "4000"])),
            "points": self.chance.choice([0, 0, 0, 20]),
            "customer_phone": self.chance.choice([None, None, "+79161234500"]),
        }

    def pay(self) -> None:
        pay_order(order=self.order(), paid_at=self.at)

    def give_back(self) -> None:
        goods_sum = Decimal(self.chance.choice(["0.01", "50", "150.5"]))
        part = self.chance.choice([{"is_whole": True}, {"goods_sum": goods_sum}, {"goods_sum": goods_sum}])
        refund_order(order=self.order(), key=uuid4(), refunded_at=self.at, **part)

    def cancel(self) -> None:
        cancel_order(order=self.order(), cancelled_at=self.at)

    def transfer(self) -> None:
        giver, receiver = self.chance.sample(self.members, 2)
        intent = proved_intent(giver, receiver, self.chance.choice([1, 10, 40]), at=self.at)
        make_transfer(intent=intent, at=self.at, how=Transfer.How.CABINET, actor_id=None)

    def undo_transfer(self) -> None:
        transfer = Transfer.objects.order_by("-pk").first()
        if transfer is None:
            return
        if self.chance.random() < 0.5:
            take_back_transfer(transfer=transfer, at=self.at, actor_id=None)
        else:
            reverse_transfer(transfer=transfer, reason="A test", at=self.at, actor_id=1)

    def attach(self) -> None:
        inviter, invited = self.chance.sample(self.members, 2)
        attach_at_till(inviter=inviter, invited=invited, at=self.at, actor_id=1)

    def doubt(self) -> None:
        referral = self.chance.choice(list(Referral.objects.order_by("pk")) or [None])
        if referral:
            raise_flag(referral=referral, kind=self.chance.choice(list(Flag.Kind)), at=self.at)

    def decide(self) -> None:
        referral = self.chance.choice(list(Referral.objects.order_by("pk")) or [None])
        if referral:
            decision = self.chance.choice([*Flag.Decision, Flag.Decision.FINE])
            decide_flags(referral=referral, decision=decision, reason="A test", at=self.at, actor_id=1)


@pytest.mark.parametrize("seed", range(8))
def test_any_life_keeps_every_promise(shop, seed):
    publish(**EDITIONS[seed % len(EDITIONS)], transfer_cooling_hours=30)
    life = Life(shop, random.Random(seed))

    for _step in range(STEPS):
        life.live()

    assert broken_promises() == set()
    assert Reward.objects.count() > 3
    assert Transfer.objects.count() > 3
    for member in life.members:
        agree(member, life.at)
    ledger.settle_all_due(at=life.at + timedelta(days=400))
    assert broken_promises() == set()


def agree(member: Member, at: datetime) -> None:
    """The list, its totals and the balance say the same."""
    found = totals(member, at)
    rows = invitations_page(member=member, at=at, limit=100).rows
    assert sum(row.credited_points for row in rows) == found.credited_points
    assert sum(row.pending_points for row in rows) == found.pending_points
    assert sum(row.held_points for row in rows) == found.held_points
    assert sum(row.state == State.HELD for row in rows) == sum(row.held_points > 0 for row in rows)
    assert found.pending_points + found.held_points <= balance(account_id=member.pk, at=at).pending_points
