"""The member's pages about orders: what they show, to whom, and what they do once."""

import re
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from time import monotonic, sleep
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loyalty.models import Posting
from loyalty.services import ledger
from orders.access import order_of_source
from orders.errors import OrderUnknown
from orders.models import Order, OrderStep, Source
from orders.queries.figures import LineSpec
from orders.queries.orders import ORDERS_PER_PAGE
from orders.services.orders import cancel_order, pay_order, refund_order
from referrals.models import How
from referrals.services import attach_inviter
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON, YESTERDAY_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn
from tests.loyalty.races import race
from tests.orders.shop import balance_of
from tests.pages import Page

SPACE = "\N{NO-BREAK SPACE}"
MOST_QUERIES = 8
TOO_LATE = NOON + timedelta(hours=25)
LONGEST_SECONDS = 10


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def browser_of(client_of):
    """Gives a browser that reads English."""

    def signed_in(person) -> Client:
        client = client_of(person)
        client.cookies["django_language"] = "en"
        return client

    return signed_in


def opened(client: Client, address: str, status: int = 200) -> Page:
    response = client.get(address)
    assert response.status_code == status
    return Page(response)


def page_of(order: Order) -> str:
    return reverse("orders:order", args=[order.pk])


def points_page_of(order: Order) -> str:
    return reverse("orders:points", args=[order.pk])


def title_of(response) -> str:
    return re.search(r"<title>(.*?)</title>", response.content.decode(), re.DOTALL)[1].strip()


def hidden(page: Page, name: str) -> str:
    """The value of a hidden field of the page's form."""
    (value,) = {tag["value"] for _, tag in page.tags if tag.get("type") == "hidden" and tag["name"] == name}
    return value


def set_aside(client: Client, order: Order, points: int | str, key: object = None, **more):
    """Confirm a number of points, as the page's button does."""
    return client.post(points_page_of(order), {"points": points, "key": key or uuid4(), **more})


def take_off(client: Client, order: Order, key: object = None):
    return client.post(reverse("orders:remove_points", args=[order.pk]), {"key": key or uuid4()})


# The list


def test_list_shows_orders_newest_first_in_words(ada, browser_of, paid, placed):
    earn(ada, 1_000, at=YESTERDAY_NOON)
    paid(ada, 2_000, at=YESTERDAY_NOON, number="A-1", points=300)
    cancel_order(order=placed(ada, 700, at=YESTERDAY_NOON, number="A-2"), cancelled_at=NOON)
    placed(ada, 1_000, number="A-3", points=200)

    text = opened(browser_of(ada), "/orders/").text

    assert text.index("A-3") < text.index("A-2") < text.index("A-1")
    assert f"A-3 not paid 10 March 2026, 12:00 · Полдень 1,000{SPACE}₽ 200 set aside" in text
    assert f"A-2 cancelled 9 March 2026, 12:00 · Полдень 700{SPACE}₽" in text
    assert f"A-1 paid 9 March 2026, 12:00 · Полдень 2,000{SPACE}₽ 300 +51" in text


def test_list_shows_what_is_left_after_a_return(ada, browser_of, paid):
    earn(ada, 100)
    order = paid(ada, 1_000, points=100)
    refund_order(order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(500))

    assert f"partly returned 10 March 2026, 12:00 · Полдень 1,000{SPACE}₽ 50 +13" in (
        opened(browser_of(ada), "/orders/").text
    )


def test_list_of_nothing_shows_the_way(ada, browser_of):
    page = opened(browser_of(ada), "/orders/")

    assert "No orders yet" in page.text
    assert "Give your number" in page.text
    assert page.count("table") == 0
    assert page.hrefs(**{"class": "button"}) == [reverse("loyalty:rules") + "#earning"]


