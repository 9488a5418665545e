"""The console's list of members: filters, order, pages, and the same as a file."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.services.blocking import block_member
from loyalty.services.standing import set_floor
from supervisor.views import members_list
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.pages import Page
from tests.supervisor.given import in_english

MEMBERS = "/console/members/"


@pytest.fixture
def client(sue, client_of):
    """Sue's browser, in English."""
    return in_english(client_of(sue))


def listed(client, query=""):
    """The numbers of the members on a page, in their order."""
    hrefs = Page(client.get(MEMBERS + query)).hrefs()
    cards = [href.removeprefix(MEMBERS).removesuffix("/") for href in hrefs if href.startswith(MEMBERS)]
    return [number for number in cards if number.isdigit()]


def numbers(*members):
    """The numbers of some members."""
    return [member.number for member in members]


def csv_rows(client, query=""):
    """The rows of the file, without its headings."""
    content = b"".join(client.get(f"{MEMBERS}members.csv{query}").streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content), delimiter=";"))[1:]


def test_list_is_for_supervisors(ada, stan, client_of):
    for person in (ada, stan):
        for address in (MEMBERS, f"{MEMBERS}members.csv", f"{MEMBERS}members.xlsx"):
            assert client_of(person).get(address).status_code == 403


def test_member_stands_there_with_tier_points_and_masked_contacts(ada, client, paid):
    paid(ada, 1_000)
    earn(ada, 1_500)

    page = Page(client.get(MEMBERS))

    assert f"{ada.full_name} " in page.text
    tier = tiers_of(rule_set_in_force(NOON))[0]
    points = 1_500 + int(1_000 * tier.coefficient)
    assert f"a•••@example.com {tier.name_en} {points:,} 1,000\u00a0₽ 10 March 2026" in page.text
    assert "ada@example.com" not in page.text


def test_phone_shows_its_last_digits_and_no_more(client):
    MemberFactory(phone="+79161234567")

    text = Page(client.get(MEMBERS)).text

    assert "45-67" in text
    assert "+7\u00a0916" not in text


def test_last_added_stand_first_and_sandboxes_nowhere(ada, ben, client):
    MemberFactory(is_sandbox=True)

    assert listed(client) == numbers(ben, ada)
    assert listed(client, "?sort=added") == numbers(ada, ben)


def test_list_is_ordered_by_last_name_from_its_heading(client):
    zoe = MemberFactory(first_name="Зоя", last_name="Абрамова")
    adam = MemberFactory(first_name="Адам", last_name="Яковлев")
    eve = MemberFactory(first_name="Ева", last_name="Абрамова")

    assert listed(client, "?sort=name") == numbers(eve, zoe, adam)
    assert listed(client, "?sort=-name") == numbers(adam, zoe, eve)
    page = Page(client.get(f"{MEMBERS}?sort=name"))
    assert "?sort=-name" in page.hrefs()
    assert page.values("aria-sort") == ["ascending"]


@pytest.mark.parametrize("sort", ["", "added", "name", "-name"])
def test_pages_follow_each_other_and_lead_back(client, sort):
    """Sixty members, many of one name: each stands on one page, and on the way back on the same one."""
    everybody = [
        MemberFactory(first_name=f"Имя{number % 3}", last_name=f"Фамилия{number % 2}") for number in range(60)
    ]

    def way(query, rel):
        pages = [listed(client, query)]
        while further := Page(client.get(MEMBERS + query)).hrefs(rel=rel):
            query = further[0]
            pages.append(listed(client, query))
        return pages, query

    pages, last = way(f"?sort={sort}", "next")
    back, _first = way(last, "prev")

    assert [len(page) for page in pages] == [25, 25, 10]
    assert back == pages[::-1]
    assert sorted(number for page in pages for number in page) == sorted(numbers(*everybody))


def test_place_beyond_the_list_leads_to_its_beginning(ada, client):
    for query in ("?sort=added&after=999999999", f"?sort=added&after={ada.pk}"):
        assert client.get(MEMBERS + query).headers["Location"] == f"{MEMBERS}?sort=added"


