"""The profile: what a person sees and changes of themself; contacts and sessions have their own stories."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services
from accounts.contacts import readable_contact, readable_phone, tidy_name
from accounts.models import Consent, Language, Member
from accounts.numbers import format_member_number
from tests.accounts.contact_changes import give_phone
from tests.clock import NOON, TOMORROW_NOON, YESTERDAY_NOON
from tests.factories import UserFactory
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("noon")

PROFILE, NAME = "/profile/", "/profile/name/"
ADVERTISING, PROGRAMME = "/profile/consents/advertising/", "/profile/consents/programme/"


def in_english(browser):
    browser.cookies["django_language"] = "en"
    return browser


def page_of(browser, address=PROFILE):
    response = browser.get(address)
    assert response.status_code == 200
    return Page(response)


def agree(member, kind, *, at=NOON, is_given=True, how=Consent.How.SIGN_UP):
    services.record_consent(member=member, kind=kind, is_given=is_given, how=how, recorded_at=at)


def consents_of(member):
    return list(Consent.objects.filter(member=member).order_by("pk").values_list("kind", "is_given", "how"))


# Who may see it


def test_the_profile_shows_who_one_is(ada, ben, client):
    give_phone(ada, "+79160000001", verified_at=NOON)

    page = page_of(client)

    for text in ("Ада Иванова", format_member_number(ada.number), "10 March 2026", "ada@example.com"):
        assert text in page.text
    assert "+7\u00a0916\u00a0000-00-01" in page.text
    assert "not confirmed" not in page.text
    for text in (ben.email, ben.first_name, format_member_number(ben.number)):
        assert text not in page.text
    assert "/accounts/password/change/" in page.hrefs()


def test_the_profile_says_which_contact_is_not_confirmed(ada, client):
    give_phone(ada, "+79160000001", verified_at=None)

    assert page_of(client).text.count("not confirmed") == 1


def test_staff_without_a_member_see_what_a_login_has(stan, client_of):
    page = page_of(in_english(client_of(stan)))

    assert "Стан Козлов" in page.text
    assert "stan@example.com" in page.text
    assert "Where you are signed in" in page.text
    assert "/accounts/password/change/" in page.hrefs()
    for section in ("Contacts", "Consents", "Member number"):
        assert section not in page.text


@pytest.mark.parametrize("address", [PROFILE, NAME, "/profile/email/", "/profile/phone/"])
def test_who_is_not_signed_in_signs_in_first_and_comes_back(db, address):
    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"


@pytest.mark.parametrize(
    "address",
    [
        PROFILE,
        ADVERTISING,
        "/profile/sessions/end-others/",
        "/profile/sessions/1/end/",
        "/profile/changes/1/cancel/",
    ],
)
def test_each_page_has_its_method(ada, client, address):
    wrong = client.post(address) if address == PROFILE else client.get(address)

    assert wrong.status_code == 405


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_profile_is_sound_html(ada, client, language):
    agree(ada, Consent.Kind.PROGRAMME)
    client.cookies["django_language"] = language

    for address in (PROFILE, NAME, "/profile/email/", "/profile/phone/"):
        page = page_of(client, address)
        assert page.count("h1") == 1
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        named = {name for label in page.values("aria-labelledby") for name in label.split()}
        assert named <= set(ids)
        assert page.tags[0] == ("html", {"lang": language})
        assert not any(re.search(r"\d\u00a0\d", value) for value in page.values("href", "id", "value"))


# The name


def test_the_name_is_changed_for_the_member_and_the_login(ada, ben, client):
    page = page_of(client, NAME)
    assert {"Ада", "Иванова"} <= set(page.values("value"))

    response = client.post(NAME, {"first_name": "  Анна \u200b Мария\t", "last_name": " фон  Штерн "})

    assert response.headers["Location"] == PROFILE
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name) == ("Анна Мария", "фон Штерн")
    assert (ada.user.first_name, ada.user.last_name) == ("Анна Мария", "фон Штерн")
    ben.refresh_from_db()
    assert (ben.first_name, ben.user.first_name) == ("Бен", "Бен")
    assert "Your name has been changed." in page_of(client).text


def test_the_name_of_a_login_without_a_member_is_changed_too(stan, client_of):
    client_of(stan).post(NAME, {"first_name": "Станислав", "last_name": ""})

    stan.refresh_from_db()
    assert (stan.first_name, stan.last_name) == ("Станислав", "")


@pytest.mark.parametrize("first_name", ["", "   ", "\u200b\u202e", "—", "12"])
def test_a_first_name_without_a_letter_is_refused_in_words(ada, client, first_name):
    response = client.post(NAME, {"first_name": first_name, "last_name": "Новая"})

    assert response.status_code == 422
    assert "Enter your first name" in Page(response).text
    assert response.context["form"]["last_name"].value() == "Новая"
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name) == ("Ада", "Иванова")


def test_a_name_that_is_too_long_is_refused(ada, client):
    assert client.post(NAME, {"first_name": "А" * 101, "last_name": ""}).status_code == 422


@pytest.mark.parametrize(
    ("typed", "tidy"),
    [
        ("Мария", "Мария"),
        (" Мария\u00a0 Анна\n", "Мария Анна"),
        ("Jean\u2011Luc O’Neill", "Jean\u2011Luc O’Neill"),
        ("\u202eяираМ", "яираМ"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("…", ""),
    ],
)
def test_tidy_name(typed, tidy):
    assert tidy_name(typed) == tidy


def test_readable_contact_is_as_people_write_it():
    assert readable_phone("+79161234567") == "+7\u00a0916\u00a0123-45-67"
    assert readable_contact("ada@example.com") == "ada@example.com"
    assert readable_contact("+442079460958") == "+44\u00a020\u00a07946\u00a00958"


# The language


def test_the_language_is_chosen_here_too(ada, client):
    assert "chosen" in page_of(client).text

    response = client.post("/language/", {"language": "en", "next": PROFILE})

    assert response.headers["Location"] == PROFILE
    ada.refresh_from_db()
    assert ada.language == Language.ENGLISH
    assert re.search(r"English\s+chosen", page_of(client).text)


# The consents


def test_consents_are_shown_with_text_day_and_how(ada, client):
    agree(ada, Consent.Kind.PROGRAMME, at=YESTERDAY_NOON, how=Consent.How.TILL)

    text = page_of(client).text

    assert "Given at the till on 9 March 2026, text of 22 November 2026." in text
    assert "Not given." in text
    assert "To take it back and leave the programme, write to help@ballada.example." in text


def test_advertising_is_given_and_taken_back_with_one_button_each(ada, client, noon):
    client.post(ADVERTISING, {"is_given": "true"})
    assert "Given in the cabinet on 10 March 2026" in page_of(client).text

    noon.move_to(TOMORROW_NOON)
    client.post(ADVERTISING, {"is_given": "false"})
    assert "Taken back in the cabinet on 11 March 2026." in page_of(client).text

    assert consents_of(ada) == [
        ("advertising", True, Consent.How.CABINET),
        ("advertising", False, Consent.How.CABINET),
    ]


def test_a_button_pressed_twice_is_one_record(ada, client):
    for is_given in ("true", "true", "false", "false"):
        assert client.post(ADVERTISING, {"is_given": is_given}).status_code == 302

    assert [is_given for _kind, is_given, _how in consents_of(ada)] == [True, False]


def test_a_consent_of_sign_up_is_taken_back_in_the_cabinet(ada, client):
    services.record_consent(
        user=ada.user,
        kind=Consent.Kind.ADVERTISING,
        is_given=True,
        how=Consent.How.SIGN_UP,
        recorded_at=YESTERDAY_NOON,
    )

    client.post(ADVERTISING, {"is_given": "false"})

    assert "Taken back in the cabinet on 10 March 2026." in page_of(client).text
    history = page_of(client).text
    assert history.index("Advertising messages: taken back") < history.index("Advertising messages: given")


def test_the_consent_to_the_programme_is_given_here_and_not_taken_back_here(ada, client):
    client.post(PROGRAMME, {"is_given": "true"})
    assert client.post(PROGRAMME, {"is_given": "false"}, follow=True).status_code == 200

    assert consents_of(ada) == [("programme", True, Consent.How.CABINET)]
    assert PROGRAMME not in page_of(client).values("action")


def test_there_are_no_other_consents(ada, client):
    assert client.post("/profile/consents/everything/", {"is_given": "true"}).status_code == 404


def test_consents_are_ones_own(ada, ben, client, client_of):
    client_of(ben).post(ADVERTISING, {"is_given": "true"})

    assert consents_of(ada) == []
    assert "in the cabinet" not in page_of(client).text


def test_staff_without_a_member_have_no_consents(stan, client_of):
    assert client_of(stan).post(ADVERTISING, {"is_given": "true"}).status_code == 404


def test_the_profile_takes_the_same_queries_for_one_consent_and_for_thirty(ada, ben, client_of):
    agree(ada, Consent.Kind.PROGRAMME)
    for turn in range(30):
        agree(ben, Consent.Kind.ADVERTISING, is_given=turn % 2 == 0)
    agree(ben, Consent.Kind.PROGRAMME)

    counts = []
    for member in (ada, ben):
        browser = client_of(member)
        browser.get(PROFILE)
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(PROFILE).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 8


def test_a_login_that_is_no_member_and_no_staff_sees_the_login(db, client_of):
    assert page_of(client_of(UserFactory())).count("h1") == 1
    assert Member.objects.count() == 0
