"""Lists that a shop reads on from: whole, in order, nothing missed, with a fixed number of queries."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orders.models import Order, Source
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.orders.api.calls import sale
from tests.orders.api.shops import Shop

# What began less than this ago is not listed yet; see orders/queries/changes.py.
SETTLED_SECONDS = 0.25


def settle() -> None:
    """Let what was just written become old enough to be listed."""
    time.sleep(SETTLED_SECONDS)


def read_on(shop: Shop, path: str, **parameters: object) -> Iterator[dict[str, Any]]:
    """The pages from there on, until one says that it is the last."""
    while True:
        page = shop.get(path, **parameters).json()
        yield page
        if not page["has_more"]:
            return
        parameters["cursor"] = page["cursor"]


def numbers(shop: Shop, **parameters: object) -> list[str]:
    """The numbers of all orders that the feed tells, page by page."""
    return [order["number"] for page in read_on(shop, "/orders", **parameters) for order in page["orders"]]


def sell_many(shop: Shop, count: int, **fields: object) -> None:
    """That many orders in one request."""
    first = Order.objects.count()
    orders = [sale(f"B-{turn}", **fields) for turn in range(first, first + count)]
    assert shop.write("/order-batches", {"orders": orders}).json()["registered_count"] == count


@pytest.mark.django_db(transaction=True)
class TestOrders:
    def test_pages_joined_are_everything_once(self, noon, dusk, ada):
        sell_many(noon, 23, member=ada.number)
        dusk.place("D-1", None, "100")
        for turn in range(3):
            noon.place(f"A-{turn}", None, "100")
        settle()
        for limit in (1, 5, 26, 200):
            assert sorted(numbers(noon, limit=limit)) == sorted(
                [*(f"B-{turn}" for turn in range(23)), "A-0", "A-1", "A-2"]
            )
        assert [len(page["orders"]) for page in read_on(noon, "/orders", limit=10)] == [10, 10, 6]

    def test_a_reader_who_goes_on_meets_what_changed_and_nothing_else(self, noon):
        for turn in range(4):
            noon.place(f"A-{turn}", None, "100")
        settle()
        page = noon.get("/orders").json()
        assert page["has_more"] is False
        assert noon.get("/orders", cursor=page["cursor"]).json() == {**page, "orders": []}
        noon.step("A-1", "pay")
        noon.place("A-9", None, "100")
        settle()
        assert numbers(noon, cursor=page["cursor"]) == ["A-1", "A-9"]
        assert numbers(noon) == ["A-0", "A-2", "A-3", "A-1", "A-9"]

    def test_pages_stay_whole_while_orders_change(self, noon):
        for turn in range(6):
            noon.place(f"A-{turn}", None, "100")
        settle()
        first = noon.get("/orders", limit=3).json()
        assert [order["number"] for order in first["orders"]] == ["A-0", "A-1", "A-2"]
        noon.step("A-0", "pay")
        noon.step("A-4", "pay")
        settle()
        assert numbers(noon, cursor=first["cursor"], limit=3) == ["A-3", "A-5", "A-0", "A-4"]

    def test_changed_since_is_after_that_moment(self, noon):
        noon.place("A-1", None, "100")
        changed_at = noon.place("A-2", None, "100")["changed_at"]
        noon.place("A-3", None, "100")
        settle()
        assert numbers(noon, changed_since=changed_at) == ["A-3"]
        assert numbers(noon, changed_since="2000-01-01T00:00:00Z") == ["A-1", "A-2", "A-3"]
        assert numbers(noon, changed_since="2100-01-01T00:00:00Z") == []
        page = noon.get("/orders", changed_since="2100-01-01T00:00:00Z").json()
        assert noon.get("/orders", cursor=page["cursor"]).json()["orders"] == []

    def test_a_slow_change_that_is_committed_later_is_not_missed(self, noon):
        for number in ("A-slow", "A-quick"):
            noon.place(number, None, "100")
        settle()
        cursor = noon.get("/orders").json()["cursor"]
        with slowly_changing(noon.source, "A-slow"):
            noon.step("A-quick", "pay")
            settle()
            # The quick one is held back: whoever read it now would never go back for the slow one.
            held_back = noon.get("/orders", cursor=cursor).json()
            assert (held_back["orders"], held_back["cursor"]) == ([], cursor)
        settle()
        assert numbers(noon, cursor=cursor) == ["A-slow", "A-quick"]

    def test_readers_beside_writers_meet_every_change(self, noon):
        """Two write for a while, quickly and slowly; a reader goes on from page to page beside them."""
        done = Event()
        met: list[str] = []

        def read() -> None:
            cursor: dict[str, object] = {}
            try:
                while True:
                    was_done = done.is_set()
                    page = noon.get("/orders", limit=3, **cursor).json()
                    met.extend(order["number"] for order in page["orders"])
                    cursor = {"cursor": page["cursor"]}
                    if was_done and not page["orders"]:
                        return
            finally:
                connection.close()

        reader = Thread(target=read)
        reader.start()
        for turn in range(15):
            with transaction.atomic():
                noon_order(noon.source, f"S-{turn}")
                quick = Thread(
                    target=in_a_thread, args=(lambda turn=turn: noon_order(noon.source, f"Q-{turn}"),)
                )
                quick.start()
                quick.join()
                time.sleep(0.02)
        settle()
        done.set()
        reader.join(timeout=30)
        assert sorted(met) == sorted(f"{letter}-{turn}" for letter in "SQ" for turn in range(15))

    def test_as_many_queries_for_thirty_orders_as_for_one(self, noon, ada):
        fields = {"member": ada.number, "outlet": "Арбат"}
        sell_many(noon, 1, **fields)
        settle()
        for_one = count_queries(lambda: noon.get("/orders"))
        sell_many(noon, 29, **fields)
        settle()
        assert len(noon.get("/orders").json()["orders"]) == 30
        assert count_queries(lambda: noon.get("/orders")) == for_one <= 4


@pytest.mark.django_db
class TestOperations:
    def test_pages_joined_are_everything_once(self, at_noon, noon, ada):
        for _turn in range(11):
            earn(ada, 10)
        path = f"/members/{ada.number}/operations"
        for limit in (1, 4, 11, 200):
            found = [one for page in read_on(noon, path, limit=limit) for one in page["operations"]]
            assert [one["available_after_points"] for one in found] == list(range(10, 120, 10))
            assert len({one["number"] for one in found}) == 11

    def test_a_reader_who_goes_on_meets_what_is_new(self, at_noon, noon, ada, ben):
        path = f"/members/{ada.number}/operations"
        empty = noon.get(path).json()
        assert empty["operations"] == []
        assert not empty["has_more"]
        earn(ada, 10)
        earn(ben, 10)
        page = noon.get(path, cursor=empty["cursor"]).json()
        assert [one["available_points"] for one in page["operations"]] == [10]
        earn(ada, 20)
        page = noon.get(path, cursor=page["cursor"]).json()
        assert [one["available_points"] for one in page["operations"]] == [20]
        assert noon.get(path, cursor=page["cursor"]).json()["operations"] == []

    def test_as_many_queries_for_thirty_operations_as_for_one(self, at_noon, noon, ada):
        path = f"/members/{ada.number}/operations"
        earn(ada, 10)
        for_one = count_queries(lambda: noon.get(path))
        for _turn in range(29):
            earn(ada, 10)
        assert len(noon.get(path).json()["operations"]) == 30
        assert count_queries(lambda: noon.get(path)) == for_one <= 3

    def test_as_many_queries_for_a_balance_of_thirty_lots(self, at_noon, noon, ada):
        noon.sell("A-first", ada, "1000")
        for_one = count_queries(lambda: noon.balance(ada))
        for turn in range(29):
            noon.place(f"A-{turn}", ada, "100", points=1) if turn % 2 else earn(ada, 10)
        assert count_queries(lambda: noon.balance(ada)) == for_one


@pytest.mark.django_db(transaction=True)
def test_operations_since_a_moment_are_those_recorded_after_it(noon, ada):
    path = f"/members/{ada.number}/operations"
    for points in (10, 20, 30):
        earn(ada, points)
        time.sleep(0.01)
    found = noon.get(path).json()["operations"]
    later = noon.get(path, changed_since=found[0]["recorded_at"]).json()["operations"]
    assert later == found[1:]
    assert noon.get(path, changed_since=found[-1]["recorded_at"]).json()["operations"] == []


@pytest.mark.django_db
class TestLines:
    """An order with thirty lines costs no more queries than one with a single line."""

    @staticmethod
    def basket(count: int) -> dict[str, Any]:
        lines = [{"name": f"Чай {turn}", "line_sum": "100.00", "category": "tea"} for turn in range(count)]
        return {"total_sum": f"{count * 100}.00", "lines": lines}

    def test_quoted_placed_read_and_refunded(self, at_noon, noon, ada):
        def queries(count: int) -> list[int]:
            number, basket = f"A-{count}", {"member": ada.number, **self.basket(count)}
            counts = [
                count_queries(lambda: noon.ask("/quotes", **basket)),
                count_queries(lambda: noon.write("/orders", {"number": number, **basket})),
                count_queries(lambda: noon.get(f"/orders/{number}")),
            ]
            noon.step(number, "pay")
            counts.append(count_queries(lambda: noon.step(number, "refund", is_whole=True)))
            assert len(noon.get(f"/orders/{number}").json()["lines"]) == count
            return counts

        queries(2)
        assert queries(30) == queries(1)

    def test_sums_of_a_day(self, at_noon, noon):
        noon.sell("A-0", None, "100")
        for_one = count_queries(lambda: noon.get("/sums", day="2026-03-10"))
        for turn in range(1, 30):
            noon.sell(f"A-{turn}", None, "100")
        assert noon.get("/sums", day="2026-03-10").json()["paid_count"] == 30
        assert count_queries(lambda: noon.get("/sums", day="2026-03-10")) == for_one

    def test_known_orders_of_a_batch(self, at_noon, noon):
        def queries(count: int) -> int:
            orders = [sale(f"K-{turn}", member=MemberFactory().number) for turn in range(count)]
            noon.write("/order-batches", {"orders": orders})
            return count_queries(lambda: noon.write("/order-batches", {"orders": orders}))

        queries(2)
        assert queries(30) == queries(1)


def count_queries(act: Callable[[], object]) -> int:
    """How many queries it takes."""
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def noon_order(source: Source, number: str) -> None:
    """A row that is stamped with the beginning of its transaction."""
    Order.objects.create(source=source, number=number, total_sum=1, placed_at="2026-03-10T12:00:00Z")


def in_a_thread(act: Callable[[], None]) -> None:
    """Do it over a connection of the thread's own."""
    try:
        act()
    finally:
        connection.close()


@contextmanager
def slowly_changing(source: Source, number: str) -> Iterator[None]:
    """Somebody has begun to change that order, and commits only afterwards."""
    has_begun, may_end = Event(), Event()

    def change() -> None:
        with transaction.atomic():
            Order.objects.filter(source=source, number=number).update(customer_email="slow@example.com")
            has_begun.set()
            may_end.wait(timeout=30)

    slow = Thread(target=in_a_thread, args=(change,))
    slow.start()
    has_begun.wait(timeout=30)
    try:
        yield
    finally:
        may_end.set()
        slow.join(timeout=30)
