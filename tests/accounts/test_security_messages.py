"""What is done to a login is a message with a letter, so that the cabinet lists it too."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Device, Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.services.blocking import block_member, unblock_member
from tests.accounts.telling import FIREFOX
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("noon")

NEW_PASSWORD = "quite another phrase"
# Midnight in Moscow: what is about security is sent at any hour.
AT_NIGHT = NOON + timedelta(hours=12)


def sign_in(member, browser: Client | None = None) -> Client:
    browser = browser or Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    browser.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    browser.get("/accounts/password/change/")
    return browser


def kinds(member) -> list[str]:
    return list(Message.objects.filter(member=member).order_by("pk").values_list("kind", flat=True))


def test_the_first_sign_in_of_all_is_no_news(ada):
    sign_in(ada)

    assert kinds(ada) == []


def test_sign_in_from_another_browser_is_told(ada):
    sign_in(ada)
    sign_in(ada)

    message = Message.objects.get(member=ada)
    assert (message.kind, message.wants_letter) == ("new_sign_in", True)
    assert (message.facts["ip"], message.facts["user_agent"]) == ("192.0.2.7", FIREFOX)

    send_waiting_letters(at=AT_NIGHT)

    (letter,) = mail.outbox
    assert letter.to == ["ada@example.com"]
    assert "192.0.2.7, Firefox" in letter.body


def test_sign_in_from_a_browser_that_is_known_is_no_news(ada):
    browser = sign_in(ada)
    browser.post("/accounts/logout/")
    sign_in(ada, browser)

    assert kinds(ada) == []


def test_browser_of_another_member_is_new_to_this_one(ada, ben):
    sign_in(ben)
    browser = sign_in(ada)
    browser.post("/accounts/logout/")
    sign_in(ben, browser)

    assert kinds(ada) == []
    assert kinds(ben) == ["new_sign_in"]


def test_colleague_without_a_member_signs_in_as_ever(stan):
    browser = Client()
    browser.post("/accounts/login/", {"login": stan.email, "password": PASSWORD})

    assert browser.session["_auth_user_id"] == str(stan.pk)
    assert not Device.objects.exists()
    assert not Message.objects.exists()


def test_changed_password_is_told_once(ada, client_of):
    browser = client_of(ada)
    typed = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert browser.post("/accounts/password/change/", typed).status_code == 302

    assert kinds(ada) == ["password_changed"]
    assert mail.outbox == []
    send_waiting_letters(at=AT_NIGHT)
    assert len(mail.outbox) == 1


def test_password_of_a_colleague_is_told_by_letter_alone(stan, client_of):
    browser = client_of(stan)
    typed = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.post("/accounts/password/change/", typed)

    assert not Message.objects.exists()
    assert [letter.to for letter in mail.outbox] == [[stan.email]]


def test_blocking_and_unblocking_are_told(ada, sue):
    block_member(member=ada, at=NOON, actor_id=None, reason="Not me")
    block_member(member=ada, at=NOON, actor_id=sue.pk, reason="Once more")
    unblock_member(member=ada, at=AN_HOUR_LATER, actor_id=sue.pk, reason="All is well")
    block_member(member=ada, at=AN_HOUR_LATER, actor_id=sue.pk, reason="Doubts")

    told = Message.objects.filter(member=ada).order_by("pk").values_list("kind", "facts__is_own")
    assert list(told) == [
        ("account_blocked", True),
        ("account_unblocked", False),
        ("account_blocked", False),
    ]
