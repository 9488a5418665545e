"""Attaching, paying, returning and deciding at the same moment: no deadlock, and one of two orders."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Member
from loyalty.models import PointsAccount
from loyalty.services import ledger
from orders.models import Order, Source
from orders.services.orders import cancel_order, refund_order, register_paid_order
from orders.services.registering import PaidOrder, register_paid_orders
from referrals.errors import FlagDecided
from referrals.models import Flag, Referral, Reward
from referrals.services import attach_at_till, decide_flags, raise_flag
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.loyalty.races import race
from tests.orders.test_races import wait_until_somebody_waits_for_a_lock
from tests.referrals.friends import broken_promises, invite, publish

ROUNDS = 50


@pytest.fixture
def noon(transactional_db) -> Source:
    publish(referral_waiting_days=14, welcome_points=50, welcome_when="first_order")
    return Source.objects.create(code="noon", name="Полдень")


def pair(turn: int) -> tuple[Member, Member]:
    """An inviter and a friend; every other time the friend's account is the first to be locked."""
    members = [MemberFactory(), MemberFactory()]
    for member in members:
        earn(member, 100)
    inviter, friend = members[:: -1 if turn % 2 else 1]
    return inviter, friend


def without_accidents(outcomes: list[object]) -> list[object]:
    """What came of the writes; a deadlock, or any other failure of the database, is none of it."""
    assert [outcome for outcome in outcomes if isinstance(outcome, DatabaseError)] == []
    return outcomes


def sell(noon: Source, friend: Member, turn: int) -> Callable[[], object]:
    """The friend's order, alone or among others."""
    order = {"number": str(turn), "member": friend, "total_sum": Decimal(1_000), "paid_at": NOON}
    if turn % 3 == 0:
        return lambda: register_paid_orders(source=noon, orders=[PaidOrder(**order)])
    return lambda: register_paid_order(source=noon, **order)


def test_attach_and_pay_at_once(noon):
    """An order sees the inviter or it does not; either way both accounts are locked in their order."""
    for turn in range(ROUNDS):
        inviter, friend = pair(turn)
        outcomes = race(
            sell(noon, friend, turn),
            lambda inviter=inviter, friend=friend: attach_at_till(
                inviter=inviter, invited=friend, at=NOON, actor_id=1
            ),
            # Somebody else who locks both, from the other side.
            lambda inviter=inviter, friend=friend: ledger.transfer(
                key=uuid4(), from_account_id=inviter.pk, to_account_id=friend.pk, points=1, at=NOON
            ),
        )
        without_accidents(outcomes)

    assert Order.objects.filter(status="paid").count() == Referral.objects.count() == ROUNDS
    counted = Referral.objects.filter(orders_count=1)
    assert Reward.objects.filter(kind="share").count() == counted.count()
    assert broken_promises() == set()


def test_an_order_that_was_quicker_than_the_till_came_before_the_inviter(noon):
    """Its moment lies after the one at which staff pressed the button, and it was counted before."""
    inviter, friend = pair(0)
    paid_at = NOON + timedelta(milliseconds=50)
    early = register_paid_order(
        source=noon, number="early", member=friend, total_sum=Decimal(1_000), paid_at=paid_at
    )

    referral = attach_at_till(inviter=inviter, invited=friend, at=NOON, actor_id=1)
    late = register_paid_order(
        source=noon, number="late", member=friend, total_sum=Decimal(2_000), paid_at=AN_HOUR_LATER
    )
    cancel_order(order=early, cancelled_at=AN_HOUR_LATER)

    assert referral.since_at == paid_at + timedelta(microseconds=1)
    referral.refresh_from_db()
    assert (referral.orders_count, referral.first_bought_at) == (1, AN_HOUR_LATER)
    assert Reward.objects.get(kind="share").order_id == late.pk
    assert broken_promises() == set()


def test_an_order_that_waited_for_the_attaching_begins_anew_and_brings_a_share(noon, monkeypatch):
    """It has read that nobody invited its member, and may not lock the inviter's account after theirs."""
    inviter, friend = pair(0)
    assert inviter.pk < friend.pk
    locked = []
    lock_accounts = ledger.lock_accounts

    def lock_and_note(*account_ids: int) -> None:
        lock_accounts(*account_ids)
        locked.append(account_ids)

    def pay() -> None:
        try:
            sell(noon, friend, 1)()
        finally:
            connection.close()

    buyer = Thread(target=pay)
    with transaction.atomic():
        attach_at_till(inviter=inviter, invited=friend, at=NOON, actor_id=1)
        monkeypatch.setattr(ledger, "lock_accounts", lock_and_note)
        buyer.start()
        wait_until_somebody_waits_for_a_lock()
    buyer.join(timeout=30)

    assert locked[0] == (friend.pk,)
    assert {tuple(sorted(account_ids)) for account_ids in locked[1:]} == {(inviter.pk, friend.pk)}
    assert Reward.objects.get(kind="share").points == 10


def test_decide_and_refund_at_once(noon):
    for turn in range(ROUNDS):
        inviter, friend = pair(turn)
        referral = invite(inviter, friend)
        raise_flag(referral=referral, kind=Flag.Kind.CHAIN, at=NOON)
        order = register_paid_order(
            source=noon, number=str(turn), member=friend, total_sum=Decimal(1_000), paid_at=NOON
        )
        decision = Flag.Decision.FINE if turn % 2 else Flag.Decision.ONE_PERSON

        def decide(referral: Referral = referral, decision: Flag.Decision = decision) -> None:
            decide_flags(referral=referral, decision=decision, reason="A test", at=AN_HOUR_LATER, actor_id=1)

        def refund(order: Order = order, is_whole: bool = turn % 4 < 2) -> None:
            part = {"is_whole": True} if is_whole else {"goods_sum": Decimal(400)}
            refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, **part)

        outcomes = without_accidents(race(decide, decide, refund))
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [FlagDecided]
        kept = sum(
            reward.points - reward.taken_back_points for reward in Reward.objects.filter(referral=referral)
        )
        is_lost = turn % 4 < 2 or decision == Flag.Decision.ONE_PERSON
        assert kept == (0 if is_lost else 6 + 50)
        pending = PointsAccount.objects.get(pk=inviter.pk).pending_points
        assert pending == (0 if is_lost else 6)

    assert not Reward.objects.filter(is_held=True).exists()
    assert broken_promises() == set()


def test_a_flag_and_an_order_at_once(noon):
    for turn in range(ROUNDS // 2):
        inviter, friend = pair(turn)
        referral = invite(inviter, friend)
        without_accidents(
            race(
                sell(noon, friend, turn),
                lambda referral=referral: raise_flag(referral=referral, kind=Flag.Kind.CHAIN, at=NOON),
            )
        )

    # Whoever was first: what the order brought waits for the decision.
    assert set(Reward.objects.values_list("is_held", flat=True)) == {True}
    assert broken_promises() == set()
