"""A new e-mail that somebody signed up with and never proved: it keeps its owner from nothing."""

from threading import Event, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.test import Client

from accounts import services
from accounts.models import ContactChange, Member, User
from accounts.roles import Role
from tests.accounts.contact_changes import (
    EMAIL_PAGE,
    NEW_EMAIL,
    OLD_EMAIL,
    ask,
    ask_email,
    codes_in,
    confirm,
    letters_to,
    outcomes,
    text_of,
)
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("noon")

CONFIRM_SIGN_UP = "/accounts/confirm-email/"

Outcome = ContactChange.Outcome


@pytest.fixture
def stranger(db):
    """A browser in which somebody signed up with the new address; the code has not been entered."""
    browser = Client()
    browser.cookies["django_language"] = "en"
    filled_in = {"first_name": "Eve", "email": NEW_EMAIL, "password1": PASSWORD, "agrees_to_programme": "on"}
    assert browser.post("/accounts/signup/", filled_in).headers["Location"] == CONFIRM_SIGN_UP
    return browser


def code_of_sign_up(browser):
    return browser.session["account_email_verification_code"]["code"]


def enter_code(browser, code):
    return browser.post(CONFIRM_SIGN_UP, {"code": code})


def test_an_unproven_login_keeps_nobody_from_the_address(ada, client, stranger):
    page, *codes = ask_email(client)

    assert confirm(client, page, *codes).headers["Location"] == "/profile/"

    ada.refresh_from_db()
    assert (ada.email, ada.user.email, outcomes()) == (NEW_EMAIL, NEW_EMAIL, [Outcome.CONFIRMED])
    assert list(User.objects.filter(email=NEW_EMAIL)) == [ada.user]
    address = EmailAddress.objects.get(email=NEW_EMAIL)
    assert (address.user, address.verified, address.primary) == (ada.user, True, True)


def test_the_sign_up_that_lost_its_address_is_told_so(ada, client, stranger):
    code = code_of_sign_up(stranger)
    page, *codes = ask_email(client)
    confirm(client, page, *codes)

    response = enter_code(stranger, code)

    assert "Another member already has this e-mail address." in text_of(response)
    assert "_auth_user_id" not in stranger.session
    assert User.objects.get(email=NEW_EMAIL) == ada.user


def test_wrong_codes_free_no_address(ada, client, stranger):
    page, current_code, _new_code = ask_email(client)

    assert confirm(client, page, current_code, "").status_code == 422

    assert User.objects.filter(email=NEW_EMAIL, member=None).exists()


def test_an_address_that_its_login_proves_meanwhile_is_refused(ada, client, stranger):
    page, *codes = ask_email(client)
    enter_code(stranger, code_of_sign_up(stranger))

    confirm(client, page, *codes)

    ada.refresh_from_db()
    assert (ada.email, ada.user.email, outcomes()) == (OLD_EMAIL, OLD_EMAIL, [Outcome.TAKEN])
    assert Member.objects.get(email=NEW_EMAIL).user.email == NEW_EMAIL


def make_staff(user):
    services.assign_role(user=user, role=Role.STAFF)


def make_superuser(user):
    User.objects.filter(pk=user.pk).update(is_superuser=True)


@pytest.mark.parametrize("trust", [make_staff, make_superuser])
def test_a_login_that_the_operator_trusts_owns_its_address(ada, client, stranger, trust):
    """The first superuser is made in the shell, and no address is verified until they sign in."""
    trust(User.objects.get(email=NEW_EMAIL))

    ask(client, EMAIL_PAGE, NEW_EMAIL)

    assert codes_in(letters_to(NEW_EMAIL)[-1]) == set()
    assert ContactChange.objects.get().new_code_hash is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_proved", [True, False])
def test_a_login_that_is_just_being_proved_keeps_its_address(ada, client, stranger, is_proved):
    """Who confirms waits for whoever is in the middle of proving the address, and then looks again."""
    page, *codes = ask_email(client)
    login = User.objects.get(email=NEW_EMAIL)
    confirmed = Event()

    def confirming():
        try:
            confirm(client, page, *codes)
        finally:
            confirmed.set()
            connection.close()

    ada_confirms = Thread(target=confirming)
    with transaction.atomic():
        EmailAddress.objects.filter(user=login).update(verified=is_proved)
        ada_confirms.start()
        assert not confirmed.wait(timeout=1)
    ada_confirms.join(timeout=10)

    ada.refresh_from_db()
    expected = (OLD_EMAIL, [Outcome.TAKEN]) if is_proved else (NEW_EMAIL, [Outcome.CONFIRMED])
    assert (ada.email, outcomes()) == expected
    assert User.objects.filter(pk=login.pk).exists() == is_proved


@pytest.mark.django_db(transaction=True)
def test_who_proves_an_address_that_is_just_being_freed_is_sent_to_the_sign_in(stranger):
    """The code is entered while the login is being deleted: that is no failure of ours."""
    code = code_of_sign_up(stranger)
    answers = []

    def proving():
        try:
            answers.append(enter_code(stranger, code))
        finally:
            connection.close()

    stranger_proves = Thread(target=proving)
    with transaction.atomic():
        login = User.objects.select_for_update().get(email=NEW_EMAIL)
        list(EmailAddress.objects.select_for_update().filter(user=login))
        stranger_proves.start()
        stranger_proves.join(timeout=1)
        assert answers == []
        login.delete()
    stranger_proves.join(timeout=10)

    assert [answer.headers["Location"] for answer in answers] == ["/accounts/login/"]
    assert not EmailAddress.objects.filter(email=NEW_EMAIL).exists()
    assert "_auth_user_id" not in stranger.session
