"""Whatever is sent: the right status, nothing changed, nothing told that is not the sender's."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.models import ApiKey
from orders.services.api_keys import PUBLIC_ID_LETTERS, create_key, revoke_key
from tests.clock import NOON
from tests.orders.api.calls import (
    NO_MEMBER,
    OF_A_MEMBER,
    OF_AN_ORDER,
    OPERATIONS,
    WITH_BODY,
    WRITES,
    sale,
)
from tests.orders.api.shops import PROBLEM, Shop, assert_refused
from tests.orders.api.traces import traces

pytestmark = pytest.mark.django_db

NOT_JSON = {
    "nothing but a brace": b"{",
    "a word": b"hello",
    "a form": b"number=A-1&total_sum=100",
    "xml": b"<order/>",
    "single quotes": b"{'number': 'A-1'}",
    "a comma too many": b'{"number": "A-1",}',
    "two objects": b"{}{}",
    "cut off in a letter": '{"number": "Ч'.encode()[:-1],
    "another encoding": '{"number": "Чай"}'.encode("cp1251"),
    "utf-16": '{"number": "A-1"}'.encode("utf-16"),
    "a mark in front": b"\xef\xbb\xbf{}",
    "NaN": b'{"points": NaN}',
    "Infinity": b'{"points": -Infinity}',
    "a name twice": b'{"number": "A-1", "number": "A-2"}',
    "a name twice inside": b'{"lines": [{"name": "a", "name": "b"}]}',
    "nested too deeply": b"[" * 100_000 + b"]" * 100_000,
    "objects nested too deeply": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an endless number": b'{"points": 1' + b"0" * 5_000 + b"}",
    "a control character": b'{"number": "A\n1"}',
}
NOT_AN_OBJECT = [b"[]", b"[{}]", b'"text"', b"5", b"true", b"null", b""]
NO_TEXT = ["", " ", "\t\n", "a\x00b", "\x00", "a\x1bb", "a\x7fb", "\ud800", "a\udfff", 5, True, None, [], {}]
NO_SUM = [
    *(5, 5.0, True, None, [], {}, "", " 5", "5 ", "+5", "-5", "-0", "1e3", "1E3", "٣", "५", "0x10", "1,50"),
    *("1 500", "1_500", "05", "5.", ".5", "5.001", "NaN", "Infinity", "1" * 10, "1" * 30, "9" * 5_000, "5\n"),
]
NO_QUANTITY = [*(value for value in NO_SUM if value != "5.001"), "0", "0.000", "0.0001", "1" * 8]
NO_POINTS = [-1, 1.5, 1.0, "5", True, [], {}, 10**9, 10**30, 10**4000]
NO_MOMENT = [
    *(0, 1_773_133_200, True, [], {}, "", "now", "2026-03-10", "2026-03-10T12:00:00", "12:00:00+03:00"),
    *("2026-03-10 12:00:00+03:00", "2026-02-30T12:00:00+03:00", "2026-03-10T25:00:00+03:00"),
    *("0001-01-01T00:00:00+00:00", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z"),
    *(
        "2026-03-10T12:00:00+24:00",
        "٢٠٢٦-03-10T12:00:00Z",
        "-2026-03-10T12:00:00Z",
        "2026-03-10T12:00:00\x00Z",
    ),
]
NO_DAY = [
    *("", "0", "1773133200", "today", "2026-02-30", "2026-3-1", "20260310", "2026-W10-1", "10.03.2026"),
    *(
        "0001-01-01",
        "1999-12-31",
        "9999-12-31",
        "10000-01-01",
        "2026-03-10T00:00:00",
        "٢٠٢٦-03-10",
        "2026-03-10\x00",
    ),
]
NO_COUNT = ["", "0", "-1", "201", "1.0", "1e1", "+5", " 5", "5_0", "٣", "true", "9" * 5_000, "5\x00"]
NO_CURSOR = [
    *("none", "!!!", "LTE", "LTEuMQ", "MS4x=", "MTAuMQ==", "Чай", "0", "a" * 100, "\x00"),
    # 2⁶³ − 1, 2⁶³ and 10⁶⁰, as our cursors write numbers.
    *("OTIyMzM3MjAzNjg1NDc3NTgwNw", "OTIyMzM3MjAzNjg1NDc3NTgwOA", "MTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"),
    "OTIyMzM3MjAzNjg1NDc3NTgwNy45MjIzMzcyMDM2ODU0Nzc1ODA3",
]
OF_TRANSFERS_IN_TIME = ("send_transfer_code", "make_transfer", "take_back_transfer")
LINE = {"name": "Чай", "line_sum": "1000.00"}


def refuse_all(shop, call, path, values):
    """Each of the values at that place of the call's body is refused by name, and nothing changes."""
    before = traces()
    for value in values:
        fields = json.loads(json.dumps(call.fields))
        spoil(fields, path, value)
        answer = call.by(shop, fields=fields)
        problem = assert_refused(answer, 422, "invalid_request")
        assert ".".join(map(str, path)) in [error["field"] for error in problem["errors"]], value
        assert all(error["expected"] for error in problem["errors"])
    assert traces() == before


