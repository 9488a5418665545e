"""While the programme is closed for work on it: everybody reads when it opens, and nothing is asked."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from config.environment import Environment
from tests.clock import NOON
from tests.pages import Page

UNTIL = NOON + timedelta(hours=3)


@pytest.fixture
def closed(settings):
    """It is noon, and the programme is closed for three hours."""
    settings.CLOSED_UNTIL = UNTIL
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def browser(language: str = "en") -> Client:
    client = Client()
    client.cookies["django_language"] = language
    client.cookies["sessionid"] = "somebodys-session"
    return client


def test_every_page_says_when_it_opens_without_the_database(closed):
    # A test without the mark for the database fails at its first query.
    for method, address in (
        ("get", "/"),
        ("get", "/accounts/login/"),
        ("post", "/transfer/"),
        ("get", "/x/"),
    ):
        response = getattr(browser(), method)(address)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "10800"
        assert "no-store" in response.headers["Cache-Control"]
        assert "Content-Security-Policy" in response.headers
        page = Page(response)
        assert "We are back on 10 March 2026, 15:00" in page.text
        assert page.count("h1") == 1


def test_it_says_so_in_both_languages(closed):
    assert dict(Page(browser("ru").get("/")).tags)["html"]["lang"] == "ru"
    assert "2026-03-10T15:00:00+03:00" in browser("ru").get("/").content.decode()


def test_shops_read_the_same_as_a_problem(closed):
    response = browser().post("/api/v1/orders", "{}", content_type="application/json")
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "10800"
    assert response.json()["status"] == 503


@pytest.mark.django_db
def test_it_opens_by_itself(closed):
    closed.shift(3 * 3600)
    assert browser().get("/accounts/login/").status_code == 200


def test_the_setting_is_a_day_and_an_hour_of_the_programme():
    env = Environment({"BALLADA_CLOSED_UNTIL": "2026-12-01T06:00"})
    assert env.moment("BALLADA_CLOSED_UNTIL", "Europe/Moscow") == datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert Environment({}).moment("BALLADA_CLOSED_UNTIL", "Europe/Moscow") is None
    for wrong in ("tomorrow", "2026-12-01", "2026-13-01T06:00"):
        with pytest.raises(ImproperlyConfigured, match="BALLADA_CLOSED_UNTIL"):
            Environment({"BALLADA_CLOSED_UNTIL": wrong}).moment("BALLADA_CLOSED_UNTIL", "Europe/Moscow")
