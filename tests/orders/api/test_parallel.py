"""The same at the same moment, and what breaks off in the middle: over real sockets, one effect each."""

import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.db import connection

from accounts.models import AuditRecord, Member
from loyalty.models import Posting, TransferIntent
from loyalty.queries.audit import every_check, findings
from loyalty.services import retry
from orders.models import ApiRequest, Order, OrderStep
from tests.loyalty.points import balance, earn, execute, fetch
from tests.orders.api.calls import sale
from tests.orders.api.giving import check, give, other_than, send_code, wanted
from tests.orders.api.shops import API, Shop, address

TIMES = 20
LONGEST_SECONDS = 60

pytestmark = pytest.mark.django_db(transaction=True)


class Wire:
    """A shop that reaches the API over a socket."""

    def __init__(self, shop: Shop, url: str) -> None:
        self.shop = shop
        self.url = url + API
        self.host = urlsplit(url)

    def write(self, path: str, fields: object = None, *, once: str | None = None) -> httpx.Response:
        """Do something, under a new key unless one is given."""
        return httpx.post(
            self.url + path,
            json={} if fields is None else fields,
            headers={"Authorization": f"Bearer {self.shop.key}", "Idempotency-Key": once or str(uuid4())},
            timeout=LONGEST_SECONDS,
        )

    def at_once(self, *writes: Callable[[], httpx.Response]) -> list[httpx.Response]:
        """The answers to writes that start at the same moment; none is a mistake of ours."""
        start = Barrier(len(writes))

        def run(write: Callable[[], httpx.Response]) -> httpx.Response:
            start.wait()
            return write()

        with ThreadPoolExecutor(len(writes)) as pool:
            answers = list(pool.map(run, writes))
        assert max(answer.status_code for answer in answers) < 500
        return answers

    def send_and_die(self, path: str, fields: object, *, once: str, share: float = 1.0) -> None:
        """Send that share of the body of a write, and be gone before there is an answer."""
        body = json.dumps(fields).encode()
        head = (
            f"POST {API}{path} HTTP/1.1\r\nHost: {self.host.netloc}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.shop.key}\r\nIdempotency-Key: {once}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((self.host.hostname, self.host.port), timeout=LONGEST_SECONDS) as wire:
            wire.sendall(head.encode() + body[: int(len(body) * share)])


@pytest.fixture
def wire(noon, live_server) -> Wire:
    """The shop over a socket, and an honest ledger at the end."""
    return Wire(noon, live_server.url)


@pytest.fixture(autouse=True)
def honest_ledger(db) -> Iterator[None]:
    """Whatever happened, the audit finds nothing."""
    yield
    assert {finding.check.name for finding in findings(every_check()) if finding.found_count} == set()


def steps_of(number: str) -> Counter[str]:
    """How many steps of each kind an order has made."""
    return Counter(OrderStep.objects.filter(order__number=number).values_list("kind", flat=True))


def test_twenty_payments_are_one(wire, ada):
    wire.shop.place("A-1", ada, "1000")
    answers = wire.at_once(*[lambda: wire.write("/orders/A-1/pay")] * TIMES)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["earned_points"] for answer in answers} == {30}
    assert steps_of("A-1") == {"placed": 1, "paid": 1}
    assert balance(ada).available == 30


def test_twenty_refunds_under_one_key_are_one(wire, ada):
    wire.shop.sell("A-1", ada, "1000")
    answers = wire.at_once(
        *[lambda: wire.write("/orders/A-1/refund", {"goods_sum": "100"}, once="one")] * TIMES
    )
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert steps_of("A-1")["refunded"] == 1
    assert balance(ada).available == 27


def test_of_twenty_refunds_of_the_whole_under_different_keys_one_is_made(wire, ada):
    wire.shop.sell("A-1", ada, "1000")
    answers = wire.at_once(*[lambda: wire.write("/orders/A-1/refund", {"is_whole": True})] * TIMES)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: TIMES - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"wrong_status"}
    assert steps_of("A-1")["refunded"] == 1
    assert balance(ada).available == 0


def test_of_twenty_refunds_of_a_tenth_ten_are_made(wire, ada):
    wire.shop.sell("A-1", ada, "1000")
    answers = wire.at_once(*[lambda: wire.write("/orders/A-1/refund", {"goods_sum": "100"})] * TIMES)
    assert Counter(answer.status_code for answer in answers) == {200: 10, 409: 10}
    assert wire.shop.get("/orders/A-1").json()["refunded_sum"] == "1000.00"


