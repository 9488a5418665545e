"""Changing an e-mail or a phone: both contacts confirm it, and both are told."""

import json
import re
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from smtplib import SMTPRecipientsRefused
from threading import Thread

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from accounts.models import ContactChange, Language, Member
from accounts.services.waiting_letters import send_waiting_letters
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
    codes_in,
    confirm,
    give_phone,
    letters_to,
    outcomes,
    text_of,
)
from tests.clock import NOON
from tests.factories import PASSWORD
from tests.orders.shop import balance_of
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("noon")

Outcome = ContactChange.Outcome


def sign_in(email: str) -> str:
    response = Client().post("/accounts/login/", {"login": email, "password": PASSWORD})
    return "signed in" if response.status_code == 302 else "refused"


# The whole way


def test_an_email_changes_when_both_addresses_have_confirmed(ada, client):
    page, current_code, new_code = ask_email(client, "  Ada.New@Example.com ")
    assert [letter.to for letter in mail.outbox] == [[OLD_EMAIL], [NEW_EMAIL]]
    assert current_code != new_code
    assert "ada.new@example.com" in text_of(client.get(page))
    ada.refresh_from_db()
    assert (ada.email, sign_in(OLD_EMAIL), sign_in(NEW_EMAIL)) == (OLD_EMAIL, "signed in", "refused")

    with time_machine.travel(NOON + timedelta(minutes=14), tick=False):
        response = confirm(client, page, current_code, new_code)

    assert response.headers["Location"] == "/profile/"
    assert "Your e-mail is now ada.new@example.com." in text_of(client.get("/profile/"))
    ada.refresh_from_db()
    assert (ada.email, ada.email_verified_at) == (NEW_EMAIL, NOON + timedelta(minutes=14))
    assert ada.user.email == NEW_EMAIL
    assert list(EmailAddress.objects.values_list("user", "email", "verified", "primary")) == [
        (ada.user_id, NEW_EMAIL, True, True)
    ]
    assert (sign_in(OLD_EMAIL), sign_in(NEW_EMAIL)) == ("refused", "signed in")
    assert outcomes() == [Outcome.CONFIRMED]


def test_both_addresses_are_told_of_the_change(ada, client):
    page, current_code, new_code = ask_email(client)
    mail.outbox.clear()

    confirm(client, page, current_code, new_code)
    # The new address gets the letter of the message about it.
    send_waiting_letters(at=NOON)

    assert [letter.to for letter in mail.outbox] == [[OLD_EMAIL], [NEW_EMAIL]]
    for letter in mail.outbox:
        assert OLD_EMAIL in letter.body
        assert NEW_EMAIL in letter.body
        assert letter.body.count("127.0.0.1") == letter.body.count("12:00") == 1
        assert codes_in(letter.body) == set()


def test_an_address_that_gets_no_letters_is_told_of_a_new_phone_all_the_same(ada, client, phones):
    give_phone(ada, OLD_PHONE, verified_at=NOON)
    Member.objects.filter(pk=ada.pk).update(refused_email=OLD_EMAIL)

    page = ask(client, PHONE_PAGE, "8 (916) 123-45-67").headers["Location"]
    confirm(client, page, code_in(phones.to(OLD_PHONE)[0]), code_in(phones.to(NEW_PHONE)[0]))

    assert "916" in letters_to(OLD_EMAIL)[-1]


def test_a_phone_changes_when_both_phones_have_confirmed(ada, client, phones):
    give_phone(ada, OLD_PHONE, verified_at=NOON)

    page = ask(client, PHONE_PAGE, "8 (916) 123-45-67").headers["Location"]
    codes = code_in(phones.to(OLD_PHONE)[0]), code_in(phones.to(NEW_PHONE)[0])
    assert (len(phones.messages), mail.outbox) == (2, [])
    confirm(client, page, *codes)
    send_waiting_letters(at=NOON)

    ada.refresh_from_db()
    assert (str(ada.phone), ada.phone_verified_at) == (NEW_PHONE, NOON)
    assert ada.email == ada.user.email == OLD_EMAIL
    told = [phones.to(OLD_PHONE)[-1], phones.to(NEW_PHONE)[-1], letters_to(OLD_EMAIL)[-1]]
    assert all("916" in text.replace("\u00a0", "") for text in told)
    assert "Your phone is now +7\u00a0916\u00a0123-45-67." in text_of(client.get("/profile/"))


