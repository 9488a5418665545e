"""The API's own document, and that every status and every code it declares can be met."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import psycopg
import pytest
import time_machine
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import Member
from loyalty import errors as of_loyalty
from loyalty.models import Transfer
from loyalty.services import ledger, retry
from loyalty.services.transfers import reverse_transfer
from orders import errors as of_orders
from orders.api import errors as of_api
from orders.api.app import api
from orders.api.problems import CODES_OF_ACCOUNTS, KINDS
from orders.models import ApiKey, Scope
from orders.services.api_keys import revoke_key, rotate_key
from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, execute, give_back, spend
from tests.orders.api.calls import (
    NO_CHECK,
    NO_MEMBER,
    OF_A_MEMBER,
    OF_A_TRANSFER,
    OF_AN_ORDER,
    OPERATIONS,
    WITH_BODY,
    WRITES,
    Call,
    calls,
    sale,
)
from tests.orders.api.giving import check, give, publish_alike
from tests.orders.api.shops import Shop, address, assert_refused, key_text

DOCUMENT = api.get_openapi_schema()
BY_ID = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}
# An edition under which the world's next transfer of 30 points is still possible, and hardly another one.
STRICT = {
    "transfer_minimum_points": 30,
    "transfer_limit_points": 40,
    "transfer_day_limit_points": 500,
    "transfer_month_limit_points": 500,
}
# Each brings about that status by spoiling a call in a way that suits every operation.
SPOILT: dict[int, Callable[[Call, Shop], HttpResponse]] = {
    400: lambda call, shop: call.by(shop, content="{"),
    401: lambda call, shop: call.by(shop, Authorization=""),
    403: lambda call, shop: call.by(Shop(shop.source, key_text(shop.source, *set(Scope) - {call.scope}))),
    413: lambda call, shop: call.by(shop, content=b" " * 5_000_001),
    415: lambda call, shop: call.by(shop, content_type="text/plain"),
    422: lambda call, shop: call.by(shop, parameters={**call.parameters, "nothing": "1"}),
}
# Those that need a word more: which operation, where, with what.
SPECIAL: dict[tuple[str, int], Callable[[Call, Shop], HttpResponse]] = {
    ("place_order", 200): lambda call, shop: call.by(
        shop, fields={"number": "A-new", "member": call.fields["member"], "total_sum": "1000", "points": 100}
    ),
    ("register_member", 409): lambda call, shop: call.by(
        shop, fields={**call.fields, "email": "ada@example.com"}
    ),
    ("place_order", 409): lambda call, shop: call.by(shop, fields={**call.fields, "number": "A-paid"}),
    ("pay_order", 409): lambda call, shop: (
        shop.step("A-paid", "refund", is_whole=True) and call.by(shop, path="/orders/A-paid/pay")
    ),
    ("refund_order", 409): lambda call, shop: call.by(shop, path="/orders/A-new/refund"),
    ("check_transfer", 409): lambda call, shop: call.by(
        shop, fields={**call.fields, "recipient": "nobody@example.com"}
    ),
    ("make_transfer", 200): lambda call, shop: call.by(shop, once="before") and call.by(shop),
    ("make_transfer", 201): lambda call, shop: call.by(shop, fields=another(shop)),
    ("make_transfer", 409): lambda call, shop: call.by(shop, fields=unproved(shop)),
    ("send_transfer_code", 409): lambda call, shop: late(call, shop),
    ("take_back_transfer", 409): lambda call, shop: late(
        call, shop, path=f"/transfers/{give(shop, *pair(), 20)['number']}/take-back"
    ),
    ("check_transfer", 404): lambda call, shop: call.by(shop, fields={**call.fields, "sender": NO_MEMBER}),
    ("make_transfer", 404): lambda call, shop: call.by(shop, fields={"check": NO_CHECK}),
    ("send_transfer_code", 404): lambda call, shop: call.by(shop, path=f"/transfer-checks/{NO_CHECK}/code"),
    **{
        (name, 404): lambda call, shop: call.by(shop, path=call.path.replace("/transfers/", "/transfers/X"))
        for name in OF_A_TRANSFER
    },
    ("find_member", 404): lambda call, shop: call.by(shop, fields={"number": NO_MEMBER}),
    **{
        (name, 404): lambda call, shop: call.by(shop, path=call.path.replace(call.path[9:21], NO_MEMBER))
        for name in OF_A_MEMBER
    },
    **{
        (name, 404): lambda call, shop: call.by(shop, path=call.path.replace("A-", "none-"))
        for name in OF_AN_ORDER
    },
}


def pair() -> tuple[Member, Member]:
    """The world's giver and receiver."""
    made = Transfer.objects.earliest("pk")
    return made.sender, made.recipient


