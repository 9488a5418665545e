"""Points set aside for an unpaid order, taken off it again; and holds that ran out by themselves."""

from datetime import timedelta
from uuid import uuid4

import pytest

from orders.errors import ForeignOrder, OrderDiffers, WrongStatus
from orders.models import Order, OrderStep
from orders.services.orders import add_points, cancel_order, pay_order, remove_points
from tests.clock import AN_HOUR_LATER, NOON
from tests.loyalty.points import earn
from tests.orders.shop import balance_of

TOO_LATE = NOON + timedelta(hours=25)


def test_case_131_points_taken_off_an_order_can_be_spent_again(ada, placed):
    earn(ada, 100)
    order = placed(ada, 1_000, points=15)
    assert balance_of(ada).available_points == 85

    order = remove_points(order=order, member=ada, key=uuid4(), at=AN_HOUR_LATER)

    after = balance_of(ada, AN_HOUR_LATER)
    assert (after.available_points, after.held_points) == (100, 0)
    assert (order.held_points, order.status) == (0, Order.Status.NEW)
    assert [(step.kind, step.held_points) for step in order.steps.all()] == [
        ("placed", 15),
        ("points_removed", -15),
    ]
    assert pay_order(order=order, paid_at=AN_HOUR_LATER).spent_points == 0


def test_points_of_several_holds_are_taken_off_together(ada, placed):
    earn(ada, 1_000)
    order = placed(ada, 2_000, points=300)
    add_points(order=order, member=ada, points=200, key=uuid4(), at=NOON)

    remove_points(order=order, member=ada, key=uuid4(), at=AN_HOUR_LATER)

    assert balance_of(ada, AN_HOUR_LATER).available_points == 1_000


def test_points_are_taken_off_once_and_may_be_set_aside_anew(ada, placed):
    earn(ada, 500)
    order = placed(ada, 1_000, points=300)
    key = uuid4()
    remove_points(order=order, member=ada, key=key, at=NOON)
    add_points(order=order, member=ada, points=100, key=uuid4(), at=NOON)

    order = remove_points(order=order, member=ada, key=key, at=NOON)

    assert order.held_points == 100
    assert balance_of(ada).held_points == 100


def test_nothing_to_take_off_leaves_no_step(ada, placed):
    order = placed(ada, 1_000)

    remove_points(order=order, member=ada, key=uuid4(), at=NOON)

    assert [step.kind for step in order.steps.all()] == ["placed"]


def test_points_stay_on_anothers_order_and_on_a_paid_one(ada, ben, placed):
    earn(ada, 500)
    order = placed(ada, 1_000, points=300)
    with pytest.raises(ForeignOrder):
        remove_points(order=order, member=ben, key=uuid4(), at=NOON)
    pay_order(order=order, paid_at=NOON)

    with pytest.raises(WrongStatus):
        remove_points(order=order, member=ada, key=uuid4(), at=NOON)

    order.refresh_from_db()
    assert order.spent_points == 300


def test_a_key_of_another_step_is_refused(ada, placed):
    earn(ada, 500)
    order = placed(ada, 1_000)
    key = uuid4()
    add_points(order=order, member=ada, points=100, key=key, at=NOON)

    with pytest.raises(OrderDiffers):
        remove_points(order=order, member=ada, key=key, at=NOON)


@pytest.mark.parametrize("step", ["remove", "cancel"])
def test_points_whose_time_ran_out_are_no_obstacle(ada, placed, step):
    """The hold lapses the moment its time is over, whether or not a job has run."""
    earn(ada, 500)
    order = placed(ada, 1_000, points=300)

    if step == "remove":
        order = remove_points(order=order, member=ada, key=uuid4(), at=TOO_LATE)
    else:
        order = cancel_order(order=order, cancelled_at=TOO_LATE)

    assert order.held_points == 0
    assert balance_of(ada, TOO_LATE).available_points == 500
    assert OrderStep.objects.filter(order=order).last().held_points == -300