def test_a_first_phone_is_allowed_from_the_email(ada, client, phones):
    page = ask(client, PHONE_PAGE, NEW_PHONE).headers["Location"]

    confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), code_in(phones.to(NEW_PHONE)[0]))

    ada.refresh_from_db()
    assert (str(ada.phone), ada.phone_verified_at) == (NEW_PHONE, NOON)


def test_a_phone_that_nobody_has_confirmed_allows_nothing_and_can_be_confirmed_itself(ada, client, phones):
    give_phone(ada, OLD_PHONE, verified_at=None)
    assert OLD_PHONE in Page(client.get(PHONE_PAGE)).values("value")

    page = ask(client, PHONE_PAGE, OLD_PHONE).headers["Location"]
    confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), code_in(phones.to(OLD_PHONE)[0]))

    ada.refresh_from_db()
    assert (str(ada.phone), ada.phone_verified_at) == (OLD_PHONE, NOON)


def test_a_member_without_an_email_allows_it_from_the_address_of_the_login(ada, client):
    Member.objects.filter(pk=ada.pk).update(email=None, email_verified_at=None)

    page, current_code, new_code = ask_email(client)
    confirm(client, page, current_code, new_code)

    ada.refresh_from_db()
    assert ada.email == ada.user.email == NEW_EMAIL


def test_an_email_that_one_signs_in_with_can_be_confirmed_itself(ada, client):
    Member.objects.filter(pk=ada.pk).update(email_verified_at=None)

    page = ask(client, EMAIL_PAGE, OLD_EMAIL).headers["Location"]
    confirm(client, page, *[code_in(letter) for letter in letters_to(OLD_EMAIL)])

    ada.refresh_from_db()
    assert (ada.email, ada.email_verified_at, ada.user.email) == (OLD_EMAIL, NOON, OLD_EMAIL)
    assert sign_in(OLD_EMAIL) == "signed in"
    assert len(mail.outbox) == 2


def test_letters_are_in_the_members_language_and_pages_in_the_browsers(ada, client):
    page, *codes = ask_email(client)
    confirm(client, page, *codes)
    ada.refresh_from_db()
    assert ada.language == Language.RUSSIAN
    assert all(re.search("[а-я]{3}", letter.body) for letter in mail.outbox if "123" not in letter.subject)

    Member.objects.filter(pk=ada.pk).update(language=Language.ENGLISH)
    client.cookies["django_language"] = "ru"
    ask_email(client, "again@example.com", NEW_EMAIL)

    assert not any(re.search("[а-я]{3}", letter.body) for letter in mail.outbox)


def test_codes_may_be_written_with_spaces(ada, client):
    page, current_code, new_code = ask_email(client)

    confirm(client, page, f" {current_code[:3]} {current_code[3:]} ", f"{new_code[:3]}-{new_code[3:]}")

    assert outcomes() == [Outcome.CONFIRMED]


def test_the_codes_are_not_kept(ada, client):
    _page, current_code, new_code = ask_email(client)

    kept = json.dumps(list(ContactChange.objects.values()), default=str)
    assert current_code not in kept
    assert new_code not in kept


def test_an_email_change_signs_out_everywhere_else(ada, client, client_of):
    elsewhere = client_of(ada)
    page, *codes = ask_email(client)
    assert elsewhere.get("/profile/").status_code == 200

    confirm(client, page, *codes)

    assert client.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302


def test_a_phone_change_signs_nobody_out(ada, client, client_of, phones):
    elsewhere = client_of(ada)
    elsewhere.get("/profile/")
    page = ask(client, PHONE_PAGE, NEW_PHONE).headers["Location"]

    confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), code_in(phones.to(NEW_PHONE)[0]))

    assert elsewhere.get("/profile/").status_code == 200


