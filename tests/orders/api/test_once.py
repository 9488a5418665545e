"""One Idempotency-Key, one effect, one answer: also when it was a refusal."""

import pytest

from orders.models import ApiRequest, Order
from orders.services.api_keys import revoke_key
from tests.loyalty.points import earn
from tests.orders.api.calls import WRITES, sale
from tests.orders.api.shops import Shop, assert_refused
from tests.orders.api.traces import traces

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", WRITES)
def test_a_request_sent_again_gets_the_same_answer_to_the_byte_and_does_nothing(name, world, noon):
    first = world[name].by(noon)
    before = traces()
    again = world[name].by(noon)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Content-Type"] == first["Content-Type"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert traces() == before


def test_a_refusal_stays_one_after_its_reason_has_gone(world, noon, ada):
    placing = {"number": "A-9", "member": ada.number, "total_sum": "9000.00", "points": 3000}
    first = noon.write("/orders", placing, once="dear")
    assert_refused(first, 409, "not_enough_points")
    earn(ada, 5000)
    again = noon.write("/orders", placing, once="dear")
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotency-Replayed"] == "true"
    assert not Order.objects.filter(number="A-9").exists()
    assert noon.write("/orders", placing, once="another").status_code == 201


def test_a_refusal_of_an_unknown_order_is_kept_too(noon):
    assert_refused(noon.write("/orders/A-1/pay", once="early"), 404, "order_not_found")
    noon.place("A-1", None, "100")
    again = noon.write("/orders/A-1/pay", once="early")
    assert_refused(again, 404, "order_not_found")
    assert again["Idempotency-Replayed"] == "true"


def test_other_content_under_the_same_key_is_refused_and_changes_nothing(world, noon):
    call = world["place_order"]
    call.by(noon)
    before = traces()
    for fields in (
        {**call.fields, "total_sum": "1000.01"},
        {**call.fields, "number": "A-other"},
        {**call.fields, "points": 1},
        {**call.fields, "placed_at": "2026-03-10T12:00:00+03:00"},
    ):
        answer = call.by(noon, fields=fields)
        assert_refused(answer, 422, "idempotency_key_reused", "Idempotency-Key")
        assert "Idempotency-Replayed" not in answer
    # The answer of then is still there.
    assert call.by(noon)["Idempotency-Replayed"] == "true"
    assert traces() == before


def test_the_same_key_for_another_operation_is_other_content(world, noon):
    noon.write("/orders/A-new/pay", {}, once="one")
    before = traces()
    for path in ("/orders/A-new/cancel", "/orders/A-paid/pay", "/orders/A-new/refund"):
        assert_refused(noon.write(path, {}, once="one"), 422, "idempotency_key_reused")
    assert traces() == before


def test_spaces_and_the_order_of_names_do_not_count(noon):
    fields = {"number": "A-1", "total_sum": "100.00", "lines": [{"name": "Чай", "line_sum": "100.00"}]}
    first = noon.write("/orders", fields, once="one")
    line = '{"line_sum": "100.00",\n"name": "\\u0427ай"}'
    turned = f'{{ "lines" : [ {line} ], "total_sum": "100.00",\t"number":"A-1"}}'
    again = noon.send("POST", "/orders", content=turned, once="one")
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"


def test_the_order_of_lines_counts(noon):
    lines = [{"name": "Чай", "line_sum": "40"}, {"name": "Мёд", "line_sum": "60"}]
    noon.write("/orders", {"number": "A-1", "total_sum": "100", "lines": lines}, once="one")
    turned = noon.write("/orders", {"number": "A-1", "total_sum": "100", "lines": lines[::-1]}, once="one")
    assert_refused(turned, 422, "idempotency_key_reused")


def test_two_sources_may_use_the_same_key(noon, dusk):
    fields = {"number": "A-1", "total_sum": "100"}
    for shop in (noon, dusk):
        answer = shop.write("/orders", fields, once="one")
        assert answer.status_code == 201
        assert "Idempotency-Replayed" not in answer
    assert ApiRequest.objects.count() == 2


def test_two_keys_of_one_source_share_their_requests(noon):
    other = Shop(noon.source)
    first = noon.write("/orders", {"number": "A-1", "total_sum": "100"}, once="one")
    again = other.write("/orders", {"number": "A-1", "total_sum": "100"}, once="one")
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"


def test_a_replay_needs_a_key_that_works(noon):
    noon.write("/orders", {"number": "A-1", "total_sum": "100"}, once="one")
    revoke_key(key=noon.source.api_keys.get(), at=noon.source.api_keys.get().created_at)
    assert_refused(
        noon.write("/orders", {"number": "A-1", "total_sum": "100"}, once="one"), 401, "key_revoked"
    )


def test_a_request_that_cannot_be_taken_is_not_kept(noon):
    good = {"number": "A-1", "total_sum": "100"}
    malformed = [
        (400, {"content": "{"}),
        (401, {"Authorization": ""}),
        (415, {"content_type": "text/plain"}),
        (422, {"fields": {**good, "total_sum": "a hundred"}}),
        (422, {"parameters": {"nothing": "1"}}),
    ]
    for status, how in malformed:
        answer = noon.send("POST", "/orders", **({"fields": good, "once": "one"} | how))
        assert answer.status_code == status
    assert not ApiRequest.objects.exists()
    mended = noon.write("/orders", good, once="one")
    assert mended.status_code == 201
    assert "Idempotency-Replayed" not in mended


@pytest.mark.parametrize("key", ["", " ", "two words", "a\tb", "a\x01b", "\x7f", "ключ", "x" * 256, None])
def test_a_missing_or_strange_idempotency_key_is_refused(key, noon):
    before = traces()
    for name, path, fields in (
        ("place", "/orders", {"number": "A-1", "total_sum": "100"}),
        ("batch", "/order-batches", {"orders": [sale("B-1")]}),
    ):
        answer = noon.send("POST", path, fields, once=key)
        problem = assert_refused(answer, 422, "invalid_request", "Idempotency-Key")
        assert [error["field"] for error in problem["errors"]] == ["Idempotency-Key"], name
    assert traces() == before


@pytest.mark.parametrize("key", ["1", "x" * 255, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\"])
def test_any_other_idempotency_key_is_taken(key, noon):
    fields = {"number": "A-1", "total_sum": "100"}
    assert noon.write("/orders", fields, once=key).status_code == 201
    assert noon.write("/orders", fields, once=key)["Idempotency-Replayed"] == "true"


def test_a_refund_under_a_key_of_its_own_each_is_made_each_time(noon):
    noon.sell("A-1", None, "100")
    for refunded in ("30.00", "60.00", "90.00"):
        assert noon.step("A-1", "refund", goods_sum="30.00")["refunded_sum"] == refunded


def test_a_key_of_a_refund_that_was_refused_may_not_be_used_for_the_right_one(noon):
    noon.sell("A-1", None, "100")
    assert_refused(noon.write("/orders/A-1/refund", {"goods_sum": "101"}, once="one"), 409, "above_order")
    assert_refused(
        noon.write("/orders/A-1/refund", {"goods_sum": "100"}, once="one"), 422, "idempotency_key_reused"
    )
    assert noon.get("/orders/A-1").json()["refunded_sum"] == "0.00"