def test_filter_by_tier_goes_by_the_names_of_the_edition_in_force(ada, ben, sue, client):
    tiers = tiers_of(rule_set_in_force(NOON))
    set_floor(member=ada, position=tiers[1].position, actor_id=sue.pk, reason="Friend", at=NOON)

    assert listed(client, f"?tier={tiers[1].position}") == numbers(ada)
    # Whoever has never bought anything is of the lowest tier.
    assert listed(client, f"?tier={tiers[0].position}") == numbers(ben)


def test_filter_by_the_day_of_joining_holds_both_days(client):
    at = NOON.replace(hour=0, minute=0)
    members = [
        MemberFactory(joined_at=moment)
        for moment in (at - timedelta(seconds=1), at, at + timedelta(hours=23, minutes=59), at + timedelta(1))
    ]

    assert listed(client, "?since=2026-03-10&until=2026-03-10&sort=added") == numbers(*members[1:3])
    assert listed(client, "?since=2026-03-11") == numbers(members[3])
    assert listed(client, "?until=2026-03-09") == numbers(members[0])


def test_filters_by_block_login_and_points(ada, ben, sue, client):
    guest = MemberFactory()
    earn(ada, 99)
    earn(guest, 100)
    block_member(member=ben, at=NOON, actor_id=sue.pk, reason="Asked for it")

    assert listed(client, "?account=blocked") == numbers(ben)
    assert listed(client, "?account=open") == numbers(guest, ada)
    assert listed(client, "?login=yes") == numbers(ben, ada)
    assert listed(client, "?login=no") == numbers(guest)
    assert listed(client, "?points=100") == numbers(guest)
    assert listed(client, "?points=99&account=open&login=yes") == numbers(ada)


def test_parts_of_the_filter_are_named_and_each_can_be_removed(ada, client):
    earn(ada, 100)

    page = Page(client.get(f"{MEMBERS}?account=open&points=100&sort=name"))

    assert "Account of points: Open" in page.text
    assert "100\u00a0points or more" in page.text
    assert f"{MEMBERS}?account=open&sort=name" in page.hrefs()
    assert f"{MEMBERS}?points=100&sort=name" in page.hrefs()


def test_nothing_yet_and_nothing_found_are_told_apart(client):
    assert "No members yet" in Page(client.get(MEMBERS)).text
    assert "No members yet" in Page(client.get(f"{MEMBERS}?sort=name")).text

    page = Page(client.get(f"{MEMBERS}?points=5"))

    assert "Nobody was found with this filter" in page.text
    assert MEMBERS in page.hrefs()


@pytest.mark.parametrize(
    "query",
    ["?tier=99", "?points=1e3", "?since=32.12.2026", "?since=2026-03-10&until=2026-03-09", "?sort=id"],
)
def test_mistake_in_the_filter_is_named_and_kept(ada, client, query):
    page = Page(client.get(MEMBERS + query))

    assert page.text.startswith("Error: Members")
    assert "Correct the errors" in page.text
    assert client.get(f"{MEMBERS}members.csv{query}").headers["Location"].startswith(MEMBERS)
    assert not AuditRecord.objects.exists()


def test_each_look_at_the_list_is_written_down_once(ada, ben, sue, client):
    client.get(f"{MEMBERS}?account=open")

    record = AuditRecord.objects.get()
    assert (record.action, record.member, record.actor_id) == (AuditRecord.Action.SEARCHED, None, sue.pk)
    assert record.actor_role == "supervisor"
    assert record.facts == {"kind": "list", "list": "members", "filters": "?account=open"}


def test_file_has_whom_the_filter_asks_for_and_is_written_down(ada, ben, sue, client):
    earn(ada, 1_500)
    earn(ben, 10)

    rows = csv_rows(client, "?points=100")

    tier = tiers_of(rule_set_in_force(NOON))[0].name_en
    number = f"{ada.number[:4]}\u00a0{ada.number[4:8]}\u00a0{ada.number[8:]}"
    assert rows == [
        [
            number,
            ada.full_name,
            "a•••@example.com",
            tier,
            "1500",
            "0.00",
            "2026-03-10",
            "Has a login",
            "Open",
        ]
    ]
    record = AuditRecord.objects.get()
    assert (record.action, record.actor_id) == (AuditRecord.Action.EXPORTED, sue.pk)
    assert record.facts == {"list": "members", "filters": "?points=100", "format": "csv", "rows": 1}


