"""What changes no contact: wrong codes, old codes, too many, those of others."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.models import ContactChange
from tests.accounts.contact_changes import (
    EMAIL_PAGE,
    NEW_EMAIL,
    NEW_PHONE,
    OLD_EMAIL,
    OLD_PHONE,
    PHONE_PAGE,
    ask,
    ask_email,
    code_in,
    confirm,
    give_phone,
    letters_to,
    other_than,
    outcomes,
    text_of,
)
from tests.clock import AN_HOUR_LATER, NOON

pytestmark = pytest.mark.usefixtures("noon")

Outcome = ContactChange.Outcome


# What is refused


@pytest.mark.parametrize(
    ("place", "contact", "sentence"),
    [
        (EMAIL_PAGE, "", "This is not an e-mail address. Write it like name@example.com."),
        (EMAIL_PAGE, "ada", "This is not an e-mail address. Write it like name@example.com."),
        (EMAIL_PAGE, " ADA@example.com", "This is what you have now. Enter something different."),
        (PHONE_PAGE, "12", "This is not a phone number. Write it like +7 916 123-45-67"),
        (PHONE_PAGE, "+7 916 000 00 01", "This is what you have now. Enter something different."),
    ],
)
def test_a_contact_that_cannot_be_is_refused_with_what_was_typed(ada, client, place, contact, sentence):
    give_phone(ada, OLD_PHONE, verified_at=NOON)

    response = ask(client, place, contact)

    assert response.status_code == 422
    assert sentence in text_of(response)
    assert response.context["form"]["contact"].value() == contact
    assert re.search(r"<title>\s*Error:", response.content.decode())
    assert (ContactChange.objects.count(), mail.outbox) == (0, [])


@pytest.mark.parametrize("wrong", [["current_code"], ["new_code"], ["current_code", "new_code"]])
def test_wrong_codes_change_nothing_and_say_which_one_it_is(ada, client, wrong):
    page, current_code, new_code = ask_email(client)
    typed = {"current_code": current_code, "new_code": new_code}
    typed |= {name: other_than(typed[name]) for name in wrong}

    response = client.post(page, typed)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == wrong
    assert "This is not the code we sent. Check it; 4 tries are left." in text_of(response)
    ada.refresh_from_db()
    assert (ada.email, ada.user.email) == (OLD_EMAIL, OLD_EMAIL)
    assert confirm(client, page, current_code, new_code).status_code == 302


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "letters", "１２３４５６"])
def test_what_is_no_code_is_no_try(ada, client, typed):
    page, current_code, _new_code = ask_email(client)

    response = confirm(client, page, current_code, typed)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["new_code"]
    assert ContactChange.objects.get().wrong_codes == 0


def test_five_wrong_tries_end_it_also_for_the_right_codes(ada, client):
    page, current_code, new_code = ask_email(client)
    for _ in range(4):
        assert confirm(client, page, other_than(current_code), new_code).status_code == 422

    for tried in (other_than(current_code), current_code):
        assert confirm(client, page, tried, new_code).headers["Location"] == "/profile/"
        assert "Wrong codes were entered too often." in text_of(client.get("/profile/"))

    ada.refresh_from_db()
    assert (ada.email, ada.user.email) == (OLD_EMAIL, OLD_EMAIL)
    assert outcomes() == [Outcome.WRONG_CODES]


def test_tries_count_together_however_they_arrive(ada, client):
    """Five hundred guesses at once are five guesses."""
    page, current_code, new_code = ask_email(client)
    for _ in range(20):
        confirm(client, page, other_than(current_code), new_code)

    assert ContactChange.objects.get().wrong_codes == ContactChange.MOST_WRONG_CODES


def test_codes_live_for_fifteen_minutes(ada, client, noon):
    page, *codes = ask_email(client)

    noon.move_to(NOON + timedelta(minutes=15))
    assert client.get(page).headers["Location"] == "/profile/"
    assert confirm(client, page, *codes).headers["Location"] == "/profile/"

    assert "These codes are too old." in text_of(client.get("/profile/"))
    ada.refresh_from_db()
    assert ada.email == OLD_EMAIL


def test_in_two_tabs_the_newest_request_counts(ada, client):
    first_page, *first_codes = ask_email(client)
    second_page, *second_codes = ask_email(client, "second@example.com")

    assert confirm(client, first_page, *first_codes).headers["Location"] == "/profile/"
    assert "Newer codes were asked for since then" in text_of(client.get("/profile/"))
    ada.refresh_from_db()
    assert ada.email == OLD_EMAIL

    confirm(client, second_page, *second_codes)
    ada.refresh_from_db()
    assert ada.email == "second@example.com"
    assert outcomes() == [Outcome.REPLACED, Outcome.CONFIRMED]


def test_codes_of_one_request_do_not_open_another(ada, client):
    _page, *first_codes = ask_email(client)
    second_page, *_second_codes = ask_email(client, "second@example.com")

    assert confirm(client, second_page, *first_codes).status_code == 422


def test_confirming_again_looks_the_same_and_does_nothing(ada, client):
    page, *codes = ask_email(client)
    confirm(client, page, *codes)
    mail.outbox.clear()

    assert confirm(client, page, *codes).headers["Location"] == "/profile/"
    assert client.get(page).headers["Location"] == "/profile/"

    assert mail.outbox == []
    assert outcomes() == [Outcome.CONFIRMED]


def test_an_old_confirmation_cannot_be_played_again_after_a_newer_one(ada, client):
    page, *codes = ask_email(client)
    confirm(client, page, *codes)
    next_page, *next_codes = ask_email(client, "third@example.com", NEW_EMAIL)
    confirm(client, next_page, *next_codes)

    confirm(client, page, *codes)

    ada.refresh_from_db()
    assert ada.email == ada.user.email == "third@example.com"


def test_a_request_can_be_cancelled(ada, client):
    page, *codes = ask_email(client)
    assert "Enter the codes" in text_of(client.get("/profile/"))

    assert client.post(f"{page}cancel/").headers["Location"] == "/profile/"

    assert "Enter the codes" not in text_of(client.get("/profile/"))
    confirm(client, page, *codes)
    ada.refresh_from_db()
    assert ada.email == OLD_EMAIL
    assert outcomes() == [Outcome.CANCELLED]


def test_a_request_is_its_members_only(ada, ben, client, client_of, stan):
    page, *codes = ask_email(client)

    for stranger in (client_of(ben), client_of(stan)):
        assert stranger.get(page).status_code == 404
        assert confirm(stranger, page, *codes).status_code == 404
        assert stranger.post(f"{page}cancel/").status_code == 404
    assert Client().get(page).headers["Location"].startswith("/accounts/login/")

    assert client.get(page).status_code == 200
    assert outcomes() == [""]


def test_staff_without_a_member_have_no_contacts_to_change(stan, client_of):
    for page in (EMAIL_PAGE, PHONE_PAGE):
        assert client_of(stan).get(page).status_code == 404


@pytest.mark.parametrize("place", [EMAIL_PAGE, PHONE_PAGE])
def test_a_contact_is_not_changed_by_a_link(ada, client, place):
    client.get(place, {"contact": NEW_EMAIL})

    assert (ContactChange.objects.count(), mail.outbox) == (0, [])


def test_who_has_only_the_browser_gets_nowhere(ada, client):
    """Somebody with Ada's open browser asks for their own address: they see one code of two."""
    page, _current_code, new_code = ask_email(client, "thief@example.com")

    assert confirm(client, page, new_code, new_code).status_code == 422
    assert confirm(client, page, "000000", new_code).status_code in (302, 422)

    ada.refresh_from_db()
    assert (ada.email, ada.user.email) == (OLD_EMAIL, OLD_EMAIL)
    assert "thief@example.com" in letters_to(OLD_EMAIL)[0]