def another(shop: Shop) -> dict[str, Any]:
    """A transfer between those two that needs no code."""
    return {"check": check(shop, *pair(), 20)["id"]}


def unproved(shop: Shop) -> dict[str, Any]:
    """A transfer that needs a code, to somebody new."""
    return {"check": check(shop, pair()[0], shop.register("Яна"), 10)["id"]}


def late(call: Call, shop: Shop, **how: Any) -> HttpResponse:
    """The answer of two days later."""
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        return call.by(shop, **how)


def test_the_document_is_openapi_3_1_and_names_every_operation(db, noon):
    document = noon.client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    assert set(BY_ID) == set(OPERATIONS)
    assert document["paths"].keys() == DOCUMENT["paths"].keys()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_is_for_and_which_scope_it_needs(name):
    operation = BY_ID[name]
    scope = calls("")[name].scope
    assert operation["summary"]
    assert operation["description"].endswith(f"\n\nNeeds the scope {scope}.")
    assert operation["security"] == [{"Key": [scope]}]


@pytest.mark.django_db
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_declared_status_is_met(name, world, noon):
    """But for 429 and 503, which have tests of their own."""
    for status in sorted(statuses_of(name) - {429, 503}):
        call = replace(world[name], key=f"for-{status}")
        bring_about = SPECIAL.get((name, status)) or SPOILT.get(status)
        answer = bring_about(call, noon) if bring_about else call.by(noon)
        assert answer.status_code == status, answer.content.decode()
        if status >= 400:
            assert_refused(answer, status, answer.json()["code"])
        else:
            assert answer["Content-Type"].startswith("application/json")
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("name", OPERATIONS)
def test_too_many_requests_are_told_when_to_come_again(name, world, noon):
    assert 429 in statuses_of(name)
    call, slow = world[name], Shop(noon.source, key_text(noon.source, requests_a_minute=1))
    assert slow.get("/orders").status_code == 200
    answer = call.by(slow)
    assert_refused(answer, 429, "too_many_requests")
    assert 1 <= int(answer["Retry-After"]) <= 60
    # It had no effect, and its Idempotency-Key is still free.
    assert call.by(noon).status_code == call.status


@pytest.mark.django_db(transaction=True)
def test_a_busy_database_is_a_reason_to_try_again_later(world, noon, monkeypatch):
    monkeypatch.setattr(retry, "DEADLINE_SECONDS", 0)
    tables = ("accounts_member", "orders_order", "orders_order_step", "orders_api_request")
    with locked(*tables), setting("lock_timeout", "'20ms'"):
        for name, call in world.items():
            assert 503 in statuses_of(name)
            answer = call.by(noon)
            assert_refused(answer, 503, "try_again")
            assert int(answer["Retry-After"]) > 0
    # Nothing of it was kept: each request has its effect now.
    for name in WRITES:
        assert world[name].by(noon, once=f"later-{name}").status_code == world[name].status, name


@pytest.mark.django_db(transaction=True)
def test_a_database_that_only_reads_for_the_moment_is_a_reason_too(world, noon, monkeypatch):
    monkeypatch.setattr(retry, "DEADLINE_SECONDS", 0)
    with setting("default_transaction_read_only", "on"):
        answer = world["pay_order"].by(noon)
    assert_refused(answer, 503, "try_again")
    assert world["pay_order"].by(noon).status_code == 200