def spoil(fields, path, value):
    """Put a value somewhere into a body."""
    for name in path[:-1]:
        fields = fields[name]
    fields[path[-1]] = value


class TestBody:
    @pytest.mark.parametrize("name", WITH_BODY)
    def test_that_is_not_json(self, name, world, noon):
        before = traces()
        for content in NOT_JSON.values():
            assert_refused(world[name].by(noon, content=content), 400, "not_json")
        assert traces() == before

    @pytest.mark.parametrize("name", WITH_BODY)
    def test_that_is_no_object(self, name, world, noon):
        before = traces()
        for content in NOT_AN_OBJECT:
            problem = assert_refused(world[name].by(noon, content=content), 422, "invalid_request")
            assert [error["expected"] for error in problem["errors"]]
        assert traces() == before

    @pytest.mark.parametrize("name", WITH_BODY)
    def test_that_is_not_declared_as_json(self, name, world, noon):
        before = traces()
        for content_type in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/json+patch",
            "json",
            "",
        ):
            answer = world[name].by(noon, content_type=content_type)
            assert_refused(answer, 415, "unsupported_media_type", "Content-Type")
        assert traces() == before
        assert world[name].by(noon, content_type="Application/JSON; charset=utf-8").status_code < 300

    @pytest.mark.parametrize("name", WITH_BODY)
    def test_of_ten_megabytes_is_not_read(self, name, world, noon):
        before = traces()
        huge = Endless(10_000_000)
        answer = noon.client.generic(
            "POST",
            f"/api/v1{world[name].path}",
            content_type="application/json",
            headers={"Authorization": f"Bearer {noon.key}", "Idempotency-Key": "one"},
            **{"wsgi.input": huge, "CONTENT_LENGTH": str(huge.left_bytes)},
        )
        assert_refused(answer, 413, "body_too_large")
        assert huge.left_bytes == 10_000_000
        assert traces() == before

    @pytest.mark.parametrize("name", WITH_BODY)
    def test_with_a_field_that_nobody_knows(self, name, world, noon):
        refuse_all(noon, world[name], ("colour",), ["red", None, {}])
        strange = {"\x00": "", "\ud800": 1, "a" * 100_000: 2, "number\n": 3}
        answer = world[name].by(noon, fields={**world[name].fields, **strange})
        problem = assert_refused(answer, 422, "invalid_request")
        assert {len(error["field"]) for error in problem["errors"]} <= {0, 1, 7, 100}

    def test_with_unknown_fields_deeper_down(self, world, noon):
        for name in ("place_order", "quote_order"):
            with_line = world[name].fields | {"lines": [LINE]}
            answer = world[name].by(noon, fields={**with_line, "lines": [{**LINE, "sku": "1"}]})
            assert_refused(answer, 422, "invalid_request", "lines.0.sku")
        answer = world["refund_order"].by(
            noon, fields={"lines": [{"position": 1, "line_sum": "1", "name": "Чай"}]}
        )
        assert_refused(answer, 422, "invalid_request", "lines.0.name")

    def test_with_more_wrong_fields_than_anybody_reads(self, noon):
        fields = {f"field{number}": number for number in range(10_000)}
        answer = noon.write("/orders", fields)
        assert len(assert_refused(answer, 422, "invalid_request")["errors"]) == 100

    def test_with_too_many_lines(self, noon):
        lines = [{"name": "Чай", "line_sum": "1"}] * 501
        answer = noon.write("/orders", {"number": "A-1", "total_sum": "501", "lines": lines})
        assert_refused(answer, 422, "invalid_request", "lines")


