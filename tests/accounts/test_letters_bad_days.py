"""The letters of messages on bad days of the mail server, or of what is to be written."""

import logging
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected
from socket import create_server
from time import monotonic

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Message
from accounts.services import waiting_letters
from accounts.services.waiting_letters import send_waiting_letters
from tests.accounts.mail_server import smtp_server
from tests.accounts.telling import recipients, told, waiting
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory

NOW = pytest.mark.usefixtures("noon")
COMMITS = pytest.mark.django_db(transaction=True)


def test_mail_server_that_is_down_leaves_all_letters_waiting(ada, ben, server, caplog):
    letters = [told(member, wants_letter=True) for member in (ada, ben)]
    server.is_down = True

    assert send_waiting_letters(at=NOON) == 0

    assert waiting() == [one.pk for one in letters]
    assert "The mail server cannot be reached: SMTPConnectError" in caplog.text
    assert "@example.com" not in caplog.text

    server.is_down = False
    assert send_waiting_letters(at=AN_HOUR_LATER) == 2
    assert recipients() == ["ada@example.com", "ben@example.com"]


@pytest.mark.parametrize(
    "refusal",
    [
        SMTPServerDisconnected("gone"),
        SMTPDataError(451, b"try again"),
        SMTPRecipientsRefused({"ada@example.com": (450, b"busy")}),
        TimeoutError(),
    ],
)
def test_letter_that_is_not_taken_waits_and_keeps_no_other_waiting(ada, ben, server, refusal):
    stuck, _free = told(ada, wants_letter=True), told(ben, wants_letter=True)
    server.refusals = {"ada@example.com": refusal}

    assert send_waiting_letters(at=NOON) == 1
    assert (recipients(), waiting()) == (["ben@example.com"], [stuck.pk])

    server.refusals = {}
    assert send_waiting_letters(at=AN_HOUR_LATER) == 1
    assert recipients() == ["ben@example.com", "ada@example.com"]


def test_letters_that_are_not_taken_never_use_up_a_run(ada, ben, server, monkeypatch):
    monkeypatch.setattr(waiting_letters, "LETTERS_A_RUN", 2)
    for member in (ada, ada, ada, ben):
        told(member, wants_letter=True)
    server.refusals = {"ada@example.com": SMTPDataError(451, b"try again")}

    assert send_waiting_letters(at=NOON) == 1
    assert recipients() == ["ben@example.com"]


def test_mail_server_that_takes_nothing_is_left_alone_after_five_attempts(db, server, caplog):
    members = [MemberFactory(has_login=True) for _ in range(8)]
    letters = [told(member, wants_letter=True) for member in members]
    server.refusals = {member.email: SMTPDataError(452, b"full") for member in members}

    assert send_waiting_letters(at=NOON) == 0

    assert server.opened == 5
    assert waiting() == [one.pk for one in letters]
    assert "took none of 5 letters in a row" in caplog.text
    assert "@example.com" not in caplog.text

    server.refusals = {}
    assert send_waiting_letters(at=AN_HOUR_LATER) == 8


def test_a_few_full_mailboxes_do_not_stop_the_others(db, server):
    members = [MemberFactory(has_login=True) for _ in range(5)]
    for member in members:
        told(member, wants_letter=True)
    healthy = MemberFactory(has_login=True)
    stuck = waiting()
    told(healthy, wants_letter=True)
    server.refusals = {member.email: SMTPDataError(452, b"full") for member in members}

    # The fifth attempt is at the stuck letter or at the other one, whichever is picked.
    for _ in range(60):
        send_waiting_letters(at=NOON)

    assert recipients() == [healthy.email]
    assert waiting() == stuck


def test_letter_that_is_taken_in_between_shows_that_the_server_is_well(db, server):
    stuck = [MemberFactory(has_login=True) for _ in range(6)]
    healthy = MemberFactory(has_login=True)
    for member in (*stuck[:3], healthy, *stuck[3:], healthy):
        told(member, wants_letter=True)
    server.refusals = {member.email: SMTPDataError(452, b"full") for member in stuck}

    assert send_waiting_letters(at=NOON) == 2


def test_address_that_is_refused_for_good_is_not_tried_again(ada, server):
    told(ada, wants_letter=True)
    server.refusals = {"ada@example.com": SMTPRecipientsRefused({"ada@example.com": (550, b"nobody")})}

    assert send_waiting_letters(at=NOON) == 0
    assert waiting() == []
    assert Message.objects.get().letter_outcome == Message.LetterOutcome.REFUSED


@pytest.fixture
def smtp(settings):
    """A real connection to a mail server of our own."""
    with smtp_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


def test_letters_go_over_one_connection(ada, ben, smtp):
    for member in (ada, ben, ada):
        told(member, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 3

    assert smtp.recipients == ["ada@example.com", "ben@example.com", "ada@example.com"]
    assert smtp.connection_count == 1


def test_letter_after_a_broken_connection_goes_over_a_new_one(ada, ben, smtp):
    stuck, _free = told(ada, wants_letter=True), told(ben, wants_letter=True)
    smtp.breaks_off_at = "ada@example.com"

    assert send_waiting_letters(at=NOON) == 1

    assert (smtp.recipients, smtp.connection_count) == (["ben@example.com"], 2)
    assert waiting() == [stuck.pk]


def test_mail_server_that_says_nothing_is_given_up_soon(ada, ben, settings):
    assert settings.EMAIL_TIMEOUT <= 10
    letters = [told(member, wants_letter=True) for member in (ada, ben)]
    with create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        begun_at = monotonic()
        assert send_waiting_letters(at=NOON) == 0

    assert monotonic() - begun_at < 5
    assert waiting() == [one.pk for one in letters]


def test_mail_server_is_left_alone_when_nothing_waits(ada, server):
    told(ada)

    assert send_waiting_letters(at=NOON) == 0
    assert server.opened == 0


def test_letter_of_a_kind_without_words_waits_for_a_newer_version(ada, ben, caplog):
    unknown, _known = told(ada, "from_tomorrow", wants_letter=True), told(ben, wants_letter=True)

    with caplog.at_level(logging.ERROR):
        assert send_waiting_letters(at=NOON) == 1

    assert waiting() == [unknown.pk]
    assert f"The letter of message {unknown.pk} cannot be written" in caplog.text


def test_kind_that_cannot_be_written_is_skipped_and_said_once(ada, ben, caplog):
    for _ in range(6):
        told(ada, "from_tomorrow", wants_letter=True)
    told(ben, wants_letter=True)

    with caplog.at_level(logging.ERROR), CaptureQueriesContext(connection) as captured:
        assert send_waiting_letters(at=NOON) == 1

    assert caplog.text.count("cannot be written") == 1
    locked = [
        query for query in captured if "FOR UPDATE" in query["sql"] and "accounts_message" in query["sql"]
    ]
    assert len(locked) <= 2 * (3 + 1 + 1)
    assert len(waiting()) == 6
