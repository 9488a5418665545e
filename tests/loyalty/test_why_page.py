"""The page that says why a member has that many points, and what the balance page draws."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from loyalty.points_wording import LINES, lines
from loyalty.queries.balance import balance
from loyalty.queries.breakdown import LineKind, breakdown, breakdown_of
from loyalty.queries.filters import EVERYTHING
from loyalty.queries.operations import operations_page
from loyalty.queries.places import COUNTED_ENTRIES
from loyalty.queries.turnover import turnover
from loyalty.templatetags.numbers import figures, points, signed
from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.lives import earn_many, live
from tests.loyalty.points import earn, settle, spend, take_back
from tests.loyalty.races import race
from tests.pages import opened


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client(ada, client_of) -> Client:
    """Ada's browser, in English."""
    client = client_of(ada)
    client.cookies["django_language"] = "en"
    return client


# Why this number


@pytest.mark.django_db(transaction=True)
def test_the_sum_is_of_one_moment(ada, client, monkeypatch):
    earn(ada, 100)

    def meanwhile(own, *, account_id):
        race(lambda: earn(ada, 50))
        return breakdown_of(own, account_id=account_id)

    monkeypatch.setattr("loyalty.views.points.breakdown_of", meanwhile)
    page = opened(client, "/why/")

    assert "100" in page.text
    assert "150" not in page.text


def test_every_line_of_the_sum_is_told_and_leads_to_its_operations(ada, ben, client, in_english):
    live(ada, ben)
    settle(NOON)
    found = breakdown(account_id=ada.pk, at=NOON)
    assert len(found.lines) >= 8

    page = opened(client, "/why/")

    for line in lines(found):
        assert f"{line.text} {signed(line.points)}" in page.text
        if line.query:
            assert f"/operations/?{line.query}" in page.hrefs()
            listed = opened(client, f"/operations/?{line.query}")
            assert "Nothing was found" not in listed.text
    assert f"Points to spend {points(found.available_points)}" in page.text


def test_every_kind_of_line_has_its_words():
    assert set(LINES) == set(LineKind)


@pytest.mark.parametrize(
    ("query", "counted"),
    [
        ("kind=orders", 1_000 + 320 + 260 + 33),
        ("kind=friends", 60),
        ("kind=gifts", 0),
        ("kind=earned", 1_673),
    ],
)
def test_the_operations_behind_a_line_are_those_that_it_names(ada, ben, client, query, counted):
    """Of 300 pending points of an order 40 were taken back before they became available."""
    live(ada, ben)
    settle(NOON)

    page = opened(client, f"/operations/?{query}")

    if counted:
        assert f"Gained +{figures(counted)}" in page.text
    else:
        assert "Nothing was found with this filter." in page.text


def test_why_says_what_waits_what_it_is_worth_and_what_decides_the_tier(ada, paid, placed, client):
    publish_edition(paid_sum_months=6, redemption_cap_rate="0.5")
    paid(ada, 12_000)
    earn(ada, 1_000)
    placed(ada, 1_000, points=200)
    own = balance(account_id=ada.pk, at=NOON)

    text = opened(client, "/why/").text

    assert "Points set aside pay for an order once it is paid." in text
    assert f"1\u00a0point pays 1\u00a0₽, so {points(own.available_points)} pay" in text
    least = figures(own.available_points * 2)
    assert f"Points pay for up to 50% of an order: one of {least}\u00a0₽ or more can take them all." in text
    assert "The orders paid in the last 6 months decide, less what was returned." in text


def test_why_explains_a_debt(ada, client):
    credit_id = earn(ada, 150)
    spend(ada, 150)
    take_back(credit_id, 150)

    text = opened(client, "/why/").text

    assert "150\u00a0points were taken back after you had spent them." in text
    assert "Points to spend 0\u00a0points" in text


def test_why_of_a_newcomer_says_how_points_come(ada, client):
    page = opened(client, "/why/")

    assert "No points have come or gone yet." in page.text
    assert "0\u00a0points" in page.text


def test_why_takes_as_many_queries_for_a_long_history(ada, ben, client_of):
    earn(ada, 1)
    earn_many(ben, 1_000)

    assert _queries(client_of(ada), "/why/") == _queries(client_of(ben), "/why/") <= 8


# What the balance page draws