def test_payments_refunds_replays_and_cancellations_of_one_order_leave_it_whole(wire, ada):
    earn(ada, 500)
    for turn in range(4):
        number = f"A-{turn}"
        wire.shop.place(number, ada, "1000", points=100)
        keys = [str(uuid4()) for _ in range(3)]
        answers = wire.at_once(
            *[lambda path=f"/orders/{number}/pay": wire.write(path)] * 5,
            *[lambda path=f"/orders/{number}/pay", key=keys[0]: wire.write(path, once=key)] * 3,
            *[
                lambda path=f"/orders/{number}/refund", key=keys[1]: wire.write(
                    path, {"goods_sum": "300"}, once=key
                )
            ]
            * 4,
            *[lambda path=f"/orders/{number}/cancel", key=keys[2]: wire.write(path, once=key)] * 4,
            *[lambda path=f"/orders/{number}/cancel": wire.write(path)] * 4,
        )
        assert {answer.status_code for answer in answers} <= {200, 409}
        found = wire.shop.get(f"/orders/{number}").json()
        kinds = steps_of(number)
        assert kinds["placed"] == 1
        assert kinds["refunded"] <= 1
        # It ends cancelled, or paid once more after the last cancellation.
        assert found["status"] in ("cancelled", "paid", "partly_refunded")
        assert kinds["paid"] - kinds["cancelled"] in (0, 1, -1)
        wire.shop.step(number, "cancel")
    assert balance(ada) == (500, 0, 0, 0)


def test_twenty_placings_of_one_number_under_different_keys_are_one_order(wire, ada):
    for number, member in (("A-1", ada.number), ("A-2", None)):
        fields = {"number": number, "member": member, "total_sum": "1000"}
        answers = wire.at_once(*[lambda fields=fields: wire.write("/orders", fields)] * TIMES)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: TIMES - 1}
        assert Order.objects.filter(number=number).count() == 1
        assert steps_of(number) == {"placed": 1}


def test_of_twenty_orders_with_the_last_points_one_gets_them(wire, ada):
    earn(ada, 100)
    answers = wire.at_once(
        *[
            lambda number=f"A-{turn}": wire.write(
                "/orders", {"number": number, "member": ada.number, "total_sum": "1000", "points": 100}
            )
            for turn in range(TIMES)
        ]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: TIMES - 1}
    assert balance(ada) == (0, 0, 100, 0)


def test_twenty_registrations_of_one_person_are_one_member(wire):
    fields = {"first_name": "Ян", "email": "jan@example.com", "agrees_to_programme": True}
    answers = wire.at_once(*[lambda: wire.write("/members", fields)] * TIMES)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: TIMES - 1}
    fields = {"first_name": "Ева", "customer_id": "C-1", "agrees_to_programme": True}
    answers = wire.at_once(*[lambda: wire.write("/members", fields, once="one")] * TIMES)
    assert len({answer.content for answer in answers}) == 1
    assert Member.objects.count() == 2


def test_twenty_batches_of_the_same_orders_register_them_once(wire, ada):
    orders = [sale(f"B-{turn}", member=ada.number, outlet="Арбат") for turn in range(10)]
    answers = wire.at_once(*[lambda: wire.write("/order-batches", {"orders": orders})] * TIMES)
    counts = [(answer.json()["registered_count"], answer.json()["known_count"]) for answer in answers]
    assert sorted(counts, reverse=True) == [(10, 0), *[(0, 10)] * (TIMES - 1)]
    assert Order.objects.count() == 10
    assert balance(ada).available == 30


def test_twenty_transfers_of_one_check_are_one(wire, ann, cleo):
    earn(ann, 100)
    give(wire.shop, ann, cleo, 10)
    checked = check(wire.shop, ann, cleo, 50)
    answers = wire.at_once(*[lambda: wire.write("/transfers", {"check": checked["id"]})] * TIMES)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: TIMES - 1}
    assert len({answer.content for answer in answers}) == 1
    assert (balance(ann).available, balance(cleo).available) == (40, 60)


