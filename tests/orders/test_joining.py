"""Orders of people who are not members yet wait for them."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from procrastinate.contrib.django import app

from accounts.models import Member
from loyalty.models import Posting, Standing
from orders.models import Order
from orders.services.joining import credit_left_waiting, credit_waiting_orders, join_programme
from orders.services.orders import pay_order, refund_order
from tests.clock import NOON
from tests.factories import MemberFactory, UserFactory
from tests.loyalty.editions import publish_edition
from tests.orders.shop import balance_of

A_WEEK_LATER = NOON + timedelta(days=7)


def test_case_19_nobodys_order_is_credited_once_when_they_join(db, paid):
    order = paid(None, 1_000, customer_email="eve@example.com")
    assert Posting.objects.count() == 0

    eve = join_programme(
        user=UserFactory(email="eve@example.com"),
        verified_email="eve@example.com",
        joined_at=A_WEEK_LATER,
        language="en",
    )
    credit_waiting_orders(member=eve, at=A_WEEK_LATER)

    order.refresh_from_db()
    assert order.member == eve
    assert balance_of(eve, A_WEEK_LATER).available_points == 30
    assert Standing.objects.get(member=eve).paid_sum == 1_000
    assert Posting.objects.get().effective_at == A_WEEK_LATER


def test_an_unverified_contact_gets_nothing(db, paid, ada):
    paid(None, 1_000, customer_phone="+79990000001")
    Member.objects.filter(pk=ada.pk).update(phone="+79990000001", phone_verified_at=None)
    ada.refresh_from_db()

    assert credit_waiting_orders(member=ada, at=A_WEEK_LATER) == []

    Member.objects.filter(pk=ada.pk).update(phone_verified_at=NOON)
    ada.refresh_from_db()
    assert len(credit_waiting_orders(member=ada, at=A_WEEK_LATER)) == 1


def test_what_was_returned_before_joining_earns_nothing(db, paid):
    order = paid(None, 1_000, customer_email="eve@example.com")
    refund_order(order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(600))

    eve = join_programme(
        user=UserFactory(), verified_email="eve@example.com", joined_at=A_WEEK_LATER, language="ru"
    )

    assert balance_of(eve, A_WEEK_LATER).available_points == 12
    assert Standing.objects.get(member=eve).paid_sum == 400


def test_an_unpaid_order_that_waited_earns_when_it_is_paid(db, placed):
    order = placed(None, 1_000, customer_email="eve@example.com")
    eve = join_programme(
        user=UserFactory(), verified_email="eve@example.com", joined_at=A_WEEK_LATER, language="ru"
    )
    assert balance_of(eve, A_WEEK_LATER).available_points == 0

    assert pay_order(order=order, paid_at=A_WEEK_LATER).earned_points == 30
    assert Order.objects.get().member == eve


def test_an_order_with_a_members_verified_contact_is_theirs_at_once(db, paid, ada):
    Member.objects.filter(pk=ada.pk).update(email_verified_at=NOON)

    assert paid(None, 1_000, customer_email=ada.email).member == ada


def test_a_waiting_order_earns_by_the_edition_of_its_own_day(db, paid):
    paid(None, 1_000, customer_email="eve@example.com")
    publish_edition(("Everyone", 0, "0.5"), effective_at=NOON + timedelta(days=1))

    eve = join_programme(
        user=UserFactory(), verified_email="eve@example.com", joined_at=A_WEEK_LATER, language="ru"
    )

    assert balance_of(eve, A_WEEK_LATER).available_points == 30


def test_an_order_sent_while_its_contact_was_verified_is_credited_a_little_later(db, paid, placed, ada, ben):
    """It found no member yet, and the member found no such order yet: neither saw the other."""
    Member.objects.filter(pk__in=(ada.pk, ben.pk)).update(email_verified_at=None)
    order = paid(None, 1_000, customer_email=ada.email)
    unpaid = placed(None, 500, customer_email=ada.email)
    nobodys = paid(None, 1_000, customer_email=ben.email)
    Member.objects.filter(pk=ada.pk).update(email_verified_at=NOON)

    assert credit_left_waiting(at=A_WEEK_LATER) == 2
    assert credit_left_waiting(at=A_WEEK_LATER) == 0

    for own in (order, unpaid):
        own.refresh_from_db()
        assert own.member == ada
    nobodys.refresh_from_db()
    assert nobodys.member is None
    assert balance_of(ada, A_WEEK_LATER).available_points == 30


def test_a_live_order_is_not_left_for_a_member_of_the_sandbox(db, shop, paid):
    MemberFactory(email="eve@example.com", email_verified_at=NOON, is_sandbox=True)
    order = paid(None, 1_000, customer_email="eve@example.com")

    assert credit_left_waiting(at=A_WEEK_LATER) == 0
    order.refresh_from_db()
    assert order.member is None


def test_the_worker_looks_for_them():
    times = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert times["orders.jobs.credit_orders_left_waiting"] == "*/10 * * * *"
