"""The list of operations: what a filter finds, what it adds up to, and how it is asked."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.http import urlencode

from accounts.models import Member
from loyalty import wording
from loyalty.queries import operations as queries
from tests.clock import NOON
from tests.loyalty.lives import days_ago, earn_many, live
from tests.loyalty.points import earn, fetch, spend, take_back
from tests.pages import Page, opened

MOST_QUERIES = 8


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


# What the filter finds


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        (
            "search=w-3",
            [
                "Points for order W-3 became available",
                "Taken back: order W-3 was returned",
                "Order W-3, Сайт",
            ],
        ),
        ("search=клара", ["Friend’s order: Клара З."]),
        ("search=КАПУЧИНО&sign=minus", ["Correction by the programme"]),
        ("search=бен с", ["Taken back: transfer to Бен С.", "Transfer to Бен С."]),
        ("search=ада", []),
        ("kind=expired", ["Points expired"]),
        ("kind=returned&sign=plus", ["Points returned to you: order A-4"]),
        ("kind=earned&search=невский", ["Order A-6, Невский", "Order A-1, Невский"]),
        (
            "kind=spent&since=2026-02-01",
            [
                "Set aside for order W-8",
                "Released from order W-5",
                "Order W-5 paid with the points set aside",
                "Set aside for order W-5",
            ],
        ),
        ("since=2026-02-18&until=2026-02-19", ["Taken back: transfer to Бен С.", "Transfer to Бен С."]),
        ("since=18.02.2026&until=18.02.2026", ["Transfer to Бен С."]),
        ("kind=transfers&sign=plus&since=2026-02-19&search=бен", ["Taken back: transfer to Бен С."]),
        ("sign=minus&kind=earned", ["Points for order W-3 became available"][:0]),
    ],
)
def test_filters_combine(ada, ben, client, query, titles):
    live(ada, ben)

    page = opened(client, f"/operations/?{query}")

    assert _titles(page, ada) == titles


def test_search_finds_an_operation_by_its_number(ada, ben, client):
    live(ada, ben)
    found = queries.operations_page(account_id=ada.pk).operations[3]

    for text in (str(found.posting_id), f"№ {found.posting_id}", f" #{found.posting_id} "):
        page = opened(client, f"/operations/?{_encoded(search=text)}")
        assert _addresses(page) == [f"/operations/{found.posting_id}/"]


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "_",
        "\\",
        "'",
        '"',
        "'; drop table loyalty_entry; --",
        "<script>alert(1)</script>",
        "{0}",
        "%(zone)s",
        "%s",
        "\u202e",
        "👩‍🚀",
        "9" * 99,
        "-99",
        "1e9",
        "${7*7}",
        "{{ 7|add:7 }}",
    ],
)
def test_search_takes_whatever_is_typed_for_words(ada, ben, client, text):
    live(ada, ben)
    response = client.get("/operations/", {"search": text})

    page = Page(response)

    assert response.status_code == 200
    assert _addresses(page) == []
    assert "Nothing was found with this filter." in page.text
    assert page.values("value").count(text) == 1
    assert b"<script>alert" not in response.content
    assert fetch("select count(*) from loyalty_entry")[0][0] > 0


# What does not fit a filter


@pytest.mark.parametrize(
    ("query", "words", "kept"),
    [
        ({"since": "2026-02-30"}, "There is no such day.", "2026-02-30"),
        ({"until": "31.02.2026"}, "There is no such day.", "31.02.2026"),
        ({"since": "10000-01-01"}, "There is no such day.", "10000-01-01"),
        ({"since": "\0"}, "There is no such day.", None),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "The period ends before it begins.", "2026-03-01"),
        ({"kind": "everything"}, "There is no such kind.", None),
        ({"kind": "\0"}, "There is no such kind.", None),
        ({"sign": "0"}, "Choose one of the two, or both.", None),
        ({"search": "a\0b"}, "Search for letters and digits.", None),
        ({"search": "x" * 101}, "Search for 100 characters at most.", "x" * 101),
    ],
)
def test_filter_that_makes_no_sense_says_so_and_keeps_what_was_typed(ada, client, query, words, kept):
    earn(ada, 100)

    page = opened(client, f"/operations/?{_encoded(**query)}")

    assert words in page.text
    assert page.text.startswith("Error: Operations")
    assert _addresses(page) == []
    if kept:
        assert kept in page.values("value")
    for file in ("csv", "xlsx"):
        response = client.get(f"/operations/operations.{file}", query)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/operations/?")


@pytest.mark.parametrize(
    "query", ["since=2000-01-01", "until=2099-12-31", "since=2000-01-01&until=2099-12-31"]
)
def test_filter_reaches_from_the_first_day_to_the_last(ada, client, query):
    earn(ada, 100)

    assert len(_addresses(opened(client, f"/operations/?{query}"))) == 1


def test_nothing_found_is_told_from_nothing_yet(ada, ben, client, client_of):
    assert "No operations yet" in opened(client, "/operations/").text
    live(ada, ben)

    page = opened(client, "/operations/?since=2020-01-01&until=2020-12-31")
    assert "Nothing was found for this period." in page.text
    assert "/operations/" in page.hrefs()
    assert "Nothing was found with this filter." in opened(client, "/operations/?search=nothing").text


# What is shown of the filter


def test_each_part_of_a_filter_can_be_removed(ada, ben, client):
    live(ada, ben)

    page = opened(client, "/operations/?kind=earned&sign=plus&since=2026-01-01&until=2026-12-31&search=A-")

    without = {
        "/operations/?kind=earned&sign=plus&since=2026-01-01&until=2026-12-31",
        "/operations/?search=A-&sign=plus&since=2026-01-01&until=2026-12-31",
        "/operations/?search=A-&kind=earned&since=2026-01-01&until=2026-12-31",
        "/operations/?search=A-&kind=earned&sign=plus",
    }
    assert without <= set(page.hrefs())
    assert "Remove from the filter: Earned" in page.text
    assert "1 January 2026 – 31 December 2026" in page.text


def test_shortcuts_lead_to_their_period_and_keep_the_rest(ada, ben, client):
    live(ada, ben)

    page = opened(client, "/operations/?kind=earned&since=2026-03-01&until=2026-03-31")

    assert page.hrefs(**{"aria-current": "true"}) == [
        "/operations/?kind=earned&since=2026-03-01&until=2026-03-31"
    ]
    assert "/operations/?kind=earned&since=2026-02-01&until=2026-02-28" in page.hrefs()
    assert "/operations/?kind=earned&since=2026-01-01&until=2026-12-31" in page.hrefs()


def test_pages_keep_the_filter(ada, client):
    for turn in range(60):
        earn(ada, 1, at=NOON - timedelta(minutes=100 - turn))
        spend(ada, 1, at=NOON - timedelta(minutes=100 - turn))

    page = opened(client, "/operations/?kind=spent&until=2026-03-10&search=&sign=")
    (older,) = page.hrefs(rel="next")
    below = opened(client, f"/operations/{older}")
    (newer,) = below.hrefs(rel="prev")

    assert older.startswith("?kind=spent&until=2026-03-10&before=")
    assert newer.startswith("?kind=spent&until=2026-03-10&after=")
    assert _addresses(opened(client, f"/operations/{newer}")) == _addresses(page)
    assert set(_titles(page, ada) + _titles(below, ada)) == {"Points spent"}


def test_place_beyond_a_filtered_list_leads_to_its_beginning(ada, client):
    earn(ada, 1)

    response = client.get("/operations/?kind=earned&search=&before=1")

    assert (response.status_code, response.headers["Location"]) == (302, "/operations/?kind=earned")


# What the list adds up to


def test_page_shows_how_a_period_adds_up(ada, client):
    earn(ada, 500, at=days_ago(40))
    earn(ada, 70, at=days_ago(10))
    spend(ada, 20, at=days_ago(9))
    earn(ada, 1_000, at=NOON)

    text = opened(client, "/operations/?since=2026-02-20&until=2026-03-05").text

    assert (
        "2 operations were found Balance before 500 Gained +70plus 70\u00a0points"
        " Gone −20minus 20\u00a0points Balance after 550" in text
    )


def test_page_says_what_a_filter_finds_together(ada, client):
    earn(ada, 500)
    spend(ada, 20)
    spend(ada, 30)

    text = opened(client, "/operations/?kind=spent").text

    assert "Gone −50minus 50\u00a0points Together −50" in text
    assert "Balance before" not in text


def test_pending_points_are_marked_and_outside_of_the_balance(ada, client):
    earn(ada, 100)
    earn(ada, 25, available_at=NOON + timedelta(days=14))

    text = opened(client, "/operations/").text

    assert "+25plus 25\u00a0points Can be spent from 24 March 2026" in text
    assert "Balance before 0 Gained +100plus 100\u00a0points Gone 00\u00a0points Balance after 100" in text


def test_days_that_have_passed_are_told_as_passed(ada, client):
    """Both of the list and of the first page."""
    earn(ada, 25, at=days_ago(9), available_at=days_ago(2))
    take_back(earn(ada, 40, available_at=NOON + timedelta(days=14)), 40)

    for address in ("/operations/", "/"):
        text = opened(client, address).text
        assert "Available since 8 March 2026" in text
        assert "Taken back on 10 March 2026" in text
        assert "24 March 2026" not in text


def test_days_are_headings_with_their_date(ada, client):
    earn(ada, 1, at=days_ago(9))
    earn(ada, 1, at=days_ago(1))
    earn(ada, 1)

    page = opened(client, "/operations/")

    for text in ("Today, 10 March 2026", "Yesterday, 9 March 2026", "1 March 2026"):
        assert text in page.text
    assert {"2026-03-10", "2026-03-09", "2026-03-01"} <= set(page.values("datetime"))


# How much it takes


@pytest.mark.parametrize("query", ["", "?kind=earned&sign=plus&since=2026-01-01&search=A-"])
def test_operations_take_the_same_queries_for_one_row_and_for_thirty(ada, ben, client_of, query):
    earn_many(ada, 1)
    earn_many(ben, 30)

    def asked(member) -> int:
        client = client_of(member)
        client.get("/operations/")
        with CaptureQueriesContext(connection) as captured:
            assert _addresses(opened(client, f"/operations/{query}"))
        return len(captured)

    assert asked(ada) == asked(ben) <= MOST_QUERIES


# With htmx


def test_htmx_gets_the_same_page_and_an_address_without_empty_fields(ada, ben, client):
    live(ada, ben)
    address = "/operations/?search=&kind=earned&sign=&since=&until="

    part = client.get(address, headers={"HX-Request": "true"})

    assert Page(part).text == opened(client, address).text
    assert part.headers["HX-Push-Url"] == "/operations/?kind=earned"
    assert {"history", "found", "show"} <= set(Page(part).values("id"))
    assert '"allowEval":false' in part.content.decode()


def test_htmx_of_somebody_signed_out_asks_for_the_whole_page(db):
    response = Client().get("/operations/?kind=earned", headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Refresh"]) == (200, "true")
    assert response.content == b""


def test_page_runs_only_scripts_of_its_own_files(client):
    response = client.get("/operations/")
    page = Page(response)

    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert {script["src"] for script in scripts} == {
        "/static/django_htmx/htmx-2.min.js",
        "/static/js/failed.js",
    }
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_page_has_words_for_a_part_that_did_not_come(client):
    page = Page(client.get("/operations/?kind=earned"))

    (failed,) = [attributes for _tag, attributes in page.tags if attributes.get("id") == "failed"]
    assert "hidden" in failed
    assert "/operations/?kind=earned" in page.hrefs()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("query", ["", "?kind=earned", "?since=x", "?search=x", "?since=2026-01-01"])
def test_list_is_sound_html(ada, ben, client_of, language, query):
    live(ada, ben)
    client = client_of(ada)
    client.cookies["django_language"] = language

    page = opened(client, f"/operations/{query}")

    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert (page.count("h1"), page.count("title")) == (1, 1)
    assert page.values("style") == []
    for name in page.values("for", "aria-labelledby", "aria-describedby"):
        assert set(name.split()) <= set(ids)
    for tag, attributes in page.tags:
        if tag == "a":
            assert "\u00a0" not in attributes["href"]


def _addresses(page: Page) -> list[str]:
    """The operations that a page leads to."""
    return [href for href in page.hrefs() if href.startswith("/operations/") and href[12:13].isdigit()]


def _titles(page: Page, member: Member) -> list[str]:
    """What the operations of a member's page are called in English."""
    numbers = [int(address.split("/")[2]) for address in _addresses(page)]
    with translation.override("en"):
        return [
            wording.title(operation)
            for number in numbers
            if (operation := queries.operation(account_id=member.pk, posting_id=number))
        ]


def _encoded(**query: str) -> str:
    return urlencode(query)