def test_orders_that_waited_for_the_contact_are_credited(ada, client, phones, paid):
    by_phone = paid(None, 1_000, customer_phone=NEW_PHONE)
    by_email = paid(None, 2_000, customer_email=NEW_EMAIL)

    page = ask(client, PHONE_PAGE, NEW_PHONE).headers["Location"]
    confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), code_in(phones.to(NEW_PHONE)[0]))
    by_phone.refresh_from_db()
    by_email.refresh_from_db()
    assert (by_phone.member, by_email.member) == (ada, None)
    assert balance_of(ada).available_points == 30

    page, *codes = ask_email(client)
    confirm(client, page, *codes)
    by_email.refresh_from_db()
    assert by_email.member == ada
    assert balance_of(ada).available_points == 90


# Sending fails


def test_when_the_mail_server_is_away_nothing_is_lost_and_nothing_changes(ada, client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    response = ask(client, EMAIL_PAGE, NEW_EMAIL)

    assert response.status_code == 503
    assert "The message could not be sent. Nothing was changed" in text_of(response)
    assert response.context["form"]["contact"].value() == NEW_EMAIL
    assert outcomes() == [Outcome.NOT_SENT]


def test_a_change_is_made_although_the_contacts_cannot_be_told(ada, client, settings, caplog):
    page, *codes = ask_email(client)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    assert confirm(client, page, *codes).status_code == 302

    ada.refresh_from_db()
    assert ada.email == NEW_EMAIL
    assert "one of the contacts was not told" in caplog.text


def test_the_log_holds_no_address_that_the_mail_server_refused(ada, client, monkeypatch, caplog):
    page, *codes = ask_email(client)

    def refuse(_backend, letters):
        raise SMTPRecipientsRefused({letter.to[0]: (550, b"No such user") for letter in letters})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)

    assert confirm(client, page, *codes).status_code == 302

    assert "A letter was not sent: SMTPRecipientsRefused" in caplog.text
    assert "one of the contacts was not told" in caplog.text
    assert [address for address in (OLD_EMAIL, NEW_EMAIL) if address in caplog.text] == []


class Gateway:
    """An SMS gateway on this machine; `status` is what it answers."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.status = 202
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.received.append(json.loads(body))
                self.send_response(gateway.status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/send?key=secret"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def gateway(settings):
    gateway = Gateway()
    settings.SMS_URL, settings.IS_PRODUCTION = gateway.url, True
    yield gateway
    gateway.server.shutdown()
    gateway.server.server_close()


def test_the_gateway_gets_the_text_and_the_log_does_not(ada, client, gateway, phones):
    page = ask(client, PHONE_PAGE, NEW_PHONE).headers["Location"]

    (sent,) = gateway.received
    assert sent["to"] == NEW_PHONE
    assert phones.messages == []
    confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), code_in(sent["text"]))
    ada.refresh_from_db()
    assert str(ada.phone) == NEW_PHONE


@pytest.mark.parametrize("trouble", ["it refuses", "it is away"])
def test_when_the_gateway_fails_the_page_says_so_and_keeps_the_number(
    ada, client, gateway, settings, trouble, caplog
):
    gateway.status = 500
    if trouble == "it is away":
        settings.SMS_URL = "http://127.0.0.1:1/send?key=secret"

    response = ask(client, PHONE_PAGE, NEW_PHONE)

    assert response.status_code == 503
    assert "The message could not be sent. Nothing was changed" in text_of(response)
    assert response.context["form"]["contact"].value() == NEW_PHONE
    assert outcomes() == [Outcome.NOT_SENT]
    assert "secret" not in caplog.text


def test_production_without_a_gateway_offers_no_form_and_says_whom_to_ask(ada, client, settings):
    settings.IS_PRODUCTION = True

    page = Page(client.get(PHONE_PAGE))
    profile = Page(client.get("/profile/"))

    assert page.count("input") == inputs_of_the_frame(page)
    assert "write to help@ballada.example" in page.text
    assert PHONE_PAGE not in profile.hrefs()
    assert EMAIL_PAGE in profile.hrefs()
    assert ask(client, PHONE_PAGE, NEW_PHONE).status_code == 422
    assert (ContactChange.objects.count(), mail.outbox) == (0, [])


def inputs_of_the_frame(page: Page) -> int:
    """How many inputs the page's head has: tokens and the place to come back to."""
    return sum(
        tag == "input" and attributes["name"] in ("csrfmiddlewaretoken", "next")
        for tag, attributes in page.tags
    )
