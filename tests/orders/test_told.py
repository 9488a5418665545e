"""What members are told of their orders: once for each step, with all that it did."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core import mail
from django.db import transaction

from accounts.models import Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.models import TierChange
from orders.services.orders import add_points, cancel_order, pay_order, refund_order
from tests.clock import AN_HOUR_LATER, NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn

POINTS = ("points", "spent_points", "given_back_points", "taken_back_points")


@pytest.fixture(autouse=True)
def edition(db):
    return publish_edition(("Bronze", 0, "0.10"), ("Silver", 10_000, "0.20"), redemption_cap_rate=1)


def told(member):
    """Each message's kind, its points, and its tier if it speaks of one."""
    return [
        (
            message.kind,
            {name: message.facts[name] for name in POINTS if name in message.facts},
            message.facts.get("tier"),
        )
        for message in Message.objects.filter(member=member).order_by("pk")
    ]


def test_order_that_earns_is_told_once_with_the_tier_it_brings(ada, paid):
    paid(ada, 12_000)

    assert told(ada) == [("points_earned", {"points": 2_400, "spent_points": 0}, "Silver")]
    message = Message.objects.get()
    assert message.wants_letter
    assert (message.facts["is_higher"], message.facts["why"]) == (True, TierChange.Cause.ORDER)


def test_order_that_is_paid_with_points_says_so_beside_what_it_earns(ada, paid):
    earn(ada, 400)
    paid(ada, 1_000, points=400)

    assert told(ada) == [("points_earned", {"points": 60, "spent_points": 400}, None)]


def test_order_that_is_paid_with_points_alone_says_what_was_spent(ada, placed):
    earn(ada, 400)
    order = placed(ada, 400)
    add_points(order=order, member=ada, points=400, key=uuid4(), at=NOON)
    assert told(ada) == []

    pay_order(order=order, paid_at=NOON)
    pay_order(order=order, paid_at=NOON)

    assert told(ada) == [("points_spent", {"points": 400}, None)]


def test_return_is_told_once_with_points_both_ways_and_the_tier(ada, paid):
    earn(ada, 1_000)
    order = paid(ada, 12_000, points=1_000)
    Message.objects.all().delete()

    key = uuid4()
    for _time in range(2):
        refund_order(order=order, key=key, refunded_at=AN_HOUR_LATER, is_whole=True)

    (message,) = Message.objects.all()
    assert message.kind == "points_returned"
    assert (message.facts["given_back_points"], message.facts["taken_back_points"]) == (1_000, 2_200)
    assert message.facts["tier"] == "Bronze"
    assert (message.facts["why"], message.facts["missing_sum"]) == ("return", "10000.00")


def test_return_in_parts_tells_of_each(ada, paid):
    order = paid(ada, 1_000)
    Message.objects.all().delete()

    for part, goods_sum in enumerate((300, 700)):
        refund_order(
            order=order, key=uuid4(), refunded_at=NOON + timedelta(hours=part), goods_sum=Decimal(goods_sum)
        )

    assert [points["taken_back_points"] for _kind, points, _tier in told(ada)] == [30, 70]


def test_cancelled_order_that_was_never_paid_is_no_news(ada, placed):
    earn(ada, 400)
    order = placed(ada, 400, points=400)

    cancel_order(order=order, cancelled_at=NOON)

    assert told(ada) == []


def test_order_that_moves_no_points_but_the_tier_is_told_as_before(ada, paid):
    publish_edition(("Bronze", 0, "0"), ("Silver", 10_000, "0"), effective_at=NOON)

    paid(ada, 12_000, at=AN_HOUR_LATER)

    assert told(ada) == [("tier_changed", {}, "Silver")]


def test_letter_says_the_balance_of_when_it_leaves(ada, paid):
    paid(ada, 1_000)
    earn(ada, 11)

    send_waiting_letters(at=AN_HOUR_LATER)

    (letter,) = mail.outbox
    assert "111\u00a0" in letter.body


def test_what_is_undone_tells_nothing(ada, paid):
    """A message is written with the points, or neither is."""
    with transaction.atomic():
        paid(ada, 1_000)
        assert len(told(ada)) == 1
        transaction.set_rollback(True)

    assert told(ada) == []
