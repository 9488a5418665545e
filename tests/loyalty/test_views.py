"""The cabinet's pages: what they show, to whom, and with how many queries."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.html import strip_tags

from accounts.models import Member
from loyalty.queries import operations as queries
from loyalty.queries.balance import balance
from loyalty.services import ledger
from loyalty.templatetags import numbers
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import UserFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import NEW_YEAR, earn, give, hold, new_key, spend, take_back
from tests.pages import Page, opened

MOST_QUERIES = 8
# A rolling period is added up, and looked through for what leaves it first.
MORE_FOR_A_PERIOD = 2
LANGUAGES = ("ru", "en")


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


def earn_often(member: Member, count: int, *, lots: int = 1) -> None:
    """Credit 10 points that many times, a minute apart, into lots of different days."""
    begun_at = NOON - timedelta(minutes=count)
    ledger.credit_many(
        rows=[
            ledger.CreditRow(
                key=new_key(),
                account_id=member.pk,
                points=10,
                at=begun_at + timedelta(minutes=turn),
                available_at=begun_at + timedelta(minutes=turn),
                expires_on=NEW_YEAR + timedelta(days=turn % lots),
                note=ledger.NO_NOTE,
            )
            for turn in range(count)
        ]
    )


def live(member: Member, other: Member) -> None:
    """A bit of everything, so that postings have one, two or three entries."""
    for turn in range(3):
        earn(member, 100, until=NEW_YEAR + timedelta(days=turn))
    credit_id = earn(member, 40)
    spend(member, 250)
    take_back(credit_id, 40)
    earn(member, 500, available_at=TOMORROW_NOON)
    earn(member, 1000)
    hold(member, 200)
    give(member, other, 300)
    give(other, member, 150)
    for _ in range(4):
        earn(member, 1)
        spend(member, 2)


def queries_of(client: Client, address: str) -> int:
    """How many queries a whole request takes, once the process knows the rules."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def in_language(client: Client, language: str) -> Client:
    client.cookies["django_language"] = language
    return client


# The balance page


@pytest.mark.parametrize("language", LANGUAGES)
def test_balance_shows_the_numbers_of_the_query(ada, client_of, language):
    earn(ada, 12_345, until=NOON.date() + timedelta(days=21))
    earn(ada, 54_321, until=NEW_YEAR)
    earn(ada, 1_700, available_at=TOMORROW_NOON)
    hold(ada, 2_000)
    found = balance(account_id=ada.pk, at=NOON)
    parts = (found.available_points, found.pending_points, found.held_points, found.next_expiry.points)
    assert parts == (64_666, 1_700, 2_000, 10_345)

    text = opened(in_language(client_of(ada), language), "/").text

    with translation.override(language):
        for number in parts:
            assert numbers.points(number) in text
        assert numbers.money(Decimal(64_666)) in text
        assert numbers.day_text(found.next_expiry.expires_on) in text
        assert strip_tags(numbers.moment(found.holds[0].expires_at)) in text
        assert strip_tags(numbers.day(found.pending[0].available_at)) in text
        assert numbers.day_text(NEW_YEAR) in text


def test_balance_groups_digits_by_no_break_spaces(ada, client_of):
    earn(ada, 1_234_567)

    assert "1\u00a0234\u00a0567" in opened(client_of(ada), "/").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_balance_says_its_language(ada, client_of, language):
    response = in_language(client_of(ada), language).get("/")

    assert response.headers["Content-Language"] == language
    assert Page(response).tags[0] == ("html", {"lang": language})


def test_balance_says_that_the_last_day_is_today(ada, client_of):
    earn(ada, 50, until=NOON.date())

    text = opened(in_language(client_of(ada), "en"), "/").text

    assert "50\u00a0points can be spent until the end of 10 March 2026, then they expire" in text
    assert "(today is the last day)" in text


def test_balance_counts_the_days_that_are_left(ada, client_of):
    earn(ada, 1, until=NOON.date() + timedelta(days=1))

    text = opened(in_language(client_of(ada), "en"), "/").text

    assert "1\u00a0point can be spent until the end of 11 March 2026, then it expires (1 day left)" in text


