import pytest
from django.test import Client

from accounts.models import Language
from tests.factories import PASSWORD

ADDRESS = "/language/"
COOKIE = "django_language"


def test_set_language_keeps_the_page(db):
    client = Client()

    response = client.post(ADDRESS, {"language": "en", "next": "/accounts/signup/?from=till"})

    assert response.headers["Location"] == "/accounts/signup/?from=till"
    assert client.get("/accounts/signup/").headers["Content-Language"] == "en"
    client.post(ADDRESS, {"language": "ru"}, headers={"referer": "http://testserver/accounts/login/"})
    assert client.get("/accounts/login/").headers["Content-Language"] == "ru"


def test_set_language_is_kept_for_the_member_and_nobody_else(ada, ben, client_of):
    client_of(ada).post(ADDRESS, {"language": "en", "next": "/"})

    ada.refresh_from_db()
    ben.refresh_from_db()
    assert (ada.language, ben.language) == (Language.ENGLISH, Language.RUSSIAN)


@pytest.mark.parametrize("language", ["", "de", "xx", "ru; DROP"])
def test_set_language_leaves_the_member_alone_when_there_is_no_such_language(ada, client_of, language):
    client = client_of(ada)

    assert client.post(ADDRESS, {"language": language, "next": "/"}).status_code == 302

    ada.refresh_from_db()
    assert ada.language == Language.RUSSIAN
    assert client.get("/accounts/password/change/").headers["Content-Language"] == "ru"


def test_set_language_works_for_staff_who_are_no_members(stan, client_of):
    client = client_of(stan)

    client.post(ADDRESS, {"language": "en", "next": "/"})

    assert client.get("/accounts/password/change/").headers["Content-Language"] == "en"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", ""])
def test_set_language_goes_to_no_other_site(db, wanted):
    assert Client().post(ADDRESS, {"language": "en", "next": wanted}).headers["Location"] == "/"


def test_set_language_changes_nothing_by_a_link(ada, client_of):
    assert client_of(ada).get(ADDRESS, {"language": "en"}).status_code == 405


@pytest.mark.parametrize(("chosen_before", "shown"), [(None, "en"), ("ru", "ru")])
def test_sign_in_shows_the_members_language_where_none_was_chosen(ada, chosen_before, shown):
    ada.language = Language.ENGLISH
    ada.save()
    client = Client(headers={"accept-language": "ru"})
    if chosen_before:
        client.cookies[COOKIE] = chosen_before

    client.post("/accounts/login/", {"login": ada.email, "password": PASSWORD})

    assert client.get("/accounts/password/change/").headers["Content-Language"] == shown
