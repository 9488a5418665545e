"""When a password changed: every door notes it, since no points leave soon after."""

import re
from datetime import datetime
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.management.commands import changepassword
from django.core import mail
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.clock import NOON
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("noon")

NEW_PASSWORD = "quite another phrase"
CHANGE, SET, RESET = "/accounts/password/change/", "/accounts/password/set/", "/accounts/password/reset/"


def changed_at(email: str = "ada@example.com") -> datetime | None:
    return User.objects.get(email=email).password_changed_at


def test_sign_up_changes_nothing(db):
    browser = Client()
    browser.cookies["django_language"] = "en"
    browser.post(
        "/accounts/signup/",
        {
            "first_name": "Eve",
            "email": "eve@example.com",
            "password1": PASSWORD,
            "agrees_to_programme": "on",
        },
    )
    code = browser.session["account_email_verification_code"]["code"]
    browser.post("/accounts/confirm-email/", {"code": code})
    assert EmailAddress.objects.get(email="eve@example.com").verified

    assert changed_at("eve@example.com") is None


def test_page_to_change_it_notes_when(ada, client):
    typed = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    assert client.post(CHANGE, typed | {"oldpassword": "wrong"}).status_code == 200
    assert changed_at() is None
    assert client.post(CHANGE, typed).status_code == 302
    assert changed_at() == NOON
    assert User.objects.get(pk=ada.user.pk).check_password(NEW_PASSWORD)


def test_letter_to_reset_it_notes_when(ada):
    browser = Client()
    browser.cookies["django_language"] = "en"
    browser.post(RESET, {"email": "ada@example.com"})
    link = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[-1].body).group()
    form = browser.get(link, follow=True)
    assert changed_at() is None

    browser.post(form.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert changed_at() == NOON


def test_first_password_of_a_login_that_had_none_notes_when(ada, client_of):
    ada.user.set_unusable_password()
    ada.user.save()
    browser = client_of(ada)

    assert browser.post(SET, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 302

    assert changed_at() == NOON


def test_command_notes_when(ada, monkeypatch):
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda *_args, **_options: NEW_PASSWORD)

    call_command("changepassword", "ada@example.com", stdout=StringIO())

    assert changed_at() == NOON


def test_silent_rehash_at_sign_in_is_no_change(ada, settings):
    """Here the hash is an old one, of fewer rounds; signing in replaces it by one of today."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    old = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 8, iterations=1000)
    assert make_password(PASSWORD) != old
    User.objects.filter(pk=ada.user.pk).update(password=old)

    answer = Client().post("/accounts/login/", {"login": "ada@example.com", "password": PASSWORD})

    assert answer.status_code == 302
    user = User.objects.get(pk=ada.user.pk)
    assert user.password != old
    assert user.last_login == NOON
    assert user.password_changed_at is None
