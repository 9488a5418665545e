"""The pages of errors: their codes, what they say, and what they keep to themselves."""

import logging

import pytest
from django.conf import settings
from django.test import Client
from django.urls import include, path

from config.errors import ALPHABET
from config.logs import IncidentFilter
from tests.pages import Page

SECRET = "the-secret-of-the-safe"


def fail(request):
    """A view with an error in it."""
    raise RuntimeError(SECRET)


urlpatterns = [path("", include("config.urls")), path("fail/", fail)]
handler500 = "config.errors.server_error"


@pytest.fixture
def failing(settings):
    """Gives a browser of somebody who reads that language, for a site with an error."""
    settings.ROOT_URLCONF = __name__

    def speaking(language: str = "en") -> Client:
        client = Client(raise_request_exception=False)
        client.cookies["django_language"] = language
        return client

    return speaking


def incident_of(response) -> str:
    """The number that the page names."""
    return next(word for word in Page(response).text.split() if is_incident(word.strip(".")))[:9]


def is_incident(word: str) -> bool:
    return len(word) == 9 and word[4] == "-" and set(word) <= {*ALPHABET, "-"}


def test_an_error_of_ours_has_a_number_that_is_in_the_log(failing, caplog):
    with caplog.at_level(logging.ERROR, logger="django.request"):
        response = failing().get("/fail/")
    assert response.status_code == 500
    (record,) = [record for record in caplog.records if record.exc_info]
    assert IncidentFilter().filter(record)
    assert record.getMessage().startswith(f"Incident {incident_of(response)}: ")


def test_the_filter_leaves_other_lines_alone():
    record = logging.LogRecord("ballada", logging.INFO, "", 1, "Hello %s", ("Ada",), None)
    assert IncidentFilter().filter(record)
    assert record.getMessage() == "Hello Ada"


def test_an_error_of_ours_says_whether_anything_may_have_happened(failing):
    looked, sent = failing().get("/fail/"), failing().post("/fail/")
    assert "it has changed nothing" in Page(looked).text
    assert "either done in full or not at all" in Page(sent).text
    assert "/operations/" in Page(sent).hrefs()


def test_the_page_of_an_error_asks_no_database_and_tells_nothing_of_the_inside(failing):
    # A test without the mark for the database fails at its first query.
    response = failing().get("/fail/")
    body = response.content.decode()
    for inside in (SECRET, "Traceback", "RuntimeError", "Django", "Python", str(settings.BASE_DIR), ".py"):
        assert inside not in body
    assert settings.SUPPORT_EMAIL in body


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.django_db
def test_error_pages_have_their_codes_and_one_language(failing, language):
    client = failing(language)
    for address, method, status in (
        ("/nothing/", "get", 404),
        ("/fail/", "get", 500),
        ("/first-steps/hide/", "get", 405),
    ):
        response = getattr(client, method)(address)
        page = Page(response)
        assert response.status_code == status
        assert page.count("h1") == 1
        assert dict(page.tags)["html"]["lang"] == language
        assert "Content-Security-Policy" in response.headers
        assert "style" not in {name for _tag, attributes in page.tags for name in attributes}
        assert page.count("script") == 0


@pytest.mark.django_db
def test_too_many_attempts_say_when_to_try_again(client):
    for _turn in range(21):
        response = client.post("/accounts/signup/", {})
        if response.status_code == 429:
            break
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "300"