class TestField:
    def test_texts(self, world, noon):
        placing, registering = world["place_order"], world["register_member"]
        placing.fields["lines"] = [dict(LINE, category="чай")]
        for path in (("number",), ("lines", 0, "name")):
            refuse_all(noon, placing, path, [*NO_TEXT, "x" * 201])
        optional = [value for value in NO_TEXT if value is not None]
        for path in (("member",), ("outlet",), ("email",), ("phone",), ("lines", 0, "category")):
            refuse_all(noon, placing, path, [*optional, "x" * 201])
        refuse_all(noon, registering, ("first_name",), [*NO_TEXT, "x" * 101])
        for name in ("last_name", "email", "phone", "customer_id"):
            refuse_all(noon, registering, (name,), [*optional, "x" * 201])
        for name in ("number", "email", "phone", "customer_id"):
            searching = world["find_member"]
            searching.fields.clear()
            refuse_all(noon, searching, (name,), [*optional, "x" * 201])

    def test_sums(self, world, noon):
        placing, refunding = world["place_order"], world["refund_order"]
        placing.fields["lines"] = [dict(LINE, quantity="1")]
        for path in (("total_sum",), ("delivery_sum",), ("lines", 0, "line_sum")):
            refuse_all(noon, placing, path, NO_SUM)
        refuse_all(noon, placing, ("lines", 0, "quantity"), NO_QUANTITY)
        refunding.fields.clear()
        for name in ("goods_sum", "delivery_sum"):
            refuse_all(noon, refunding, (name,), NO_SUM)
        refunding.fields["lines"] = [{"position": 1, "line_sum": "1"}]
        refuse_all(noon, refunding, ("lines", 0, "line_sum"), NO_SUM)
        refuse_all(noon, refunding, ("lines", 0, "position"), [*NO_POINTS, 0, None])

    def test_points_flags_choices_and_lists(self, world, noon):
        refuse_all(noon, world["place_order"], ("points",), [*NO_POINTS, None])
        refuse_all(noon, world["refund_order"], ("is_whole",), [0, 1, "true", "yes", None, []])
        registering = world["register_member"]
        refuse_all(noon, registering, ("agrees_to_programme",), [0, 1, "true", None, {}])
        refuse_all(noon, registering, ("language",), ["de", "RU", "", 1, None, [], {}])
        for name in ("place_order", "refund_order"):
            refuse_all(noon, world[name], ("lines",), [{}, "", 5, None, True])
            for line in ([], "", 5, None, True):
                answer = world[name].by(noon, fields={**world[name].fields, "lines": [line]})
                assert_refused(answer, 422, "invalid_request", "lines.0")

    def test_moments(self, world, noon):
        for name in ("placed_at", "paid_at"):
            refuse_all(noon, world["place_order"], (name,), NO_MOMENT)
        refuse_all(noon, world["pay_order"], ("paid_at",), NO_MOMENT)
        refuse_all(noon, world["cancel_order"], ("cancelled_at",), NO_MOMENT)
        refuse_all(noon, world["refund_order"], ("refunded_at",), NO_MOMENT)

    def test_moments_in_the_future(self, world, noon):
        before = traces(without=("orders_api_request",))
        for name, field in (
            *(("place_order", "placed_at"), ("place_order", "paid_at"), ("pay_order", "paid_at")),
            *(("cancel_order", "cancelled_at"), ("refund_order", "refunded_at")),
        ):
            for turn, moment in enumerate(("2026-03-10T12:01:01+03:00", "9998-12-31T23:59:59-15:59")):
                call = world[name]
                answer = call.by(noon, fields={**call.fields, field: moment}, once=f"{name}-{field}-{turn}")
                assert_refused(answer, 422, "moment_in_future", field)
        assert traces(without=("orders_api_request",)) == before

    @pytest.mark.parametrize("offset", ["+16:00", "-16:00", "+23:59", "-23:59", "Z"])
    def test_moments_with_any_offset_there_can_be(self, offset, noon):
        placed = noon.place("A-1", None, "100", placed_at=f"2026-03-08T12:00:00{offset}")
        assert placed["placed_at"].endswith("+03:00")
        listed = noon.get("/orders", changed_since=f"2026-03-08T12:00:00{offset}")
        assert listed.status_code == 200

    def test_a_shop_s_clock_may_be_a_minute_ahead(self, at_noon, noon):
        ahead = "2026-03-10T12:00:59+03:00"
        assert noon.place("A-1", None, "100", placed_at=ahead)["placed_at"] == "2026-03-10T12:00:00+03:00"

    @pytest.mark.parametrize("sum_", ["0", "0.1", "0.00", "999999999.99"])
    def test_sums_at_the_edge_are_taken(self, sum_, noon):
        placed = noon.place("A-1", None, sum_)
        assert placed["total_sum"] == f"{float(sum_):.2f}"

    def test_exactly_one_thing_finds_a_member(self, world, noon):
        for fields in ({}, {"number": "1", "email": "a@b.ru"}, {"number": None}):
            problem = assert_refused(noon.ask("/members/search", **fields), 422, "invalid_request")
            assert [error["expected"] for error in problem["errors"]]

    def test_a_member_and_a_customer_are_too_much(self, world, noon):
        call = world["place_order"]
        assert_refused(call.by(noon, fields={**call.fields, "customer_id": "C-1"}), 422, "invalid_request")

    def test_a_whole_refund_of_lines_contradicts_itself(self, world, noon):
        twice = [{"position": 1, "line_sum": "1"}] * 2
        for fields in ({"is_whole": True, "goods_sum": "1"}, {"lines": twice}):
            assert_refused(world["refund_order"].by(noon, fields=fields), 422, "invalid_request")


