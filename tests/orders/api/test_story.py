"""What a shop lives through over the API, and that the member sees the same numbers."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils.html import strip_tags

from loyalty.services import ledger
from orders.services.joining import join_programme
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import UserFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, give, new_key
from tests.orders.api.shops import assert_refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


def test_a_member_is_registered_and_found_however_they_are_named(noon):
    number = noon.register(
        "Мария",
        last_name="Петрова",
        email=" Maria@Example.COM ",
        phone="8 (916) 123-45-67",
        customer_id="C-1001",
        language="en",
        agrees_to_advertising=True,
    )
    expected = {
        "number": number,
        "name": "Мария П.",
        "customer_id": "C-1001",
        "language": "en",
        "joined_at": "2026-03-10T12:00:00+03:00",
        "email_is_verified": False,
        "phone_is_verified": False,
    }
    for named in (
        {"number": number},
        {"number": f"{number[:4]} {number[4:8]}\u00a0{number[8:]}"},
        {"email": "maria@example.com"},
        {"email": "MARIA@EXAMPLE.COM"},
        {"phone": "+79161234567"},
        {"phone": "+7 916 123-45-67"},
        {"phone": "9161234567"},
        {"customer_id": "C-1001"},
    ):
        assert noon.ask("/members/search", **named).json() == expected, named
    assert noon.get(f"/members/{number}").json() == expected
    for named in ({"email": "mary@example.com"}, {"phone": "+7 916 123-45-68"}, {"customer_id": "c-1001"}):
        assert_refused(noon.ask("/members/search", **named), 404, "member_not_found")


def test_an_order_s_whole_life_to_the_last_number(noon):
    publish_edition(("Bronze", 0, "0.05"), ("Silver", 10_000, "0.07"), excluded_categories=["gifts"])
    member = noon.register("Ада", customer_id="C-1")
    noon.sell("A-0", member, "8000")
    assert noon.balance(member)["available_points"] == 400

    basket = {
        "total_sum": "4990.00",
        "delivery_sum": "290.00",
        "lines": [
            {"name": "Кофе, 1 кг", "line_sum": "3600.00", "quantity": "2", "category": "coffee"},
            {"name": "Чай", "line_sum": "900.00", "quantity": "0.350"},
            {"name": "Подарочная карта", "line_sum": "200.00", "category": "gifts"},
        ],
        "points": 235,
    }
    quoted = noon.ask("/quotes", customer_id="C-1", **basket).json()
    # 4 500 of goods earn, of which points pay 235/4 700: 4 500 − 225 = 4 275; Silver is reached: 7 %.
    assert (
        quoted
        | {
            "tier": "Silver",
            "tier_after": "Silver",
            "coefficient": "0.0700",
            "base_sum": "4275.00",
            "excluded_sum": "200.00",
            "points_part_sum": "225.00",
            "earned_points": 299,
            "points": 235,
            "to_pay_sum": "4755.00",
            "spendable_points": 400,
            "available_points": 400,
            "limited_by": "balance",
        }
        == quoted
    )

    order = {"number": "A-1", "customer_id": "C-1", "outlet": "Арбат", **basket}
    placed = noon.write("/orders", order).json()
    assert (placed["status"], placed["held_points"], placed["to_pay_sum"]) == ("new", 235, "4755.00")
    told = noon.balance(member)
    assert (told["available_points"], told["held_points"]) == (165, 235)
    assert told["held"][0]["order_number"] == "A-1"

    paid = noon.step("A-1", "pay")
    assert paid["earning"] == {"edition": 2, "tier": "Silver", "coefficient": "0.0700"}
    assert (paid["status"], paid["spent_points"], paid["earned_points"]) == ("paid", 235, 299)
    told = noon.balance(member)
    assert (told["available_points"], told["held_points"]) == (165 + 299, 0)
    assert told["tier"]["paid_sum"] == "12755.00"

    # One of the two packets goes back: 1 800 of 4 700 of the goods, with 1 800 × 235 / 4 700 = 90 points.
    part = noon.step("A-1", "refund", lines=[{"position": 1, "line_sum": "1800.00"}])
    assert (part["status"], part["refunded_sum"]) == ("partly_refunded", "1800.00")
    # What is kept earns (2 700 − 135) × 7 % = 179.
    assert (part["given_back_points"], part["taken_back_points"]) == (90, 299 - 179)
    assert [line["refunded_sum"] for line in part["lines"]] == ["1800.00", "0.00", "0.00"]
    told = noon.balance(member)
    assert told["available_points"] == 165 + 179 + 90
    assert told["tier"]["paid_sum"] == "11045.00"

    whole = noon.step("A-1", "refund", is_whole=True)
    assert (whole["status"], whole["refunded_sum"]) == ("refunded", "4990.00")
    assert (whole["given_back_points"], whole["taken_back_points"]) == (235, 299)
    assert noon.balance(member)["available_points"] == 400
    assert noon.balance(member)["tier"]["paid_sum"] == "8000.00"
    assert [step["money_sum"] for step in whole["steps"]] == ["4990.00", "4755.00", "-1710.00", "-3045.00"]
    assert noon.get("/orders/A-1").json() == whole

    noon.place("A-2", member, "100", points=50)
    assert noon.step("A-2", "cancel")["status"] == "cancelled"
    assert noon.balance(member)["available_points"] == 400
    noon.sell("A-3", member, "1000")
    assert noon.step("A-3", "cancel")["taken_back_points"] == 50

    operations = noon.get(f"/members/{member}/operations").json()["operations"]
    assert sum(operation["available_points"] for operation in operations) == 400
    running = 0
    for operation in operations:
        running += operation["available_points"]
        assert operation["available_after_points"] == running

    day = noon.get("/sums", day="2026-03-10").json()
    assert day == {
        "day": "2026-03-10",
        "placed_count": 4,
        "paid_count": 3,
        "paid_sum": "13755.00",
        "spent_points": 235,
        "earned_points": 400 + 299 + 50,
        "refunded_count": 2,
        "refunded_sum": "5755.00",
        "given_back_points": 235,
        "taken_back_points": 299 + 50,
        "cancelled_count": 2,
        "net_sum": "8000.00",
    }


def test_a_day_s_sums_are_those_of_its_orders(noon, ada):
    """Days begin at midnight of the programme's zone, by the moments that the shop has told."""
    moments = ("2026-03-08T23:59:59+03:00", "2026-03-09T00:00:00+03:00", "2026-03-09T20:59:59Z")
    for turn, moment in enumerate((*moments, "2026-03-09T21:00:00Z")):
        order = {"number": f"A-{turn}", "member": ada.number, "total_sum": f"{turn + 1}00", "paid_at": moment}
        assert noon.write("/orders", order).status_code == 201
    sums = {day: noon.get("/sums", day=f"2026-03-{day}").json() for day in ("08", "09", "10")}
    assert [sums[day]["paid_sum"] for day in sums] == ["100.00", "500.00", "400.00"]
    assert [sums[day]["earned_points"] for day in sums] == [3, 15, 12]
    assert sum(Decimal(day["net_sum"]) for day in sums.values()) == 1000