@pytest.mark.parametrize("name", OPERATIONS)
def test_refusals_are_declared_as_problems_with_their_codes(name):
    for status, response in BY_ID[name]["responses"].items():
        is_refusal = status >= 400
        media_type = "application/problem+json" if is_refusal else "application/json"
        assert list(response["content"]) == [media_type]
        codes = [code for code, kind in KINDS.items() if kind.status == status]
        assert all(code in response["description"] for code in codes) or not is_refusal
        assert ("Retry-After" in response.get("headers", {})) == (status in (429, 503))


def test_whoever_has_a_body_may_be_told_what_is_wrong_with_it():
    for name in OPERATIONS:
        assert ({400, 413, 415} <= statuses_of(name)) == (name in WITH_BODY)
        assert {401, 403, 422, 429, 503} <= statuses_of(name)


def test_every_refusal_that_can_be_raised_has_a_code_of_its_own():
    """Those that the API never raises are named here, so that a new one is thought about."""
    answered = {*KINDS}
    modules = (of_loyalty.__name__, of_orders.__name__, of_api.__name__)
    kinds = [kind for kind in leaves(of_loyalty.LoyaltyError) if kind.__module__.startswith(modules)]
    codes = {kind.code for kind in kinds}
    assert codes - answered == {
        *("above_credit", "above_hold", "above_spending", "not_reversible", "already_reversed"),
        *("reason_needed", "not_pending", "key_reused", "no_such_account", "tier_unknown", "floor_ignored"),
        *(kind.code for kind in leaves(of_loyalty.RulesRefused)),
        *("rules_file_invalid", "foreign_order"),
        # The first edition is in force since 1970, and no moment before 2000 is taken.
        "no_rules_in_force",
        # What the console asks for when keys are made.
        *("key_name_invalid", "scopes_missing", "scope_unknown", "limit_out_of_range", "key_made_before"),
        *("already_rotated", "key_ended", "source_code_invalid", "source_code_taken", "source_name_invalid"),
        # What staff are told at the till, members about the code for it, and supervisors about outlets.
        *("till_code_needed", "till_code_over", "till_code_wrong", "too_many_till_codes", "points_changed"),
        *("outlet_closed", "outlet_name_invalid", "outlet_name_taken", "own_invitation", "receipt_sent"),
        *("sale_differs", "sale_number_taken", "sale_too_large"),
    }
    assert answered - codes == {code for code, _field in CODES_OF_ACCOUNTS.values()}