class TestAddress:
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_an_unknown_parameter(self, name, world, noon):
        before = traces()
        for parameters in ({"nothing": "1"}, {"": ""}, {"\x00": "1"}, {"Limit": "5"}):
            answer = world[name].by(noon, parameters={**world[name].parameters, **parameters})
            assert_refused(answer, 422, "invalid_request")
        assert traces() == before

    @pytest.mark.parametrize("name", ["list_orders", "list_operations"])
    def test_parameters_of_a_feed(self, name, world, noon):
        for field, values in (
            *(("limit", NO_COUNT), ("cursor", [*NO_CURSOR, "x" * 101])),
            ("changed_since", [value for value in NO_MOMENT if isinstance(value, str)]),
        ):
            for value in values:
                answer = world[name].by(noon, parameters={field: value})
                code = "bad_cursor" if field == "cursor" and len(value) <= 100 else "invalid_request"
                assert_refused(answer, 422, code, field)

    def test_a_parameter_twice(self, world, noon):
        answer = world["list_orders"].by(noon, parameters={"limit": ["1", "1"]})
        assert_refused(answer, 422, "invalid_request", "limit")

    @pytest.mark.parametrize("name", ["list_orders", "list_operations"])
    def test_a_cursor_of_one_list_is_none_of_the_other(self, name, world, noon):
        other = "list_operations" if name == "list_orders" else "list_orders"
        cursor = world[other].by(noon).json()["cursor"]
        assert_refused(world[name].by(noon, parameters={"cursor": cursor}), 422, "bad_cursor", "cursor")

    def test_a_place_far_beyond_the_end_is_empty(self, world, noon):
        far = "NDYxMTY4NjAxODQyNzM4NzkwMw"  # 2⁶² − 1
        since = "2026-01-01T00:00:00Z"
        for parameters in ({"cursor": far}, {"cursor": far, "changed_since": since}):
            answer = world["list_operations"].by(noon, parameters=parameters)
            assert (answer.status_code, answer.json()["operations"]) == (200, [])

    def test_a_day(self, world, noon):
        for value in NO_DAY:
            answer = world["get_day_sums"].by(noon, parameters={"day": value})
            assert_refused(answer, 422, "invalid_request", "day")
        assert_refused(noon.get("/sums"), 422, "invalid_request", "day")
        for value in ("2000-01-01", "9998-12-31"):
            assert noon.get("/sums", day=value).json()["paid_count"] == 0

    @pytest.mark.parametrize("name", [*OF_A_MEMBER, *OF_AN_ORDER])
    def test_a_number_that_nothing_can_have(self, name, world, noon):
        call = world[name]
        old = "A-new" if "A-new" in call.path else "A-paid" if "A-paid" in call.path else call.path[9:21]
        before = traces(without=("orders_api_request",))
        for strange in ("%00", f"{old}%00", "%1b", "x" * 101, "%7F"):
            answer = call.by(noon, path=call.path.replace(old, strange))
            assert_refused(answer, 422, "invalid_request", "number")
        for turn, strange in enumerate(
            ("%ff", "'%20or%201=1--", "%3Cscript%3E", "Ч%D0%B0%D0%B9", "%2e%2e", "0")
        ):
            answer = call.by(noon, path=call.path.replace(old, strange), once=f"strange-{turn}")
            assert_refused(answer, 404, "member_not_found" if name in OF_A_MEMBER else "order_not_found")
        assert traces(without=("orders_api_request",)) == before

    def test_a_number_that_no_address_could_name(self, noon):
        for number in (".", "..", "A-1/pay", "2026/refund", "/cancel"):
            answer = noon.write("/orders", {"number": number, "total_sum": "100"})
            assert_refused(answer, 422, "invalid_request", "number")
            batch = noon.write("/order-batches", {"orders": [sale(number)]}).json()
            assert batch["outcomes"][0]["problem"]["field"] == "number"

    def test_a_number_with_anything_readable_in_it(self, at_noon, noon):
        for number in ("2026/11/22-7", "Заказ № 5", "a b", "50%", "a?b#c", "..a", "/", "A/refund/x", "pay"):
            noon.place(number, None, "100")
            address = "".join(f"%{byte:02X}" for byte in number.encode())
            assert noon.get(f"/orders/{address}").json()["number"] == number
            assert noon.step(address, "pay")["status"] == "paid"