def test_of_two_checks_of_the_whole_balance_one_becomes_a_transfer(wire, ann, ben, cleo):
    earn(ann, 120)
    for friend in (ben, cleo):
        give(wire.shop, ann, friend, 10)
    checks = [check(wire.shop, ann, friend, 100)["id"] for friend in (ben, cleo)]
    answers = wire.at_once(
        *[lambda key=key: wire.write("/transfers", {"check": key}) for key in checks * (TIMES // 2)]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 9, 409: 10}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"not_enough_points"}
    assert balance(ann).available == 0
    assert sorted((balance(ben).available, balance(cleo).available)) == [10, 110]


def test_twenty_wrong_codes_under_one_key_are_counted_once_and_under_twenty_at_most_five_times(
    wire, ann, cleo
):
    earn(ann, 100)
    checked = check(wire.shop, ann, cleo, 50)
    wrong = {"check": checked["id"], "code": other_than(send_code(wire.shop, checked))}
    answers = wire.at_once(*[lambda: wire.write("/transfers", wrong, once="one")] * TIMES)
    assert {(answer.status_code, answer.content) for answer in answers} == {(409, answers[0].content)}
    assert TransferIntent.objects.get().wrong_proofs == 1
    answers = wire.at_once(*[lambda: wire.write("/transfers", wrong)] * TIMES)
    codes = Counter(answer.json()["code"] for answer in answers)
    assert codes == {"wrong_proof": 3, "check_over": TIMES - 3}
    assert TransferIntent.objects.get().wrong_proofs == 5
    assert AuditRecord.objects.filter(action=AuditRecord.Action.PROOF_FAILED).count() == 5


def test_more_questions_at_once_than_there_are_answers_get_twenty(wire, ann):
    earn(ann, 100)
    answers = wire.at_once(
        *[
            lambda turn=turn: wire.write("/transfer-checks", wanted(ann, f"guess{turn}@example.com", 10))
            for turn in range(TIMES + 5)
        ]
    )
    assert Counter(answer.status_code for answer in answers) == {409: TIMES, 429: 5}
    asked = AuditRecord.objects.filter(action=AuditRecord.Action.RECIPIENT_ASKED)
    assert Counter(record.facts["outcome"] for record in asked) == {"unavailable": TIMES, "too_many": 5}


def test_twenty_takings_back_are_one(wire, ann, cleo, cooling):
    earn(ann, 100)
    made = give(wire.shop, ann, cleo, 50)
    answers = wire.at_once(*[lambda: wire.write(f"/transfers/{made['number']}/take-back")] * TIMES)
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert Posting.objects.filter(kind=Posting.Kind.REVERSE).count() == 1
    assert (balance(ann).available, balance(cleo).available) == (100, 0)


def test_a_wrong_code_is_counted_together_with_keeping_its_answer_or_not_at_all(wire, ann, cleo, monkeypatch):
    monkeypatch.setattr(retry, "DEADLINE_SECONDS", 0.2)
    earn(ann, 100)
    checked = check(wire.shop, ann, cleo, 50)
    wrong = {"check": checked["id"], "code": other_than(send_code(wire.shop, checked))}
    with losing_every_race(is_deferred=True):
        assert_to_try_again(wire.write("/transfers", wrong, once="one"))
        assert TransferIntent.objects.get().wrong_proofs == 0
    assert wire.write("/transfers", wrong, once="one").json()["tries_left"] == 4
    assert TransferIntent.objects.get().wrong_proofs == 1


def test_a_client_that_dies_after_sending_and_tries_again_has_one_effect(wire, ada):
    wire.shop.sell("A-1", ada, "1000")
    for turn in range(5):
        key, refund = f"key-{turn}", {"goods_sum": "100"}
        wire.send_and_die("/orders/A-1/refund", refund, once=key)
        # Whether the first is done, still going on, or not yet begun when the second arrives.
        time.sleep(0.02 * turn)
        assert wire.write("/orders/A-1/refund", refund, once=key).status_code == 200
        wait_until(lambda key=key: ApiRequest.objects.filter(key=key).exists())
        again = wire.write("/orders/A-1/refund", refund, once=key)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json()["refunded_sum"] == f"{100 * (turn + 1)}.00"
    assert steps_of("A-1")["refunded"] == 5


def test_what_a_dead_client_has_sent_whole_is_done_without_it(wire, ada):
    wire.shop.place("A-1", ada, "1000")
    wire.send_and_die("/orders/A-1/pay", {}, once="one")
    wait_until(lambda: ApiRequest.objects.filter(key="one").exists())
    assert balance(ada).available == 30


def test_a_client_that_dies_in_the_middle_of_the_body_has_none_until_it_tries_again(wire, ada):
    order = {"number": "A-1", "member": ada.number, "total_sum": "1000"}
    for share in (0.0, 0.5, 0.95):
        wire.send_and_die("/orders", order, once="one", share=share)
    time.sleep(0.2)
    assert not Order.objects.exists()
    assert not ApiRequest.objects.exists()
    answer = wire.write("/orders", order, once="one")
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers


def test_a_write_whose_database_connection_is_killed_is_finished_over_another(wire, ada):
    wire.shop.place("A-1", ada, "1000")
    with waiting_for(ada) as somebody, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wire.write, "/orders/A-1/pay", once="one")
        kill_waiting(somebody)
        somebody.commit()
        assert answer.result().status_code == 200
    assert wire.write("/orders/A-1/pay", once="one").headers["Idempotency-Replayed"] == "true"
    assert steps_of("A-1")["paid"] == 1
    assert balance(ada).available == 30


def test_a_write_that_cannot_be_finished_in_time_says_so_and_succeeds_later(wire, ada, monkeypatch):
    monkeypatch.setattr(retry, "DEADLINE_SECONDS", 0)
    wire.shop.place("A-1", ada, "1000")
    with waiting_for(ada) as somebody, ThreadPoolExecutor(1) as pool:
        running = pool.submit(wire.write, "/orders/A-1/pay", once="one")
        kill_waiting(somebody)
        answer = running.result()
        somebody.commit()
    assert_to_try_again(answer)
    assert steps_of("A-1")["paid"] == 0
    again = wire.write("/orders/A-1/pay", once="one")
    assert again.status_code == 200
    assert "Idempotency-Replayed" not in again.headers
    assert balance(ada).available == 30


@pytest.mark.parametrize("moment", ["as the answer is kept", "as all of it is committed"])
def test_a_lost_race_is_tried_again_until_the_deadline(moment, wire, ada, monkeypatch):
    monkeypatch.setattr(retry, "DEADLINE_SECONDS", 0.2)
    wire.shop.place("A-1", ada, "1000")
    with losing_every_race(is_deferred=moment.startswith("as all")):
        assert_to_try_again(wire.write("/orders/A-1/pay", once="one"))
        assert not ApiRequest.objects.filter(key="one").exists()
        assert steps_of("A-1")["paid"] == 0
    answer = wire.write("/orders/A-1/pay", once="one")
    assert (answer.status_code, answer.json()["earned_points"]) == (200, 30)
    assert steps_of("A-1")["paid"] == 1


def assert_to_try_again(answer: httpx.Response) -> None:
    """503, with a problem and a time to wait."""
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == "try_again"


def wait_until(has_happened: Callable[[], bool]) -> None:
    """Until something of another thread is there."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not has_happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@contextmanager
def waiting_for(member: Member) -> Iterator[psycopg.Connection]:
    """Somebody else holds the lock of the member's account."""
    with psycopg.connect(**address()) as somebody:
        somebody.execute("select from loyalty_points_account where id = %s for update", [member.pk])
        yield somebody


def kill_waiting(somebody: psycopg.Connection) -> None:
    """End the connection that waits for somebody's lock."""
    killed = "select pg_terminate_backend(pid) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
    wait_until(lambda: bool(fetch(killed, somebody.info.backend_pid)))


@contextmanager
def losing_every_race(*, is_deferred: bool) -> Iterator[None]:
    """Whoever keeps an answer loses a race against somebody."""
    execute(
        "create function test_lose() returns trigger language plpgsql as"
        " $$ begin raise exception 'lost' using errcode = 'serialization_failure'; end $$"
    )
    if is_deferred:
        when = (
            "create constraint trigger lose after insert on orders_api_request deferrable initially deferred"
        )
    else:
        when = "create trigger lose before insert on orders_api_request"
    execute(f"{when} for each row execute function test_lose()")
    try:
        yield
    finally:
        execute("drop function test_lose() cascade")
        connection.close()