def test_the_same_numbers_on_the_page_in_the_api_and_in_the_export(noon, ada, ben, client_of):
    """A rich history: earned, held, spent, given back, taken back, transferred, adjusted, expired."""
    publish_edition(("Bronze", 0, "0.05"), ("Silver", 3_000, "0.07"))
    earn(ada, 40, until=NOON.date())
    earn(ada, 700, until=NOON.date().replace(month=6))
    earn(ada, 25, available_at=TOMORROW_NOON.replace(day=20))
    noon.sell("A-1", ada, "4000", points=300)
    noon.step("A-1", "refund", goods_sum="1000")
    noon.sell("A-2", ada, "500")
    noon.step("A-2", "cancel")
    noon.place("A-3", ada, "900", points=120)
    give(ada, ben, 15)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-5, at=NOON)
    with time_machine.travel(NOON + timedelta(hours=18), tick=False):
        browser = client_of(ada)
        told = noon.balance(ada)
        operations = noon.get(f"/members/{ada.number}/operations").json()["operations"]

        page = text_of(browser.get("/"))
        for points in (told["available_points"], told["pending_points"], told["held_points"]):
            assert points
            assert str(points) in page
        assert digits(Decimal(told["tier"]["paid_sum"])) in digits(text_of(browser.get("/why/")))
        for part in told["expiries"]:
            assert str(part["points"]) in page
        assert sum(part["points"] for part in told["expiries"]) == told["available_points"]
        assert sum(part["points"] for part in told["pending"]) == told["pending_points"]
        assert sum(part["points"] for part in told["held"]) == told["held_points"]

        assert sum(operation["available_points"] for operation in operations) == told["available_points"]
        assert sum(operation["pending_points"] for operation in operations) == told["pending_points"]
        assert sum(operation["held_points"] for operation in operations) == told["held_points"]
        assert operations[-1]["available_after_points"] == told["available_points"]
        assert len({operation["kind"] for operation in operations}) >= 7

        listed = text_of(browser.get("/operations/"))
        for operation in operations:
            assert " ".join(operation["title"].split()) in listed
            one = text_of(browser.get(f"/operations/{operation['number']}/"))
            assert str(abs(operation["available_points"] or operation["pending_points"])) in one

        exported = b"".join(browser.get("/operations/operations.csv").streaming_content).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(exported), delimiter=";"))
        number, part, points, after = (list(rows[0])[place] for place in (2, 7, 8, 10))
        parts = {row[part] for row in rows}
        by_operation = {
            operation["number"]: sum(
                int(row[points]) for row in rows if int(row[number]) == operation["number"]
            )
            for operation in operations
        }
        assert by_operation == {
            operation["number"]: sum(
                operation[f"{bucket}_points"] for bucket in ("available", "pending", "held", "debt")
            )
            for operation in operations
        }
        assert sum(int(row[points]) for row in rows) == sum(
            told[f"{bucket}_points"] for bucket in ("available", "pending", "held")
        )
        assert int(rows[0][after]) == told["available_points"]
        assert len(parts) >= 3