class TestKey:
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_no_key_or_one_that_is_none(self, name, world, noon):
        key = noon.key
        before = traces()
        for code, authorization in (
            ("key_missing", ""),
            ("key_missing", "Bearer"),
            ("key_missing", "Bearer "),
            ("key_missing", f"Basic {key}"),
            ("key_missing", key),
            ("key_unknown", "Bearer nobody"),
            ("key_unknown", "Bearer \x00"),
            ("key_unknown", f"Bearer {key}x"),
            ("key_unknown", f"Bearer {key} {key}"),
            ("key_unknown", f"Bearer {key[:-1]}{'A' if key[-1] != 'A' else 'B'}"),
            ("key_unknown", f"Bearer {key.replace('live', 'test')}"),
            ("key_unknown", f"Bearer ballada_live_{PUBLIC_ID_LETTERS[:12]}_{'a' * 43}"),
            ("key_unknown", f"Bearer {'x' * 100_000}"),
            ("key_unknown", "Bearer ключ"),
        ):
            answer = world[name].by(noon, Authorization=authorization)
            assert_refused(answer, 401, code)
            assert answer["WWW-Authenticate"] == "Bearer"
        assert traces() == before

    def test_a_key_is_asked_for_before_anything_else_is_said(self, world, noon):
        for name in WITH_BODY:
            for how in ({"content": "{"}, {"content_type": "x"}, {"parameters": {"x": "1"}}, {"fields": {}}):
                assert_refused(world[name].by(noon, Authorization="", **how), 401, "key_missing")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_a_key_with_every_scope_but_the_one(self, name, world, noon):
        others = [scope for scope in noon.source.api_keys.get().scopes if scope != world[name].scope]
        text = create_key(source=noon.source, name="x", scopes=others, at=timezone.now()).text
        before = traces()
        problem = assert_refused(world[name].by(Shop(noon.source, text)), 403, "scope_missing")
        assert world[name].scope in problem["detail"]
        assert traces() == before

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_a_key_that_was_revoked_or_has_expired(self, name, world, noon):
        key = ApiKey.objects.get(source=noon.source)
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert_refused(world[name].by(noon), 401, "key_expired")
        revoke_key(key=key, at=timezone.now())
        before = traces()
        assert_refused(world[name].by(noon), 401, "key_revoked")
        assert traces() == before