def test_the_months_are_drawn_and_stand_in_a_table_that_leads_to_the_list(ada, client):
    earn(ada, 300, at=NOON - timedelta(days=40))
    spend(ada, 120, at=NOON - timedelta(days=12))

    page = opened(client, "/")

    assert ("svg", "img", "months-told") in [
        (tag, attributes.get("role"), attributes.get("aria-labelledby")) for tag, attributes in page.tags
    ]
    assert "February 2026 0" in page.text
    assert "January 2026 +300plus 300\u00a0points 0" in page.text
    assert "/operations/?since=2026-01-01&until=2026-01-31" in page.hrefs()
    assert _rects(client.get("/").content.decode(), "plot") == 2


def test_the_strip_of_expiries_adds_up_to_the_balance(ada, client):
    for days, number in ((21, 20), (60, 4_000), (500, 300)):
        earn(ada, number, until=NOON.date() + timedelta(days=days))
    earn(ada, 50_000, until=None)

    text = opened(client, "/").text

    assert "Mar 20 Apr —0\u00a0points May 4,000 Jun" in text
    assert "Later: 300\u00a0points. Never: 50,000\u00a0points." in text
    assert "All available points 54,320\u00a0points" in text


def test_the_latest_operations_lead_to_why_they_are_that_number(ada, client):
    posting_id = earn(ada, 10)

    page = opened(client, "/")

    assert f"/operations/{posting_id}/#why" in page.hrefs()
    assert "/why/" in page.hrefs()


def test_points_below_the_minimum_are_told_what_is_missing(ada, client):
    publish_edition(redemption_minimum_points=300)
    earn(ada, 100)

    words = "An order can be paid with points from 300\u00a0points on: 200\u00a0points more."
    assert words in opened(client, "/").text


# Where a page of the list lies


def test_a_page_of_the_list_says_which_operations_it_shows(ada, client):
    earn_many(ada, 60)

    page = opened(client, "/operations/")
    assert "Showing 1–25 of 60 operations." in page.text
    page = opened(client, f"/operations/{page.hrefs(rel='next')[0]}")
    assert "Showing 26–50 of 60 operations." in page.text
    page = opened(client, f"/operations/{page.hrefs(rel='next')[0]}")
    assert "Showing 51–60 of 60 operations." in page.text

    page = opened(client, "/operations/?kind=earned")
    assert "Showing 1–25 of 60 operations." in page.text
    page = opened(client, f"/operations/{page.hrefs(rel='next')[0]}")
    assert "Showing 25 of 60 operations." in page.text
    page = opened(client, f"/operations/{page.hrefs(rel='next')[0]}")
    assert "Showing 51–60 of 60 operations." in page.text


def test_a_short_list_only_says_how_many_there_are(ada, client):
    earn_many(ada, 3)

    assert "3 operations in all." in opened(client, "/operations/").text


def test_operations_of_several_entries_count_once(ada, ben, client):
    live(ada, ben)
    count = len(operations_page(account_id=ada.pk, limit=100).operations)
    assert count == turnover(account_id=ada.pk, filters=EVERYTHING).count

    text = opened(client, "/operations/").text

    assert f"of {count} operations." in text or f"{count} operations in all." in text


def test_nobody_counts_the_longest_histories(ada, client):
    earn_many(ada, COUNTED_ENTRIES + 100)

    page = opened(client, "/operations/")
    assert f"Showing 1–25 of more than {figures_en(COUNTED_ENTRIES)} operations." in page.text
    deep = opened(client, "/operations/?before=51")
    assert f"Showing 25 of more than {figures_en(COUNTED_ENTRIES)} operations." in deep.text


def test_pending_points_are_marked_until_their_day(ada, client):
    earn(ada, 7, available_at=NOON + timedelta(days=1))
    earn(ada, 8, at=NOON - timedelta(days=3), available_at=NOON - timedelta(days=1))

    rows = re.findall(r"<tr>.*?</tr>", client.get("/operations/").content.decode(), flags=re.DOTALL)
    texts = [" ".join(strip_tags(row).split()) for row in rows]

    assert [text for text in texts if "pending" in text] == [text for text in texts if "+7" in text]


def figures_en(number: int) -> str:
    return f"{number:,}"


def _queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def _rects(html: str, of: str) -> int:
    """How many bars a drawing has."""
    drawing = re.search(rf'<svg class="{of}".*?</svg>', html, flags=re.DOTALL)
    assert drawing
    return drawing.group().count("<rect")