def test_file_has_everybody_in_the_order_of_the_page(client, monkeypatch):
    monkeypatch.setattr("supervisor.queries.pages.ROWS_PER_BATCH", 7)
    members = MemberFactory.create_batch(30)

    rows = csv_rows(client, "?sort=added")

    assert [row[0].replace("\u00a0", "") for row in rows] == numbers(*members)


def test_workbook_has_the_same_rows_with_numbers_to_count_with(ada, client):
    earn(ada, 1_500)

    response = client.get(f"{MEMBERS}members.xlsx")

    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert sheet.max_row == 2
    assert sheet["E2"].value == 1_500
    assert sheet["B2"].value == ada.full_name
    assert AuditRecord.objects.get().facts["format"] == "xlsx"


def test_workbook_that_would_be_too_long_is_refused_in_words(client, monkeypatch):
    monkeypatch.setattr(members_list, "MOST_XLSX_ROWS", 2)
    MemberFactory.create_batch(3)

    page = Page(client.get(f"{MEMBERS}members.xlsx", follow=True))

    assert "An Excel file can hold 2 members here, and these are 3. Take them as CSV." in page.text
    assert not AuditRecord.objects.filter(action=AuditRecord.Action.EXPORTED).exists()


def test_list_takes_the_same_queries_at_one_member_and_at_thirty(ada, client, paid):
    paid(ada, 100)
    listed(client)
    with CaptureQueriesContext(connection) as with_one:
        listed(client)
    for member in MemberFactory.create_batch(30, has_login=True):
        paid(member, 100)

    with CaptureQueriesContext(connection) as with_many:
        assert len(listed(client)) == 25

    assert len(with_one) == len(with_many)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_list_is_sound_html(ada, client, language, paid):
    paid(ada, 1_234_567)
    client.cookies["django_language"] = language

    page = Page(client.get(f"{MEMBERS}?points=1000"))

    assert page.count("h1") == 1
    assert page.values("style") == []
    assert all(label for label in page.values("data-label"))
    assert "None" not in page.text


@pytest.mark.parametrize(
    "address", ["/console/members/", "/console/orders/", "/console/journal/", "/operations/"]
)
@pytest.mark.parametrize("query", ["until=9999-12-31", "since=0001-01-01", "since=01.01.0001"])
def test_days_beyond_the_calendar_are_refused_in_words(ada, sue, client_of, address, query):
    browser = client_of(ada if address == "/operations/" else sue)
    browser.cookies["django_language"] = "en"

    text = Page(browser.get(f"{address}?{query}")).text

    assert "Choose a day of the years 2000 to 2099." in text


def test_sums_of_a_workbook_are_numbers(ada, client, paid):
    paid(ada, Decimal("1234.50"))

    response = client.get(f"{MEMBERS}members.xlsx")

    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert (sheet["F1"].value, sheet["F2"].value) == ("Paid sum, ₽", 1234.5)


def test_sums_in_csv_have_the_decimal_mark_of_the_language(ada, client, paid):
    paid(ada, Decimal("1234.50"))
    client.cookies["django_language"] = "ru"

    (row,) = csv_rows(client, "")

    assert row[5] == "1234,50"


def test_list_says_how_many_there_are_and_leads_to_the_look_up(ada, ben, client):
    MemberFactory.create_batch(25, has_login=False)
    MemberFactory(is_sandbox=True)

    page = Page(client.get(MEMBERS))
    assert "Members 27 members Everybody in the programme" in page.text
    assert "/console/find/" in page.hrefs()
    few, many = Page(client.get(f"{MEMBERS}?login=yes")), Page(client.get(f"{MEMBERS}?account=open"))
    assert "Members 2 members Everybody" in few.text
    assert "Members More than 25 members Everybody" in many.text