class TestOthers:
    @pytest.mark.parametrize("name", OF_AN_ORDER)
    def test_another_source_s_order_is_as_if_it_were_not(self, name, world, stranger, noon):
        path = world[name].path.replace("A-new", stranger).replace("A-paid", stranger)
        before = traces(without=("orders_api_request",))
        foreign = world[name].by(noon, path=path, once="foreign")
        missing = world[name].by(noon, path=path.replace("D-", "X-"), once="missing")
        assert_refused(foreign, 404, "order_not_found")
        assert foreign.content.replace(b"D-paid", b"X-paid") == missing.content
        assert traces(without=("orders_api_request",)) == before

    def test_lists_and_sums_are_the_source_s_own(self, world, stranger, noon, dusk, ben):
        assert "7777.77" not in world["get_day_sums"].by(noon).content.decode()
        assert "7777.77" in world["get_day_sums"].by(dusk).content.decode()
        assert stranger not in world["list_orders"].by(noon).content.decode()

    def test_a_customer_id_is_the_source_s_own(self, world, noon, dusk):
        noon.register("Яна", customer_id="C-1")
        assert_refused(dusk.ask("/members/search", customer_id="C-1"), 404, "member_not_found")
        answer = dusk.write("/orders", {"number": "D-1", "total_sum": "1", "customer_id": "C-1"})
        assert_refused(answer, 422, "unknown_member", "customer_id")
        number = noon.ask("/members/search", customer_id="C-1").json()["number"]
        assert dusk.get(f"/members/{number}").json()["customer_id"] is None

    def test_the_sandbox_sees_nothing_of_the_live_and_the_other_way_round(self, world, noon, sandbox, ada):
        before = traces(without=("orders_api_request",))
        for name in ("find_member", *OF_A_MEMBER):
            assert_refused(world[name].by(sandbox), 404, "member_not_found")
        assert_refused(sandbox.ask("/members/search", email="ada@example.com"), 404, "member_not_found")
        for name in ("quote_order", "place_order"):
            assert_refused(world[name].by(sandbox), 422, "unknown_member", "member")
        for name in OF_AN_ORDER:
            assert_refused(world[name].by(sandbox, once=name), 404, "order_not_found")
        assert sandbox.get("/orders").json()["orders"] == []
        assert traces(without=("orders_api_request",)) == before

        # Even with the same contact: nobody learns there that a live member has it.
        number = sandbox.register("Тест", email="ada@example.com", phone="+7 916 123-45-67")
        assert sandbox.sell("S-1", number, "1000")["earned_points"] == 30
        assert noon.ask("/members/search", email="ada@example.com").json()["number"] == ada.number
        assert_refused(noon.ask("/members/search", phone="+79161234567"), 404, "member_not_found")
        assert_refused(noon.get(f"/members/{number}/balance"), 404, "member_not_found")
        # An order with Ada's own address goes to nobody there.
        assert sandbox.place("S-2", None, "100", email="ada@example.com")["member"] is None
        assert noon.place("A-9", None, "100", email="ada@example.com")["member"] == ada.number

    def test_a_member_is_shown_by_name_and_initial_only(self, world, noon):
        for name in ("find_member", "get_member", "get_balance", "list_operations", "get_order"):
            told = world[name].by(noon).content.decode()
            assert "Иванова" not in told
            assert "ada@example.com" not in told