def test_balance_counts_what_matured_although_no_job_has_run(ada, client_of):
    earn(ada, 4_321, at=NOON - timedelta(days=2), available_at=NOON - timedelta(minutes=1))

    page = opened(in_language(client_of(ada), "en"), "/")

    assert "4,321\u00a0points can be spent now" in page.text
    assert "Pending" not in page.text


def test_balance_explains_a_debt(ada, client_of):
    credit_id = earn(ada, 1_500)
    spend(ada, 1_500)
    take_back(credit_id, 1_500)

    text = opened(in_language(client_of(ada), "en"), "/").text

    assert "0\u00a0points there is nothing to spend now" in text
    assert "1,500\u00a0points of debt: an order was returned after its points had been spent." in text


def test_balance_says_that_the_account_is_blocked(ada, client_of):
    earn(ada, 100)
    ledger.block(account_id=ada.pk, is_blocked=True)
    client = in_language(client_of(ada), "en")

    page = opened(client, "/")
    assert "cannot be spent while the account is blocked Why this number? The account is blocked" in page.text
    assert "can be spent now" not in page.text

    ledger.block(account_id=ada.pk, is_blocked=False)
    assert "The account is blocked" not in opened(client, "/").text


def test_balance_of_a_newcomer_says_what_to_do_next(ada, client_of):
    page = opened(in_language(client_of(ada), "en"), "/")

    assert "0\u00a0points Show the card when you pay: 3% of every order comes back in points." in page.text
    assert "/card/" in page.hrefs()
    # Nothing stands there empty, and nothing is offered that needs points.
    for words in (
        "Latest operations",
        "By month",
        "When points expire",
        "Not available yet",
        "Why this number",
    ):
        assert words not in page.text
    assert page.count("table") == 0


def test_balance_lists_months_that_add_up_to_what_is_available(ada, client_of):
    for days, points in ((0, 1), (21, 20), (22, 300), (60, 4_000)):
        earn(ada, points, until=NOON.date() + timedelta(days=days))
    earn(ada, 50_000, until=None)
    found = balance(account_id=ada.pk, at=NOON)
    months = numbers.by_month(found.expiries)

    text = opened(in_language(client_of(ada), "en"), "/").text

    assert [month.points for month in months] == [21, 300, 4_000, 50_000]
    assert sum(month.points for month in months if month.month) == 4_321
    assert sum(month.points for month in months) == found.available_points == 54_321
    assert "Never 50,000\u00a0points All available points 54,321\u00a0points" in text


def test_balance_leads_from_held_points_to_their_order(ada, placed, client_of):
    earn(ada, 500)
    order = placed(ada, 1_000, points=200)

    page = opened(in_language(client_of(ada), "en"), "/")

    assert f"/orders/{order.pk}/" in page.hrefs()
    assert f"Set aside for order {order.number} until 11 March 2026, 12:00" in page.text
    assert balance(account_id=ada.pk, at=NOON).holds[0].order_id == order.pk


def test_balance_says_until_when_the_tier_holds_and_what_keeps_it(ada, paid, client_of):
    publish_edition(paid_sum_months=6)
    paid(ada, 12_000, at=NOON - timedelta(days=40))
    paid(ada, 3_000, at=NOON - timedelta(days=5))
    client = in_language(client_of(ada), "en")

    text = opened(client, "/").text

    assert "This tier holds until 29 July 2026. Orders of 7,000\u00a0₽ more by then keep it." in text
    assert queries_of(client, "/") <= MOST_QUERIES + MORE_FOR_A_PERIOD


def test_balance_shows_a_part_of_a_pending_credit_that_was_taken_back(ada, client_of):
    take_back(earn(ada, 60, available_at=TOMORROW_NOON), 20)

    text = opened(in_language(client_of(ada), "en"), "/").text

    assert "−20minus 20\u00a0points" in text
    assert "Can be spent from 11 March 2026 40\u00a0points" in text


def test_balance_shows_nobody_elses_points(ada, ben, client_of):
    earn(ada, 77_777)

    assert "77\u00a0777" in opened(client_of(ada), "/").text
    assert "77\u00a0777" not in opened(client_of(ben), "/").text