def test_what_the_member_s_page_of_an_order_says_is_what_the_shop_is_told(noon, ada, client_of):
    earn(ada, 500)
    noon.sell("A-1", ada, "4000", points=300)
    told = noon.step("A-1", "refund", goods_sum="1000")
    order = noon.source.orders.get(number="A-1")
    page = digits(text_of(client_of(ada).get(f"/orders/{order.pk}/")))
    for step in told["steps"]:
        assert f"{digits(abs(Decimal(step['money_sum'])))} ₽" in page
    for name in ("earned_points", "spent_points", "given_back_points", "taken_back_points"):
        assert f"{told[name]} балл" in page, name


def test_an_order_of_somebody_who_joins_is_told_to_the_shop_as_changed(noon):
    noon.sell("A-1", None, "1000", phone="+7 916 123-45-67", email="eve@example.com")
    with time_machine.travel(AN_HOUR_LATER, tick=False):
        user = UserFactory(email="eve@example.com")
        eve = join_programme(
            user=user, verified_email="eve@example.com", joined_at=AN_HOUR_LATER, language="ru"
        )
        assert noon.get("/orders/A-1").json()["earned_points"] == 30
        assert noon.ask("/members/search", email="eve@example.com").json()["email_is_verified"] is True
        assert noon.balance(eve)["available_points"] == 30


def text_of(answer) -> str:
    """What a person reads on a page."""
    assert answer.status_code == 200
    return " ".join(strip_tags(answer.content.decode()).split())


def digits(text: object) -> str:
    """The figures alone, without what stands between their groups; a whole sum without its kopecks."""
    if isinstance(text, Decimal):
        text = f"{text.normalize():f}"
    return re.sub(r"(?<=\d)[\s\u00a0\u202f](?=\d{3})", "", str(text))
