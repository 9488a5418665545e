"""What comes too late, too early, twice, or from a browser that thinks up keys."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
import time_machine
from django.db import transaction

from loyalty.services.ledger import event_key
from orders.models import Order, Outlet
from orders.services.joining import credit_waiting_orders
from tests.clock import NOON
from tests.loyalty.points import earn
from tests.orders.api.shops import address

pytestmark = pytest.mark.django_db
PAID_AT = "2026-03-01T12:00:00+03:00"


def sale(member, **more: object) -> dict[str, object]:
    """An order that is sent as paid."""
    return {"number": "A-1", "member": member.number, "total_sum": "1000.00", "paid_at": PAID_AT, **more}


# Keys of the cabinet's forms


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("A-1", "cancelled", 1), "/orders/A-1/cancel"),
        (("A-2", "paid", 1), "/orders/A-2/pay"),
    ],
)
def test_a_member_cannot_take_the_key_of_a_shops_step(at_noon, noon, ada, ben, client_of, parts, path):
    earn(ada, 500)
    noon.place("A-1", ada, "1000.00")
    noon.place("A-2", ben, "1000.00")
    own = Order.objects.get(number="A-1")
    planted = event_key("order", noon.source.pk, *parts)

    client_of(ada).post(f"/orders/{own.pk}/points/", {"points": 1, "key": str(planted)})
    noon.step("A-1", "pay")

    own.refresh_from_db()
    assert own.spent_points == 1
    assert noon.write(path, {}).status_code == 200


def test_a_member_cannot_take_the_number_of_a_shops_next_order(at_noon, noon, ada, client_of):
    earn(ada, 500)
    noon.place("A-1", ada, "1000.00")
    own = Order.objects.get(number="A-1")
    planted = event_key("order", noon.source.code, "A-3", "placed")

    client_of(ada).post(f"/orders/{own.pk}/points/", {"points": 1, "key": str(planted)})

    assert noon.write("/orders", {"number": "A-3", "total_sum": "10.00"}).status_code == 201


# A sale that is sent again


@pytest.mark.parametrize("end", ["cancel", "refund"])
def test_a_known_sale_sent_again_stays_as_it_has_become(at_noon, noon, ada, end):
    earn(ada, 500, at=NOON - timedelta(days=60))
    noon.write("/order-batches", {"orders": [sale(ada, points=300)]})
    noon.step("A-1", end, **({"is_whole": True} if end == "refund" else {}))
    before = noon.get("/orders/A-1").json()
    assert noon.balance(ada)["available_points"] == 500

    again = noon.write("/order-batches", {"orders": [sale(ada, points=300)]}).json()
    alone = noon.write("/orders", sale(ada, points=300))

    assert again["outcomes"][0]["outcome"] == "known"
    assert alone.status_code == 200
    assert noon.get("/orders/A-1").json() == before
    assert noon.balance(ada)["available_points"] == 500


def test_a_cancelled_order_is_paid_anew_when_the_shop_says_so(at_noon, noon, ada):
    noon.write("/orders", sale(ada))
    noon.step("A-1", "cancel")

    assert noon.step("A-1", "pay")["status"] == "paid"
    assert noon.balance(ada)["available_points"] == 30


# Moments


def test_a_return_from_before_the_payment_is_refused(noon, ada):
    with time_machine.travel(NOON, tick=False):
        earn(ada, 500, until=(NOON + timedelta(days=5)).date())
        noon.sell("A-1", ada, "1000.00", points=300)
    with time_machine.travel(NOON + timedelta(days=20), tick=False):
        for path, moment in (("refund", "refunded_at"), ("cancel", "cancelled_at")):
            fields = {moment: "2026-03-09T12:00:00+03:00", **({"is_whole": True} if path == "refund" else {})}
            refused = noon.write(f"/orders/A-1/{path}", fields)
            assert (refused.status_code, refused.json()["code"]) == (422, "step_too_early")
            assert refused.json()["field"] == moment

        noon.step("A-1", "refund", is_whole=True)
        # What they had paid with comes back for thirty days more.
        assert noon.balance(ada)["available_points"] == 300


def test_a_clock_that_is_a_little_slow_does_not_hinder_a_return(at_noon, noon, ada):
    noon.sell("A-1", ada, "1000.00")
    almost = (NOON - timedelta(minutes=2)).isoformat()

    assert noon.step("A-1", "refund", is_whole=True, refunded_at=almost)["status"] == "refunded"


def test_points_of_an_order_that_is_sent_late_are_set_aside_from_now_on(at_noon, noon, ada):
    earn(ada, 500, at=NOON - timedelta(days=9))

    placed = noon.place("A-1", ada, "1000.00", points=300, placed_at="2026-03-08T12:00:00+03:00")

    assert placed["placed_at"] == "2026-03-08T12:00:00+03:00"
    assert placed["held_points"] == noon.balance(ada)["held_points"] == 300
    assert noon.step("A-1", "pay")["spent_points"] == 300


# Points that were set aside behind the shop's back


def test_a_shop_that_says_what_it_took_is_told_when_the_points_have_changed(at_noon, noon, ada, client_of):
    earn(ada, 500)
    to_pay = noon.place("A-1", ada, "1000.00")["to_pay_sum"]
    order = Order.objects.get(number="A-1")
    client_of(ada).post(f"/orders/{order.pk}/points/", {"points": 300, "key": str(uuid4())})

    refused = noon.write("/orders/A-1/pay", {"money_sum": to_pay})

    assert (refused.status_code, refused.json()["code"]) == (409, "money_differs")
    assert noon.balance(ada)["held_points"] == 300
    assert noon.step("A-1", "pay", money_sum="700.00")["spent_points"] == 300


# Outlets, counters, locks


def test_orders_that_are_refused_leave_no_outlet_behind(at_noon, noon):
    bad = [
        {
            "number": f"B-{n}",
            "total_sum": "1.00",
            "delivery_sum": "2.00",
            "outlet": f"Shop {n}",
            "paid_at": PAID_AT,
        }
        for n in range(5)
    ]
    assert noon.write("/order-batches", {"orders": bad}).json()["refused_count"] == 5
    assert not Outlet.objects.exists()


def test_an_order_may_be_paid_and_cancelled_very_often(at_noon, noon, ada):
    noon.sell("A-1", ada, "1000.00")
    noon.step("A-1", "cancel")
    Order.objects.update(payments_count=32_767)

    assert noon.step("A-1", "pay")["status"] == "paid"


@pytest.mark.django_db(transaction=True)
def test_whoever_joins_does_not_hold_up_the_orders_of_the_shop(noon, ada):
    ada.email_verified_at = None
    ada.save()
    noon.place("W-1", None, "100.00", email=ada.email)
    ada.email_verified_at = NOON
    ada.save()

    with psycopg.connect(**address()) as other, transaction.atomic():
        assert len(credit_waiting_orders(member=ada, at=NOON)) == 1
        # What the foreign key of a new order asks for.
        other.execute("select from orders_source where id = %s for key share nowait", (noon.source.pk,))