def test_names_cannot_hide_what_they_are(noon):
    number = noon.register("Ма\u202eри\u200bя\ufeff", last_name="  Пе\u2066тро ва ")
    assert noon.get(f"/members/{number}").json()["name"] == "Мария П."


def test_a_batch_s_strange_orders_are_refused_one_by_one(noon):
    strange = [
        '{"number": "\\u0000", "total_sum": "1"}',
        '{"number": "\\ud800"}',
        '{"a\\u0000": 1}',
        '{"a\\ud800": 1}',
        f'{{"number": "{"x" * 100_000}"}}',
        *("1", "null", '"x"', "[]", "{}", "[[[[]]]]", "1e999", "1" * 4_000),
    ]
    content = f'{{"orders": [{", ".join(strange)}, {json.dumps(sale("B-1"))}]}}'
    answer = noon.send("POST", "/order-batches", content=content, once="one")
    assert answer.status_code == 200
    outcomes = answer.json()["outcomes"]
    assert [outcome["outcome"] for outcome in outcomes] == ["refused"] * len(strange) + ["registered"]
    assert all(outcome["problem"]["code"] == "invalid_request" for outcome in outcomes[:-1])
    assert len(outcomes[4]["number"]) == 100
    assert noon.send("POST", "/order-batches", content=content, once="one").content == answer.content


def test_a_batch_of_any_depth_is_answered(noon):
    """Somewhere between what can be read and what cannot, it can be read and not be written again."""
    for depth in (*range(100, 800, 100), *range(800, 1000)):
        content = f'{{"orders": [{"[" * depth}{"]" * depth}]}}'
        answer = noon.send("POST", "/order-batches", content=content, once=f"deep-{depth}")
        assert answer.status_code in (200, 400), depth
        assert answer["Content-Type"] in ("application/json", PROBLEM)


@pytest.mark.parametrize("name", WRITES)
def test_what_is_refused_by_a_rule_has_no_effect_but_its_answer(name, world, noon):
    spoilt = {
        "register_member": {"email": "ada@example.com", "customer_id": "C-1"},
        "place_order": {"points": 600, "total_sum": "100000", "outlet": "new outlet"},
        "pay_order": {"paid_at": "2027-01-01T00:00:00Z"},
        "refund_order": {"is_whole": False, "goods_sum": "9999"},
        "cancel_order": {"cancelled_at": "2027-01-01T00:00:00Z"},
        "register_orders": {"orders": [sale("B-1", member=NO_MEMBER)]},
        "check_transfer": {"points": 600},
        **{late: {} for late in OF_TRANSFERS_IN_TIME},
    }[name]
    before = traces(without=("orders_api_request",))
    # What can be spoilt in no field comes too late.
    at = NOON + timedelta(days=2) if name in OF_TRANSFERS_IN_TIME else NOON
    with time_machine.travel(at, tick=False):
        answer = world[name].by(noon, fields={**world[name].fields, **spoilt})
    assert answer.status_code in (409, 422) or answer.json()["refused_count"] == 1
    assert traces(without=("orders_api_request",)) == before


def test_a_body_whose_sender_goes_away_is_no_mistake_of_ours(at_noon, noon, caplog):
    answer = noon.client.generic(
        "POST",
        "/api/v1/orders",
        content_type="application/json",
        headers={"Authorization": f"Bearer {noon.key}", "Idempotency-Key": "one"},
        **{"wsgi.input": BrokenOff(), "CONTENT_LENGTH": "1000"},
    )
    assert_refused(answer, 400, "not_json")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


class BrokenOff:
    """A body that ends with its connection."""

    def read(self, size_bytes: int = -1) -> bytes:
        """Nothing comes any more."""
        raise ConnectionResetError

    readline = read


class Endless:
    """A body that counts how much of it was read."""

    def __init__(self, size_bytes: int) -> None:
        self.left_bytes = size_bytes

    def read(self, size_bytes: int = -1) -> bytes:
        """The next bytes: spaces."""
        count = self.left_bytes if size_bytes < 0 else min(size_bytes, self.left_bytes)
        self.left_bytes -= count
        return b" " * count

    readline = read
