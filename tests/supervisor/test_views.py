"""The console: who may open it, and what it says about the programme."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.models import LedgerAudit
from loyalty.queries.audit import CHECKS
from tests.clock import NOON, YESTERDAY_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.pages import Page


def test_overview_is_for_staff_and_supervisors_only(ada, stan, sue, client_of):
    for person in (stan, sue):
        assert client_of(person).get("/console/").status_code == 200

    client = client_of(ada)
    client.cookies["django_language"] = "en"
    refused = client.get("/console/")
    assert refused.status_code == 403
    assert "This page is for staff. Your own points are in your cabinet." in Page(refused).text


def test_overview_asks_who_is_there_and_comes_back(db):
    assert Client().get("/console/").headers["Location"] == "/accounts/login/?next=/console/"


def test_overview_is_linked_for_those_who_may_open_it(ada, stan, client_of):
    assert "/console/" in Page(client_of(stan).get("/console/")).hrefs()
    assert "/console/" not in Page(client_of(ada).get("/")).hrefs()


def test_overview_refuses_to_be_written_to(sue, client_of):
    client = client_of(sue)

    assert client.post("/console/").status_code == 405
    assert client.head("/console/").status_code == 200


def test_overview_is_kept_by_no_cache(sue, ada, client_of):
    for person in (sue, ada):
        assert "no-store" in client_of(person).get("/console/").headers["Cache-Control"]


@pytest.mark.parametrize(("language", "sum_of_all"), [("ru", "12\u00a0360"), ("en", "12,360")])
def test_overview_sums_the_points_of_all_members(ada, ben, sue, client_of, language, sum_of_all):
    earn(ada, 12_345)
    earn(ben, 15)
    client = client_of(sue)
    client.cookies["django_language"] = language

    text = Page(client.get("/console/")).text

    assert sum_of_all in text
    assert f"{sum_of_all}\u00a0₽" in text


def test_overview_leaves_out_who_is_in_a_sandbox(ada, sue, client_of):
    earn(ada, 40)
    earn(MemberFactory(is_sandbox=True), 777)
    client = client_of(sue)
    client.cookies["django_language"] = "en"

    text = Page(client.get("/console/")).text

    assert "Members 1 Points outstanding 40 What they are worth 40\u00a0₽" in text


@pytest.mark.parametrize(("found_count", "verdict"), [(0, "clean"), (3, "promises broken")])
def test_overview_tells_the_last_audit(sue, client_of, found_count, verdict):
    client = client_of(sue)
    client.cookies["django_language"] = "en"
    assert "The audit has not run yet." in Page(client.get("/console/")).text
    finding = {"promise": "L1", "name": CHECKS[0].name, "rows_count": 12_345, "found_count": found_count}
    for ran_at in (NOON, YESTERDAY_NOON):
        LedgerAudit.objects.create(ran_at=ran_at, duration_seconds=2.5, rows_count=12_345, findings=[finding])

    text = Page(client.get("/console/")).text

    assert f"Ledger audit {verdict} 10 March 2026, 12:00: 12,345 rows looked at in 2.5\u00a0s" in text
    assert str(CHECKS[0].sentence) in text


def test_overview_takes_the_same_queries_however_many_members_there_are(ada, sue, client_of):
    client = client_of(sue)
    earn(ada, 10)
    client.get("/console/")
    with CaptureQueriesContext(connection) as with_one:
        client.get("/console/")
    for member in MemberFactory.create_batch(30):
        earn(member, 10)

    with CaptureQueriesContext(connection) as with_many:
        client.get("/console/")

    assert len(with_one) == len(with_many) <= 8


@pytest.mark.parametrize("language", ["ru", "en"])
def test_overview_is_sound_html(ada, sue, client_of, language):
    earn(ada, 1_234_567)
    client = client_of(sue)
    client.cookies["django_language"] = language

    page = Page(client.get("/console/"))

    assert page.count("h1") == 1
    assert page.values("style") == []
    read_by_programs = page.values("href", "id", "name", "value", "max", "action", "datetime")
    assert [value for value in read_by_programs if re.search(r"\d[\u00a0\u202f ]\d", value)] == []
    assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)