def test_list_pages_show_every_order_once_there_and_back(ada, browser_of, paid):
    count = 2 * ORDERS_PER_PAGE + 3
    for turn in range(count):
        # Three at a time share a moment, so that a page ends between two of them.
        paid(ada, 10, at=NOON - timedelta(hours=turn // 3), number=f"N{turn:03}")
    client = browser_of(ada)

    there = walk(client, "next")
    back = walk(client, "prev", there[-1][0])

    shown = [number for _, numbers in there for number in numbers]
    assert len(shown) == count == len(set(shown))
    moments = {f"N{turn:03}": turn // 3 for turn in range(count)}
    assert sorted(shown, key=lambda number: moments[number]) == shown
    assert {number for _, numbers in back for number in numbers} == set(shown)
    assert there[0][1] == back[-1][1]


def walk(client: Client, rel: str, address: str = "/orders/") -> list[tuple[str, list[str]]]:
    """Each page with the numbers on it, as long as a link leads on."""
    seen = []
    while True:
        page = opened(client, address)
        seen.append((address, re.findall(r"N\d{3}", page.text)))
        links = page.hrefs(rel=rel)
        if not links:
            return seen
        address = "/orders/" + links[0]


@pytest.mark.parametrize("place", ["before=99999999", "after=1x", "before=", "before=" + "9" * 30])
def test_list_beyond_its_end_leads_to_its_beginning(ada, browser_of, paid, place):
    order = paid(ada, 10, number="A-1")

    response = browser_of(ada).get(f"/orders/?{place}")
    if response.status_code == 302:
        assert response["Location"] == "/orders/"
    else:
        assert "A-1" in Page(response).text
    assert browser_of(ada).get(f"/orders/?before={order.pk}")["Location"] == "/orders/"


def test_list_place_of_anothers_order_is_no_place(ada, ben, browser_of, paid):
    paid(ada, 10, at=YESTERDAY_NOON)
    foreign = paid(ben, 10)

    assert browser_of(ada).get(f"/orders/?before={foreign.pk}")["Location"] == "/orders/"


def test_list_takes_as_many_queries_for_thirty_orders_as_for_one(ada, browser_of, paid):
    client = browser_of(ada)
    paid(ada, 10)
    one = queries_of(client, "/orders/")
    orders = [paid(ada, 10, at=NOON + timedelta(minutes=turn)) for turn in range(29)]

    assert queries_of(client, "/orders/") == one <= MOST_QUERIES
    assert queries_of(client, f"/orders/?before={orders[-1].pk}") == one + 1


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


# Whose orders


def test_orders_of_others_and_of_nobody_are_not_found(ada, ben, stan, browser_of, paid, placed, client):
    own, foreign, nobodys = placed(ada, 100), placed(ben, 100), placed(None, 100)
    earn(ada, 500)
    earn(ben, 500)
    browser = browser_of(ada)
    assert [browser.get(page(own)).status_code for page in (page_of, points_page_of)] == [200, 200]

    for order_id in (foreign.pk, nobodys.pk, 10**9, 10**30):
        for name in ("orders:order", "orders:points"):
            assert browser.get(reverse(name, args=[order_id])).status_code == 404
        for name in ("orders:points", "orders:remove_points"):
            answer = browser.post(reverse(name, args=[order_id]), {"points": 50, "key": uuid4()})
            assert answer.status_code == 404

    assert Posting.objects.filter(kind=Posting.Kind.HOLD).count() == 0
    assert browser_of(stan).get(page_of(own)).status_code == 404
    for address in ("/orders/", page_of(own), points_page_of(own)):
        assert client.get(address)["Location"] == f"/accounts/login/?next={address}"


def test_a_source_finds_its_own_orders_only(ada, shop, placed):
    order = placed(ada, 100, number="7")
    other = Source.objects.create(code="other", name="Другой")

    assert order_of_source(shop, "7") == order
    for source, number in [(other, "7"), (shop, "8")]:
        with pytest.raises(OrderUnknown) as refusal:
            order_of_source(source, number)
        assert number in str(refusal.value)


# One order


def test_order_shows_lines_returns_payment_and_why_it_earned(ada, browser_of, paid):
    publish_edition(("Silver", 0, "0.05"), waiting_days=14)
    earn(ada, 300, at=YESTERDAY_NOON)
    lines = [
        LineSpec(name="Coffee", category="Beans", line_sum=Decimal(2_000), quantity=Decimal(2)),
        LineSpec(name="Cheese", line_sum=Decimal("700.50"), quantity=Decimal("0.350")),
    ]
    order = paid(
        ada, "3000.50", number="A-7", lines=lines, delivery_sum=Decimal(300), points=270, at=YESTERDAY_NOON
    )
    refund_order(order=order, key=uuid4(), refunded_at=NOON, line_sums={1: Decimal(1_000)})

    page = opened(browser_of(ada), page_of(order))

    text = page.text
    assert "Order A-7 partly returned" in text
    assert f"Coffee Beans 2 2,000{SPACE}₽ 1,000{SPACE}₽" in text
    assert f"Cheese 0.35 700.50{SPACE}₽" in text
    for pair in (
        f"Goods 2,700.50{SPACE}₽ Delivery 300{SPACE}₽ Total 3,000.50{SPACE}₽",
        f"Paid with points 270{SPACE}points Paid in money 2,730.50{SPACE}₽",
        f"Returned in money 901{SPACE}₽ Returned in points 99{SPACE}points",
        f"2,430.50{SPACE}₽ × 5% (Silver since 9 March 2026, edition 2), rounded down = 121{SPACE}points",
        f"121 − 45 taken back with what was returned = 76{SPACE}points",
        f"Can be spent from 23 March 2026 76{SPACE}points",
    ):
        assert pair in text
    order.refresh_from_db()
    assert (order.earned_points, order.taken_back_points, order.given_back_points) == (121, 45, 99)
    steps = text[text.index("What happened") :]
    assert f"Placed 3,000.50{SPACE}₽, 270{SPACE}points set aside 9 March 2026, 12:00" in steps
    assert f"Paid 2,730.50{SPACE}₽ in money, 270{SPACE}points spent, 121{SPACE}points earned" in steps
    assert f"Returned in part 901{SPACE}₽ returned in money, 99{SPACE}points given back, 45{SPACE}" in steps


def test_order_leads_to_each_of_its_operations(ada, browser_of, placed):
    publish_edition(("Everyone", 0, "0.05"), waiting_days=14)
    earn(ada, 300)
    order = pay_order(order=placed(ada, 1_000, points=100), paid_at=NOON)
    ledger.settle_due(at=NOON + timedelta(days=15), limit=10)
    client = browser_of(ada)

    links = [link for link in opened(client, page_of(order)).hrefs() if link.startswith("/operations/")]

    kinds = [Posting.objects.get(pk=int(link.split("/")[2])).kind for link in links if link != "/operations/"]
    assert kinds == ["hold", "capture", "credit", "mature"]
    assert {client.get(link).status_code for link in links} == {200}


def test_order_keeps_an_inviters_share_to_the_inviter(ada, ben, browser_of, paid):
    publish_edition(("Everyone", 0, "0.05"))
    attach_inviter(inviter=ben, invited=ada, since_at=NOON, how=How.LINK)
    order = paid(ada, 10_000)

    assert opened(browser_of(ada), page_of(order)).text.count("+500") == 1


def test_order_that_earned_nothing_says_so(ada, browser_of, paid, placed):
    publish_edition(("Everyone", 0, "0"))
    client = browser_of(ada)

    assert "This order earned no points." in opened(client, page_of(paid(ada, 100))).text
    cancelled = cancel_order(order=placed(ada, 100), cancelled_at=NOON)
    assert "cancelled before it was paid" in opened(client, page_of(cancelled)).text


def test_case_105_an_order_cancelled_twice_shows_one_return(ada, browser_of, paid):
    publish_edition(("Everyone", 0, "0"))
    earn(ada, 1_000)
    order = paid(ada, 2_000, points=300)
    cancel_order(order=order, cancelled_at=AN_HOUR_LATER)
    cancel_order(order=order, cancelled_at=TOMORROW_NOON)

    text = opened(browser_of(ada), page_of(order)).text

    assert text.count(f"Cancelled 1,700{SPACE}₽ returned in money, 300{SPACE}points given back") == 1
    assert balance_of(ada, TOMORROW_NOON).available_points == 1_000


def test_order_takes_as_many_queries_for_thirty_lines_as_for_one(ada, browser_of, paid):
    client = browser_of(ada)
    counts = {
        queries_of(
            client,
            page_of(paid(ada, 30, lines=[LineSpec(name="a", line_sum=Decimal(30) / count)] * count)),
        )
        for count in (1, 30)
    }
    assert len(counts) == 1


# Paying with points: what is offered


def test_unpaid_order_leads_to_its_points_and_says_what_it_would_earn(ada, browser_of, placed):
    earn(ada, 500)
    order = placed(ada, 1_000)

    page = opened(browser_of(ada), page_of(order))

    assert f"Paid today, it earns 30{SPACE}points: 1,000{SPACE}₽ × 3%" in page.text
    assert points_page_of(order) in page.hrefs(**{"class": "button first"})


def test_points_page_offers_the_most_at_first(ada, browser_of, placed):
    publish_edition(("Silver", 0, "0.05"), redemption_cap_rate=Decimal("0.2"))
    earn(ada, 500)
    order = placed(ada, 999)

    page = opened(browser_of(ada), points_page_of(order))

    assert f"With 199{SPACE}points Total 999{SPACE}₽ Left to pay 800{SPACE}₽" in page.text
    assert f"The order then earns 800{SPACE}₽ × 5% (Silver) 40{SPACE}points" in page.text
    assert "The points wait for the order until 11 March 2026, 12:00." in page.text
    assert f"Set aside 199{SPACE}points" in page.text
    assert hidden(page, "points") == "199"


def test_points_page_recalculates_what_is_asked(ada, browser_of, placed):
    earn(ada, 2_000)
    order = placed(ada, 5_000)

    page = opened(browser_of(ada), points_page_of(order) + "?points=1 500")

    assert f"Set aside 1,500{SPACE}points" in page.text
    assert (hidden(page, "points"), "1 500") == ("1500", values_of(page, "points")[0])


def values_of(page: Page, name: str) -> list[str]:
    return [tag.get("value", "") for _, tag in page.tags if tag.get("name") == name]


@pytest.mark.parametrize(
    ("case", "edition", "total", "asked", "sentence"),
    [
        (
            75,
            {"redemption_cap_rate": Decimal("0.5")},
            10_000,
            10_000,
            f"Enter 5,000 points at most. Points can pay for at most 50% of this order: 5,000{SPACE}points.",
        ),
        (
            77,
            {"redemption_minimum_points": 500},
            5_000,
            400,
            "At least 500 points must be spent on an order.",
        ),
        (
            79,
            {"redemption_cap_rate": Decimal("0.2")},
            333,
            67,
            f"Enter 66 points at most. Points can pay for at most 20% of this order: 66{SPACE}points.",
        ),
        (81, {}, 50_000, 20_000, "Enter 10,000 points at most. 10,000 points are available."),
        (133, {}, 5_000, "1,500", "Enter whole points, without a comma or a full stop: 1500."),
    ],
)
def test_cases_75_to_81_and_133_what_is_beyond_gets_a_sentence_and_is_kept(
    ada, browser_of, placed, case, edition, total, asked, sentence
):
    publish_edition(("Everyone", 0, "0.05"), **edition)
    earn(ada, 10_000)
    order = placed(ada, total)
    client = browser_of(ada)

    asking = client.get(points_page_of(order), {"points": asked})
    confirming = set_aside(client, order, asked)

    assert (asking.status_code, confirming.status_code) == (200, 422)
    for response in (asking, confirming):
        page = Page(response)
        assert sentence in page.text
        assert title_of(response).startswith("Error:")
        assert values_of(page, "points") == [str(asked)]
        assert "Set aside" not in page.text
    assert balance_of(ada).held_points == 0


@pytest.mark.parametrize(("total", "most"), [(333, 66), (999, 199)])
def test_case_83_the_servers_price_and_cap_count_whatever_the_browser_sends(
    ada, browser_of, placed, total, most
):
    publish_edition(redemption_cap_rate=Decimal("0.2"))
    earn(ada, 1_000)
    order = placed(ada, total)
    lies = {"total_sum": 100_000, "cap_points": 1_000, "cap_rate": "1", "spendable_points": 1_000}

    assert set_aside(browser_of(ada), order, most + 1, **lies).status_code == 422
    assert balance_of(ada).held_points == 0
    assert set_aside(browser_of(ada), order, most, **lies).status_code == 302
    assert balance_of(ada).held_points == most


def test_points_page_says_why_nothing_can_be_spent(ada, browser_of, placed):
    order = placed(ada, 1_000)

    page = opened(browser_of(ada), points_page_of(order))

    assert "No points are available at present." in page.text
    assert values_of(page, "points") == []
    assert points_page_of(order) not in opened(browser_of(ada), page_of(order)).hrefs()


def test_points_page_offers_nothing_beyond_the_cap_that_is_reached(ada, browser_of, placed):
    publish_edition(redemption_cap_rate=Decimal("0.2"))
    earn(ada, 1_000)
    order = placed(ada, 1_000, points=200)

    page = opened(browser_of(ada), points_page_of(order))

    assert f"Points can pay for at most 20% of this order: 200{SPACE}points." in page.text
    assert values_of(page, "points") == []


def test_points_page_gives_htmx_only_the_quote(ada, browser_of, placed, client):
    earn(ada, 500)
    order = placed(ada, 1_000)
    browser = browser_of(ada)

    part = Page(browser.get(points_page_of(order), {"points": 100}, headers={"HX-Request": "true"}))
    wrong = Page(browser.get(points_page_of(order), {"points": "1e3"}, headers={"HX-Request": "true"}))
    pay_order(order=order, paid_at=NOON)
    late = browser.get(points_page_of(order), {"points": 100}, headers={"HX-Request": "true"})
    stranger = client.get(points_page_of(order), headers={"HX-Request": "true"})

    assert (part.count("h1"), hidden(part, "points")) == (0, "100")
    assert "Enter the number in digits only, without letters: 1500." in wrong.text
    assert (late["HX-Refresh"], stranger["HX-Refresh"]) == ("true", "true")


# Paying with points: what happens


def test_points_are_set_aside_and_spent_as_the_page_said(ada, browser_of, placed):
    publish_edition(("Silver", 0, "0.05"))
    earn(ada, 500)
    order = placed(ada, 1_500, number="N-9")
    client = browser_of(ada)
    page = opened(client, points_page_of(order) + "?points=200")
    assert f"The order then earns 1,300{SPACE}₽ × 5% (Silver) 65{SPACE}points" in page.text

    response = set_aside(client, order, hidden(page, "points"), hidden(page, "key"))

    assert response["Location"] == page_of(order)
    text = opened(client, page_of(order)).text
    assert f"Set aside for order N-9: 200{SPACE}points. Left to pay: 1,300{SPACE}₽." in text
    assert f"Set aside until 11 March 2026, 12:00 200{SPACE}points Left to pay 1,300{SPACE}₽" in text
    step = order.steps.get(kind=OrderStep.Kind.POINTS_ADDED)
    assert (step.held_points, step.actor_id) == (200, ada.user.pk)
    order = pay_order(order=order, paid_at=AN_HOUR_LATER)
    assert (order.spent_points, order.earned_points) == (200, 65)


def test_case_87_points_are_added_twice_and_both_are_shown(ada, browser_of, placed):
    earn(ada, 1_000)
    order = placed(ada, 2_000)
    client = browser_of(ada)
    set_aside(client, order, 300)

    set_aside(client, order, 200)

    text = opened(client, page_of(order)).text
    assert f"Points set aside 300{SPACE}points 10 March" in text
    assert f"Points set aside 200{SPACE}points 10 March" in text
    assert f"Left to pay 1,500{SPACE}₽" in text
    assert pay_order(order=order, paid_at=NOON).spent_points == 500


@pytest.mark.parametrize("has_points", [200, 500])
def test_a_form_sent_again_sets_aside_once(ada, browser_of, placed, has_points):
    """Refresh, or Back and the button again: whether or not more could be set aside by now."""
    earn(ada, has_points)
    order = placed(ada, 1_000)
    client = browser_of(ada)
    key = uuid4()

    answers = [set_aside(client, order, points, key) for points in (200, 200, 150)]

    assert {answer["Location"] for answer in answers} == {page_of(order)}
    assert balance_of(ada).held_points == 200
    assert opened(client, page_of(order)).text.count(f"Left to pay: 800{SPACE}₽.") == 1


def test_a_form_without_its_key_is_shown_again(ada, browser_of, placed):
    earn(ada, 200)
    order = placed(ada, 1_000)

    for key in ("", "1"):
        response = browser_of(ada).post(points_page_of(order), {"points": 100, "key": key})
        assert response.status_code == 422
        assert "This page was out of date." in Page(response).text
    assert balance_of(ada).held_points == 0


def test_a_balance_that_changed_meanwhile_is_shown_with_the_filled_form(ada, browser_of, placed):
    earn(ada, 500)
    order = placed(ada, 1_000)
    client = browser_of(ada)
    key = hidden(opened(client, points_page_of(order) + "?points=400"), "key")
    ledger.spend(key=uuid4(), account_id=ada.pk, points=300, at=NOON)

    response = set_aside(client, order, 400, key)

    page = Page(response)
    assert response.status_code == 422
    assert "Enter 200 points at most. 200 points are available." in page.text
    assert values_of(page, "points") == ["400"]


def test_case_131_points_are_taken_off_the_order_once(ada, browser_of, placed):
    earn(ada, 100)
    order = placed(ada, 1_000, number="N-9", points=15)
    client = browser_of(ada)
    key = hidden(opened(client, page_of(order)), "key")

    for _ in range(2):
        assert take_off(client, order, key)["Location"] == page_of(order)

    text = opened(client, page_of(order)).text
    assert text.count("The points are off order N-9 and can be spent again.") == 1
    assert f"Points taken off the order 15{SPACE}points 10 March" in text
    assert balance_of(ada).available_points == 100
    assert order.steps.filter(kind=OrderStep.Kind.POINTS_REMOVED).count() == 1


def test_points_are_taken_off_by_a_form_only(ada, browser_of, placed):
    order = placed(ada, 1_000)

    assert browser_of(ada).get(reverse("orders:remove_points", args=[order.pk])).status_code == 405


@pytest.mark.parametrize(("step", "status"), [(pay_order, "paid"), (cancel_order, "cancelled")])
def test_an_order_that_is_closed_takes_no_points(ada, browser_of, placed, step, status):
    earn(ada, 500)
    order = placed(ada, 1_000, number="N-9")
    moment = "paid_at" if step is pay_order else "cancelled_at"
    step(order=order, **{moment: NOON})
    client = browser_of(ada)

    asking, confirming = client.get(points_page_of(order)), set_aside(client, order, 100)

    assert (asking.status_code, confirming.status_code) == (200, 422)
    for response in (asking, confirming):
        assert f"Order N-9 is {status}. Points can be set aside only" in Page(response).text
    take_off(client, order)
    assert f"Order N-9 is {status}: this cannot be done" in opened(client, page_of(order)).text
    assert balance_of(ada).held_points == 0


def test_points_whose_time_ran_out_are_explained_and_chosen_anew(ada, browser_of, placed):
    earn(ada, 500)
    order = placed(ada, 1_000, points=400)
    client = browser_of(ada)

    with time_machine.travel(TOO_LATE, tick=False):
        for address in (page_of(order), points_page_of(order)):
            assert f"so the 400{SPACE}points set aside for it came free" in opened(client, address).text
        assert set_aside(client, order, 100).status_code == 422
        take_off(client, order)
        assert set_aside(client, order, 500).status_code == 302

    assert balance_of(ada, TOO_LATE).held_points == 500


# Many at once, over real connections


@pytest.mark.django_db(transaction=True)
def test_two_fast_sends_of_one_form_have_one_effect_and_one_answer(ada, browser_of, placed):
    earn(ada, 200)
    order = placed(ada, 1_000)
    clients = [browser_of(ada) for _ in range(4)]
    key = uuid4()

    answers = race(*[lambda client=client: set_aside(client, order, 200, key) for client in clients])

    assert [answer["Location"] for answer in answers] == [page_of(order)] * 4
    assert balance_of(ada).held_points == 200


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_pay_two_orders_at_once_spend_no_point_twice(ada, browser_of, placed):
    earn(ada, 200)
    orders = [placed(ada, 1_000) for _ in range(4)]
    clients = [browser_of(ada) for _ in orders]

    answers = race(
        *[
            lambda client=client, order=order: set_aside(client, order, 200)
            for client, order in zip(clients, orders, strict=True)
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [302, 422, 422, 422]
    assert balance_of(ada).held_points == 200


@pytest.mark.django_db(transaction=True)
def test_points_that_go_while_the_form_waits_are_a_lost_race(ada, browser_of, placed):
    """The form was checked and waits for the account, whose points another payment takes."""
    earn(ada, 500)
    order = placed(ada, 1_000)
    client = browser_of(ada)
    answers = []

    def confirm() -> None:
        answers.append(set_aside(client, order, 400))
        connection.close()

    tab = Thread(target=confirm)
    with transaction.atomic():
        ledger.lock_accounts(ada.pk)
        tab.start()
        wait_until_somebody_waits()
        ledger.spend(key=uuid4(), account_id=ada.pk, points=300, at=NOON)
    tab.join(LONGEST_SECONDS)

    (response,) = answers
    page = Page(response)
    assert response.status_code == 422
    assert "There are not enough points: 200 points are available." in page.text
    assert f"Available 200{SPACE}points" in page.text
    assert values_of(page, "points") == ["400"]
    assert balance_of(ada).held_points == 0


def wait_until_somebody_waits() -> None:
    """Return when another connection of this database waits for a lock."""
    until = monotonic() + LONGEST_SECONDS
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            assert monotonic() < until, "nobody waited"
            sleep(0.01)
