"""A thousand orders in one request, each with an outcome of its own."""

from collections import Counter

import pytest

from orders.models import Order, OrderStep
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.orders.api.calls import NO_MEMBER, sale
from tests.orders.api.shops import assert_refused

pytestmark = pytest.mark.django_db

MOST_ORDERS = 1_000


def test_a_thousand_orders_of_every_kind_have_outcomes_in_their_order(at_noon, noon):
    members = [MemberFactory() for _ in range(20)]
    for turn in range(50):
        noon.write("/order-batches", {"orders": [sale(f"K-{turn}")]})
    orders, expected = [], []
    for turn in range(MOST_ORDERS):
        member = members[turn % len(members)].number
        order, outcome = [
            (sale(f"N-{turn}", member=member, outlet=f"Лавка {turn % 3}"), "registered"),
            (sale(f"N-{turn}", email=f"nobody{turn}@example.com"), "registered"),
            (sale(f"N-{turn}", lines=[{"name": "Чай", "line_sum": "100"}], member=member), "registered"),
            (sale(f"K-{turn % 50}"), "known"),
            (sale(f"K-{turn % 50}", total_sum="100.01"), "order_differs"),
            (sale(f"R-{turn}", member=NO_MEMBER), "unknown_member"),
            (sale(f"R-{turn}", points=1), "not_a_member"),
            (sale(f"R-{turn}", lines=[{"name": "Чай", "line_sum": "99"}]), "lines_do_not_add_up"),
            (sale(f"R-{turn}", paid_at="2026-03-10T13:00:00+03:00"), "moment_in_future"),
            (sale(f"R-{turn}", total_sum=100), "invalid_request"),
        ][turn % 10]
        orders.append(order)
        expected.append((order["number"], outcome))
    answer = noon.write("/order-batches", {"orders": orders}, once="one")
    body = answer.json()
    assert answer.status_code == 200
    assert [
        (outcome["number"], outcome["problem"]["code"] if outcome["problem"] else outcome["outcome"])
        for outcome in body["outcomes"]
    ] == expected
    assert (body["registered_count"], body["known_count"], body["refused_count"]) == (300, 100, 600)
    assert Order.objects.count() == 350
    assert {order["number"] for order in orders if order["number"].startswith("R-")}.isdisjoint(
        Order.objects.values_list("number", flat=True)
    )
    # Of nobody's orders nobody earns; 100.00 at 3 % is 3 points.
    earned = Counter(
        (outcome["member"] is not None, outcome["earned_points"])
        for outcome in body["outcomes"]
        if outcome["outcome"] == "registered"
    )
    assert earned == {(True, 3): 200, (False, 0): 100}
    assert sum(noon.balance(member)["available_points"] for member in members) == 600

    steps = OrderStep.objects.count()
    again = noon.write("/order-batches", {"orders": orders}, once="one")
    assert again.content == answer.content
    assert again["Idempotency-Replayed"] == "true"
    assert OrderStep.objects.count() == steps


def test_sent_again_under_another_key_all_of_it_is_known(at_noon, noon, ada):
    orders = [sale(f"B-{turn}", member=ada.number) for turn in range(5)]
    first = noon.write("/order-batches", {"orders": orders}).json()
    again = noon.write("/order-batches", {"orders": orders}).json()
    assert (again["registered_count"], again["known_count"]) == (0, 5)
    for before, now in zip(first["outcomes"], again["outcomes"], strict=True):
        assert now == {**before, "outcome": "known"}
    assert noon.balance(ada)["available_points"] == 15


def test_orders_count_by_the_time_of_payment_and_answer_as_sent(at_noon, noon, ada):
    """The points of the earlier order pay for the later one, which is sent first."""
    later = sale("B-2", member=ada.number, points=60, paid_at="2026-03-09T12:00:00+03:00")
    earlier = sale("B-1", member=ada.number, total_sum="2000", paid_at="2026-03-08T12:00:00+03:00")
    outcomes = noon.write("/order-batches", {"orders": [later, earlier]}).json()["outcomes"]
    assert [(outcome["number"], outcome["spent_points"]) for outcome in outcomes] == [("B-2", 60), ("B-1", 0)]


def test_one_number_twice_in_a_batch_is_one_order(at_noon, noon, ada):
    orders = [sale("B-1", member=ada.number)] * 2 + [sale("B-1", total_sum="5")]
    outcomes = noon.write("/order-batches", {"orders": orders}).json()["outcomes"]
    assert sorted(outcome["outcome"] for outcome in outcomes) == ["known", "refused", "registered"]
    assert noon.balance(ada)["available_points"] == 3


def test_an_order_of_a_batch_is_like_any_other(at_noon, noon, ada):
    earn(ada, 100)
    order = sale("B-1", member=ada.number, total_sum="1000", points=100, outlet="Арбат")
    noon.write("/order-batches", {"orders": [order]})
    found = noon.get("/orders/B-1").json()
    assert (found["status"], found["spent_points"], found["outlet"]) == ("paid", 100, "Арбат")
    assert [step["kind"] for step in found["steps"]] == ["placed", "paid"]
    # The same order, placed as usual, is known.
    again = {name: value for name, value in order.items() if name != "paid_at"}
    assert noon.write("/orders", again).status_code == 200


@pytest.mark.parametrize("count", [0, MOST_ORDERS + 1])
def test_none_and_too_many_are_refused(count, noon):
    answer = noon.write("/order-batches", {"orders": [sale("B-1")] * count})
    assert_refused(answer, 422, "invalid_request", "orders")
    assert not Order.objects.exists()