def test_balance_takes_few_queries_and_no_more_for_a_long_history(ada, ben, client_of):
    earn_often(ada, 10, lots=10)
    earn_often(ben, 10_000, lots=300)

    short, long = (queries_of(client_of(member), "/") for member in (ada, ben))

    assert short == long <= MOST_QUERIES
    assert len(balance(account_id=ben.pk, at=NOON).expiries) == 300


# The list of operations


@pytest.mark.parametrize("limit", range(1, 24))
def test_operations_page_shows_each_posting_once_and_the_same_both_ways(ada, ben, limit):
    live(ada, ben)
    postings = list(reversed(_postings_of(ada)))

    older = [queries.operations_page(account_id=ada.pk, limit=limit)]
    while older[-1].older_cursor is not None:
        older.append(queries.operations_page(account_id=ada.pk, before=older[-1].older_cursor, limit=limit))
    newer = [older[-1]]
    while newer[-1].newer_cursor is not None:
        newer.append(queries.operations_page(account_id=ada.pk, after=newer[-1].newer_cursor, limit=limit))

    assert [one.posting_id for page in older for one in page.operations] == postings
    assert [page.operations for page in reversed(newer)] == [page.operations for page in older]


def test_operations_page_adds_up_from_line_to_line(ada, ben):
    live(ada, ben)

    operations = queries.operations_page(account_id=ada.pk, limit=100).operations

    after = [one.available_after for one in operations]
    assert after[0] == balance(account_id=ada.pk, at=NOON).available_points
    assert [one.available_after - one.available_points for one in operations] == [*after[1:], 0]


def test_operations_lead_through_the_whole_history_and_back(ada, client_of):
    earn_often(ada, 1_060, lots=3)
    spend(ada, 7_000)
    client = client_of(ada)

    way_there = _follow(client, "/operations/", rel="next")
    way_back = _follow(client, way_there[-1][0], rel="prev")

    shown = [link for _address, links in way_there for link in links]
    assert shown == [f"/operations/{pk}/" for pk in reversed(_postings_of(ada))]
    assert [links for _address, links in reversed(way_back)] == [links for _address, links in way_there]


def test_operations_take_the_same_queries_for_one_row_and_for_thirty(ada, ben, client_of):
    earn_often(ada, 1)
    earn_often(ben, 30)

    one, thirty = (queries_of(client_of(member), "/operations/") for member in (ada, ben))

    assert one == thirty <= MOST_QUERIES


@pytest.mark.parametrize(
    "cursor", ["", "x", "-1", "1.5", "1e3", "1\u00a0000", "٣", "9" * 19, "9" * 400, "1'--"]
)
@pytest.mark.parametrize("direction", ["before", "after"])
def test_operations_begin_anew_where_the_cursor_is_none(ada, client_of, direction, cursor):
    earn_often(ada, 40)
    client = client_of(ada)

    assert _links(client, "/operations/", {direction: cursor}) == _links(client, "/operations/")


@pytest.mark.parametrize("place", ["before=1", "before=0", "after=40", "after=999999999999"])
def test_operations_lead_back_from_a_place_beyond_the_list(ada, ben, client_of, place):
    earn_often(ada, 40)

    for member in (ada, ben):
        response = client_of(member).get(f"/operations/?{place}")
        assert (response.status_code, response.headers["Location"]) == (302, "/operations/")


def test_operations_lead_on_from_a_place_above_the_list(ada, client_of):
    earn_often(ada, 40)
    client = client_of(ada)

    assert _links(client, "/operations/?before=500") == _links(client, "/operations/")


def test_operations_of_a_newcomer_say_how_to_begin(ada, client_of):
    assert "No operations yet" in opened(in_language(client_of(ada), "en"), "/operations/").text


# One operation, and whose it is


def test_operation_is_its_owners_only(ada, ben, client_of):
    address = f"/operations/{earn(ada, 100)}/"

    assert client_of(ada).get(address).status_code == 200
    assert client_of(ben).get(address).status_code == 404