@pytest.mark.django_db
class TestEveryCodeIsMet:
    """A code that nothing brings about would be a promise about nothing."""

    @pytest.mark.parametrize(
        ("code", "name", "fields"),
        [
            ("email_taken", "register_member", {"email": "ADA@example.com"}),
            ("invalid_email", "register_member", {"email": "ada"}),
            ("invalid_phone", "register_member", {"phone": "12"}),
            ("no_first_name", "register_member", {"first_name": "\u200b7"}),
            ("consent_missing", "register_member", {"agrees_to_programme": False}),
            ("unknown_member", "place_order", {"member": NO_MEMBER}),
            ("unknown_member", "quote_order", {"member": None, "customer_id": "nobody"}),
            ("bad_sum", "quote_order", {"delivery_sum": "1000.01"}),
            ("lines_do_not_add_up", "quote_order", {"lines": [{"name": "Чай", "line_sum": "1.00"}]}),
            ("not_a_member", "place_order", {"member": None, "points": 1}),
            ("moment_in_future", "place_order", {"placed_at": "2026-03-10T12:01:01+03:00"}),
            ("not_enough_points", "place_order", {"points": 500, "total_sum": "100000.00"}),
            ("order_differs", "place_order", {"number": "A-paid"}),
            ("invalid_request", "place_order", {"total_sum": 1000}),
            ("above_order", "refund_order", {"is_whole": False, "goods_sum": "2000.01"}),
            ("money_differs", "pay_order", {"money_sum": "1000.00"}),
            ("step_too_early", "refund_order", {"refunded_at": "2026-03-10T11:54:59+03:00"}),
            ("nothing_to_refund", "refund_order", {"is_whole": False}),
            (
                "lines_needed",
                "refund_order",
                {"is_whole": False, "lines": [{"position": 1, "line_sum": "1"}]},
            ),
        ],
    )
    def test_by_its_fields(self, code, name, fields, world, noon):
        answer = world[name].by(noon, fields={**world[name].fields, **fields})
        assert_refused(answer, KINDS[code].status, code)

    def test_by_what_was_before(self, world, noon, ada):
        noon.register(phone="+7 916 123-45-67", customer_id="C-1")
        again = {"first_name": "Лев", "agrees_to_programme": True}
        assert_refused(noon.write("/members", {**again, "phone": "8 (916) 1234567"}), 409, "phone_taken")
        assert_refused(noon.write("/members", {**again, "customer_id": "C-1"}), 409, "customer_taken")
        assert_refused(noon.write("/orders/A-new/refund", {"is_whole": True}), 409, "wrong_status")
        world["pay_order"].by(noon)
        assert_refused(
            world["cancel_order"].by(noon, path="/orders/A-paid/cancel"), 422, "idempotency_key_reused"
        )

    def test_by_the_member_s_points(self, world, noon, ada):
        too_late = NOON + timedelta(hours=25)
        with time_machine.travel(too_late, tick=False):
            spend(ada, noon.balance(ada)["available_points"], at=too_late)
            assert_refused(noon.write("/orders/A-new/pay", {}), 409, "hold_lapsed")
            ledger.block(account_id=ada.pk, is_blocked=True)
            placing = world["place_order"]
            refused = placing.by(noon, fields={**placing.fields, "points": 1})
            assert_refused(refused, 409, "account_blocked")

    def test_by_the_edition(self, world, noon):
        publish_edition(redemption_minimum_points=300, effective_at=NOON - timedelta(hours=1))
        placing = world["place_order"]
        problem = assert_refused(
            placing.by(noon, fields={**placing.fields, "points": 299}), 422, "below_minimum", "points"
        )
        assert "300" in problem["detail"]

    def test_by_a_transfer_s_fields(self, world, noon, ann, cleo):
        for code, fields in (
            ("recipient_unreadable", {"recipient": "?"}),
            ("recipient_unavailable", {"recipient": "nobody@example.com"}),
            ("transfer_to_self", {"recipient": ann.number}),
        ):
            answer = world["check_transfer"].by(
                noon, fields={**world["check_transfer"].fields, **fields}, once=code
            )
            assert_refused(answer, KINDS[code].status, code, "recipient")

    def test_by_what_a_transfer_s_edition_allows(self, world, noon, ann):
        def refused(code: str, points: int = 30, **settings: object) -> None:
            publish_alike(**{**STRICT, **settings})
            call = world["check_transfer"]
            answer = call.by(noon, fields={**call.fields, "points": points}, once=code)
            assert_refused(answer, KINDS[code].status, code)

        refused("too_few_to_transfer", 29)
        refused("too_many_at_once", 41)
        refused("day_limit_reached", transfer_day_limit_points=120)
        refused("month_limit_reached", transfer_day_limit_points=None, transfer_month_limit_points=120)
        refused("joined_too_recently", transfer_member_days=7)
        refused("transfers_off", transfers_allowed=False)

    def test_by_what_the_sender_did_before(self, world, noon, ann):
        ann.user.set_password("another long pass phrase")
        ann.user.save()
        problem = assert_refused(world["make_transfer"].by(noon), 409, "just_changed")
        assert problem["allowed_at"] == "2026-03-11T12:00:00+03:00"

    def test_by_the_code(self, world, noon):
        fields = unproved(noon)
        assert_refused(noon.write("/transfers", fields), 409, "proof_needed", "code")
        asking = f"/transfer-checks/{fields['check']}/code"
        assert_refused([noon.write(asking) for _turn in range(4)][-1], 429, "code_sent_too_often", "code")
        wrong = noon.write("/transfers", {**fields, "code": "000000"})
        assert_refused(wrong, 409, "wrong_proof", "code")

    def test_by_wrong_codes(self, noon, at_noon, ann, cleo):
        earn(ann, 100)
        for turn in range(10):
            checked = check(noon, ann, cleo, 1 + turn // 5)
            refused = noon.write("/transfers", {"check": checked["id"], "code": "000000"})
            assert refused.status_code == 409
        checked = check(noon, ann, cleo, 3)
        refused = noon.write("/transfers", {"check": checked["id"], "code": "000000"})
        assert_refused(refused, 429, "too_many_wrong_proofs", "code")

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("message_not_sent", SMTPServerDisconnected()),
            ("address_refused", SMTPRecipientsRefused({"ann@example.com": (550, b"nobody")})),
        ],
    )
    def test_by_a_letter_that_cannot_be_sent(self, code, error, world, noon, monkeypatch):
        def refuse(*_letters: object) -> None:
            raise error

        monkeypatch.setattr(EmailBackend, "send_messages", refuse)
        assert_refused(world["send_transfer_code"].by(noon), KINDS[code].status, code)

    def test_by_there_being_no_way_for_a_code(self, noon, at_noon, ben):
        nobody = noon.register("Яна")
        noon.sell("A-1", nobody, "10000")
        checked = check(noon, nobody, ben, 10)
        assert_refused(noon.write(f"/transfer-checks/{checked['id']}/code"), 409, "no_way_to_prove", "code")

    def test_by_too_many_guesses(self, world, noon):
        call = world["check_transfer"]
        for turn in range(21):
            answer = call.by(noon, fields={**call.fields, "recipient": f"{turn}@example.com"}, once=f"{turn}")
        assert_refused(answer, 429, "too_many_questions", "recipient")

    def test_by_a_transfer_s_life(self, world, noon, cleo, sue):
        assert_refused(late(world["make_transfer"], noon), 409, "check_over")
        assert_refused(
            world["make_transfer"].by(noon, fields={"check": NO_CHECK}), 422, "idempotency_key_reused"
        )
        assert_refused(noon.write("/transfers", {"check": NO_CHECK}), 404, "check_not_found", "check")
        assert_refused(noon.get("/transfers/none"), 404, "transfer_not_found")
        taking = world["take_back_transfer"]
        assert_refused(late(taking, noon, once="later"), 409, "take_back_over")
        spent = spend(cleo, 60)
        assert_refused(taking.by(noon, once="spent"), 409, "points_moved_on")
        give_back(spent, 60)
        made = Transfer.objects.get()
        reverse_transfer(transfer=made, reason="A mistake", at=NOON, actor_id=sue.pk)
        assert_refused(taking.by(noon, once="late"), 409, "transfer_ended")

    def test_by_the_key(self, world, noon):
        call = world["list_orders"]
        key = ApiKey.objects.get(source=noon.source)
        assert_refused(call.by(noon, Authorization="Basic abc"), 401, "key_missing")
        assert_refused(call.by(noon, Authorization="Bearer abc"), 401, "key_unknown")
        rotate_key(key=key, at=timezone.now() - timedelta(days=1), overlap=timedelta(days=1))
        assert_refused(call.by(noon), 401, "key_expired")
        revoke_key(key=key, at=timezone.now())
        answer = call.by(noon)
        assert_refused(answer, 401, "key_revoked")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_by_the_address(self, world, noon):
        assert_refused(noon.get("/nothing"), 404, "not_found")
        assert_refused(noon.get(f"/members/{NO_MEMBER}"), 404, "member_not_found")
        assert_refused(noon.get("/orders/none"), 404, "order_not_found")
        assert_refused(noon.get("/orders", cursor="none"), 422, "bad_cursor", "cursor")
        answer = noon.send("DELETE", "/orders")
        assert_refused(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD, POST"

    def test_by_its_body(self, world, noon):
        call = world["place_order"]
        assert_refused(call.by(noon, content="{"), 400, "not_json")
        assert_refused(call.by(noon, content=b" " * 5_000_001), 413, "body_too_large")
        assert_refused(call.by(noon, content_type="text/plain"), 415, "unsupported_media_type")
        seller = Shop(noon.source, key_text(noon.source, Scope.MEMBERS_READ))
        assert_refused(call.by(seller), 403, "scope_missing")

    def test_by_a_mistake_of_ours(self, world, noon, caplog):
        noon.client.raise_request_exception = False
        with connection.cursor() as cursor:
            cursor.execute("alter table orders_outlet rename column name to title")
        problem = assert_refused(world["list_orders"].by(noon), 500, "internal_error")
        incident = problem["detail"].rsplit(maxsplit=1)[-1].rstrip(".")
        # The log has all that the answer does not say, under the number that it does say.
        [told] = [record for record in caplog.records if incident in record.getMessage()]
        assert told.exc_info

    def test_the_table_of_codes_and_these_tests_name_the_same(self):
        own_source = Path(__file__).read_text(encoding="utf-8")
        assert [code for code in KINDS if f'"{code}"' not in own_source] == []


def test_the_pages_below_api_answer_like_all_of_it(db, noon):
    for path in (
        "/api/",
        "/api/nothing",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/orders",
        "/api/v1/orders/%0A/pay",
    ):
        assert_refused(noon.client.get(path), 404, "not_found")
        assert_refused(noon.client.post(path), 404, "not_found")
    for path in ("/api/docs", "/api/problems"):
        assert noon.client.get(path).status_code == 200
        answer = noon.client.post(path)
        assert_refused(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD"


@pytest.mark.django_db
def test_head_is_get_without_a_body_and_options_names_the_methods(world, noon):
    for name in OPERATIONS:
        call = world[name]
        methods = "GET, HEAD, POST" if call.path == "/orders" else "GET, HEAD"
        options = noon.send("OPTIONS", call.path)
        assert_refused(options, 405, "method_not_allowed")
        assert options["Allow"] == (methods if call.method == "GET" or call.path == "/orders" else "POST")
        if call.method == "GET":
            whole = call.by(noon)
            head = noon.send("HEAD", call.path, parameters=call.parameters)
            assert (head.status_code, head.content) == (200, b"")
            assert head["Content-Type"] == whole["Content-Type"]


def test_refusals_of_a_batch_s_orders_have_codes_too(world, noon):
    orders = [sale("B-1", member=NO_MEMBER), sale("B-2", email="no"), sale("B-3", total_sum=1)]
    outcomes = noon.write("/order-batches", {"orders": orders}).json()["outcomes"]
    assert [outcome["problem"]["code"] for outcome in outcomes] == [
        "unknown_member",
        "invalid_email",
        "invalid_request",
    ]


@contextmanager
def setting(name: str, value: str) -> Iterator[None]:
    """A setting of the test's own connection, which goes back to its pool as it was."""
    execute(f"set {name} = {value}")
    try:
        yield
    finally:
        execute(f"reset {name}")


def statuses_of(name: str) -> set[int]:
    return {int(status) for status in BY_ID[name]["responses"]}


def leaves(kind: type) -> Iterator[Any]:
    """The kinds that are raised: those that no other one refines."""
    for refined in kind.__subclasses__():
        yield from leaves(refined)
    if not kind.__subclasses__():
        yield kind


@contextmanager
def locked(*tables: str) -> Iterator[None]:
    """Somebody else keeps these tables to themselves."""
    with psycopg.connect(**address()) as somebody, somebody.cursor() as cursor:
        cursor.execute(f"lock table {', '.join(tables)} in access exclusive mode")
        yield