def test_a_contact_that_is_no_longer_the_members_allows_nothing(ada, client, phones):
    give_phone(ada, OLD_PHONE, verified_at=NOON)
    page = ask(client, PHONE_PAGE, NEW_PHONE).headers["Location"]
    give_phone(ada, "+79160000009", verified_at=NOON)

    confirm(client, page, code_in(phones.to(OLD_PHONE)[0]), code_in(phones.to(NEW_PHONE)[0]))

    ada.refresh_from_db()
    assert str(ada.phone) == "+79160000009"


# How often


def test_the_limit_looks_back_and_not_at_the_clock(ada, client, noon):
    for _ in range(5):
        ask(client, EMAIL_PAGE, NEW_EMAIL)
    noon.move_to(AN_HOUR_LATER)

    assert ask(client, EMAIL_PAGE, NEW_EMAIL).status_code == 302


def test_codes_are_sent_five_times_an_hour_and_ten_times_a_day(ada, client, noon):
    for _ in range(5):
        assert ask(client, EMAIL_PAGE, NEW_EMAIL).status_code == 302
        noon.shift(timedelta(minutes=2))
    mail.outbox.clear()

    response = ask(client, EMAIL_PAGE, NEW_EMAIL)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "3000"
    assert "You have asked for codes too often. Try again in 50 minutes." in text_of(response)
    assert response.context["form"]["contact"].value() == NEW_EMAIL
    assert mail.outbox == []

    noon.move_to(NOON + timedelta(hours=2))
    for _ in range(5):
        assert ask(client, PHONE_PAGE, NEW_PHONE).status_code == 302
    noon.move_to(NOON + timedelta(hours=4))
    response = ask(client, EMAIL_PAGE, NEW_EMAIL)
    assert response.status_code == 429
    assert "Try again in 20 hours." in text_of(response)

    noon.move_to(NOON + timedelta(days=1, minutes=1))
    assert ask(client, EMAIL_PAGE, NEW_EMAIL).status_code == 302


def test_the_limit_of_one_member_is_not_that_of_another(ada, ben, client, client_of):
    for _ in range(6):
        ask(client, EMAIL_PAGE, NEW_EMAIL)

    assert ask(client_of(ben), EMAIL_PAGE, NEW_EMAIL).status_code == 302