def test_operation_of_two_members_shows_each_their_own_part(ada, ben, client_of):
    earn(ada, 5_000)
    address = f"/operations/{give(ada, ben, 1_234)}/"

    assert "−1\u00a0234" in opened(client_of(ada), address).text
    assert "+1\u00a0234" in opened(client_of(ben), address).text
    assert "3\u00a0766" not in opened(client_of(ben), address).text


def test_operation_that_does_not_exist_is_not_found(ada, client_of):
    client = in_language(client_of(ada), "en")

    for address in ("/operations/999999999/", "/operations/0/", f"/operations/{'9' * 30}/", "/operations/x/"):
        response = client.get(address)
        assert response.status_code == 404
        assert "There is nothing at this address, or it is not yours to see." in Page(response).text


# What holds for every page


@pytest.mark.parametrize("address", ["/", "/why/", "/operations/", "/operations/1/", "/operations/?before=7"])
def test_pages_ask_who_is_there_and_come_back(db, address):
    response = Client().get(address)

    assert response.status_code == 302
    assert (
        response.headers["Location"]
        == f"/accounts/login/?next={address.replace('?', '%3F').replace('=', '%3D')}"
    )


def test_pages_are_kept_by_no_cache(ada, client_of):
    client = client_of(ada)

    for address in (
        "/",
        "/operations/",
        f"/operations/{earn(ada, 100)}/",
        "/operations/999999999/",
        "/nowhere/",
    ):
        assert "no-store" in client.get(address).headers["Cache-Control"]


def test_pages_refuse_to_be_written_to(ada, client_of):
    client = client_of(ada)

    for address in ("/", "/operations/", f"/operations/{earn(ada, 100)}/"):
        assert client.post(address).status_code == 405
        assert client.head(address).status_code == 200


def test_pages_of_points_are_not_found_for_a_login_without_a_member(db, client_of):
    client = client_of(UserFactory())

    for address in ("/", "/why/", "/operations/", "/operations/1/"):
        assert client.get(address).status_code == 404


def test_balance_leads_staff_to_the_console(stan, sue, client_of):
    for person in (stan, sue):
        assert client_of(person).get("/").headers["Location"] == "/console/"
        assert client_of(person).get("/operations/").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_sound_html(ada, ben, client_of, language):
    earn_often(ada, 1_100, lots=3)
    live(ada, ben)
    client = in_language(client_of(ada), language)
    latest = _postings_of(ada)[-1]

    addresses = (
        "/",
        "/why/",
        "/operations/",
        "/operations/?before=1050",
        f"/operations/{latest}/",
        "/nowhere/",
    )
    for address in addresses:
        page = Page(client.get(address))
        assert page.count("h1") == 1
        # Drawings have titles of their own.
        assert sum(tag == "title" for tag, _attributes in page.tags[: _place_of(page, "body")]) == 1
        assert page.values("style") == []
        assert page.count("style") == 0
        # A number that a program reads has no spaces in it.
        read_by_programs = page.values("href", "id", "name", "value", "max", "action", "datetime")
        assert [value for value in read_by_programs if re.search(r"\d[\u00a0\u202f ]\d", value)] == []
        assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)


def _postings_of(member: Member) -> list[int]:
    """The member's postings, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select posting_id from loyalty_entry where account_id = %s group by 1 order by min(version)",
            [member.pk],
        )
        return [posting_id for (posting_id,) in cursor.fetchall()]


def _place_of(page: Page, tag: str) -> int:
    """Where a tag first stands."""
    return [name for name, _attributes in page.tags].index(tag)


def _links(client: Client, address: str, query: dict[str, str] | None = None) -> list[str]:
    """The operations that a page of the list leads to."""
    response = client.get(address, query)
    assert response.status_code == 200
    return [href for href in Page(response).hrefs() if re.fullmatch(r"/operations/\d+/", href)]


def _follow(client: Client, address: str, *, rel: str) -> list[tuple[str, list[str]]]:
    """Each page's address and operations, from page to page until the last."""
    found = []
    while True:
        page = opened(client, address)
        found.append((address, [href for href in page.hrefs() if re.fullmatch(r"/operations/\d+/", href)]))
        beyond = page.hrefs(rel=rel)
        if not beyond:
            return found
        address = f"/operations/{beyond[0]}"
