"""The same step many times at once, and steps against each other: with real connections."""

from decimal import Decimal
from itertools import count
from threading import Thread
from time import monotonic, sleep
from uuid import uuid4

import pytest
from django.db import connection, transaction

from loyalty.errors import NotEnoughPoints
from loyalty.models import Entry, PointsAccount, Posting
from loyalty.services import ledger
from orders.errors import WrongStatus
from orders.models import Order, OrderStep, Source
from orders.services.orders import cancel_order, pay_order, place_order, refund_order, register_paid_order
from referrals.models import How
from referrals.services import attach_inviter
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.loyalty.races import race
from tests.orders.shop import balance_of

ROUNDS = 50
NUMBERS = count(1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def noon() -> Source:
    return Source.objects.create(code="noon", name="Полдень")


def new_order(source: Source, member, points: int = 0) -> Order:
    return place_order(
        source=source,
        number=str(next(NUMBERS)),
        member=member,
        total_sum=Decimal(1_000),
        placed_at=NOON,
        points=points,
    )


def test_a_payment_sent_twenty_times_is_one(noon):
    for _ in range(ROUNDS):
        member = MemberFactory()
        order = new_order(noon, member)
        race(*[lambda order=order: pay_order(order=order, paid_at=NOON)] * 20)
        assert balance_of(member).available_points == 30
    assert OrderStep.objects.filter(kind=OrderStep.Kind.PAID).count() == ROUNDS


def test_a_refund_against_a_payment_ends_paid_or_refunded_whole(noon):
    for _ in range(ROUNDS):
        member = MemberFactory()
        order = new_order(noon, member)
        answers = race(
            lambda order=order: pay_order(order=order, paid_at=NOON),
            lambda order=order: refund_order(
                order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(1_000)
            ),
        )
        refused = any(isinstance(answer, WrongStatus) for answer in answers)
        assert balance_of(member).available_points == (30 if refused else 0)


def test_two_refunds_of_everything_return_it_once(noon):
    member = MemberFactory()
    earn(member, 10_000)
    for _ in range(ROUNDS):
        order = pay_order(order=new_order(noon, member, points=100), paid_at=NOON)
        answers = race(
            *[
                lambda order=order: refund_order(
                    order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(1_000)
                )
            ]
            * 2,
            lambda order=order: cancel_order(order=order, cancelled_at=NOON),
        )
        assert any(isinstance(answer, Order) for answer in answers)
        assert balance_of(member).available_points == 10_000


def test_orders_placed_at_once_do_not_hold_more_than_there_is(noon):
    for _ in range(ROUNDS):
        member = MemberFactory()
        earn(member, 100)
        answers = race(*[lambda member=member: new_order(noon, member, points=100)] * 4)
        assert sum(isinstance(answer, Order) for answer in answers) == 1
        assert sum(isinstance(answer, NotEnoughPoints) for answer in answers) == 3
        assert balance_of(member).held_points == 100


def test_nobodys_order_sent_many_times_at_once_is_one(noon):
    for number in range(ROUNDS):
        answers = race(
            *[
                lambda number=number: place_order(
                    source=noon,
                    number=f"N-{number}",
                    total_sum=Decimal(100),
                    placed_at=NOON,
                    customer_email="eve@example.com",
                )
            ]
            * 6
        )
        assert len({answer.pk for answer in answers}) == 1


def test_a_failure_in_the_middle_of_a_payment_leaves_no_row(noon, monkeypatch):
    member = MemberFactory()
    earn(member, 100)
    order = new_order(noon, member, points=50)
    rows = (Posting.objects.count(), Entry.objects.count())
    monkeypatch.setattr("orders.services.orders.steps.keep_step", _break)

    with pytest.raises(ZeroDivisionError):
        pay_order(order=order, paid_at=NOON)

    order.refresh_from_db()
    assert order.status == Order.Status.NEW
    assert (Posting.objects.count(), Entry.objects.count()) == rows


def _break(*arguments: object, **named: object) -> None:
    raise ZeroDivisionError


def test_an_invited_members_order_waits_for_the_inviter_before_it_locks_anything(noon):
    """Accounts are locked in ascending id, or a step of both members would wait for it in a circle."""
    inviter, friend = MemberFactory(), MemberFactory()
    for member in (inviter, friend):
        earn(member, 100)
    attach_inviter(invited=friend, inviter=inviter, since_at=NOON, how=How.LINK)
    assert inviter.pk < friend.pk

    def sell() -> None:
        try:
            register_paid_order(
                source=noon, number="1", member=friend, total_sum=Decimal(1_000), paid_at=NOON
            )
        finally:
            connection.close()

    seller = Thread(target=sell)
    with transaction.atomic():
        ledger.lock_accounts(inviter.pk)
        seller.start()
        wait_until_somebody_waits_for_a_lock()
        # Refused at once if the order had locked its own member first.
        PointsAccount.objects.select_for_update(nowait=True).get(pk=friend.pk)
    seller.join(timeout=30)
    assert balance_of(inviter).available_points > 100


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = monotonic() + 10
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("select pg_stat_clear_snapshot()")
            cursor.execute(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        sleep(0.02)
    raise AssertionError("nobody waits")
