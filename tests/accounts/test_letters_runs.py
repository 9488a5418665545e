"""What cannot wait comes before everything else, and a run of letters has an end."""

from datetime import timedelta

import pytest
from django.core import mail

from accounts.models import Message
from accounts.services import waiting_letters
from accounts.services.waiting_letters import send_waiting_letters
from tests.accounts.mail_server import MailServer
from tests.accounts.telling import asked_for, recipients, told, waiting
from tests.clock import NOON

NOW = pytest.mark.usefixtures("noon")
COMMITS = pytest.mark.django_db(transaction=True)


def test_what_cannot_wait_comes_before_every_older_letter(ada, ben, monkeypatch):
    monkeypatch.setattr(waiting_letters, "LETTERS_A_RUN", 2)
    for _ in range(3):
        told(ben, wants_letter=True)
    told(ada, "password_changed", wants_letter=True)

    assert send_waiting_letters(at=NOON) == 2
    assert recipients() == ["ada@example.com", "ben@example.com"]


def test_what_cannot_wait_and_comes_meanwhile_is_next(ada, ben, server, monkeypatch):
    for _ in range(3):
        told(ben, wants_letter=True)
    original = MailServer.send_messages

    def send_messages(self, messages):
        if not mail.outbox:
            told(ada, "transfer_received", wants_letter=True)
        return original(self, messages)

    monkeypatch.setattr(MailServer, "send_messages", send_messages)

    assert send_waiting_letters(at=NOON) == 4
    assert recipients()[:2] == ["ben@example.com", "ada@example.com"]


def test_run_ends_after_a_while_and_asks_for_the_next(ada):
    for _ in range(4):
        told(ada, wants_letter=True)
    moments = iter(NOON + timedelta(seconds=seconds) for seconds in (0, 0, 30, 30, 60))

    assert send_waiting_letters(at=NOON, clock=lambda: next(moments)) == 2

    assert (len(waiting()), asked_for()) == (2, 1)
    assert list(
        Message.objects.exclude(letter_sent_at=None).order_by("pk").values_list("letter_sent_at", flat=True)
    ) == [NOON, NOON + timedelta(seconds=30)]


def test_letters_that_are_not_wanted_end_a_run_too(ada, monkeypatch):
    monkeypatch.setattr(waiting_letters, "LETTERS_A_RUN", 2)
    for _ in range(3):
        told(ada, "points_available", wants_letter=True)

    assert send_waiting_letters(at=NOON) == 0
    assert (len(waiting()), asked_for()) == (1, 1)


def test_quiet_hours_begin_within_a_run(ada):
    for _ in range(2):
        told(ada, wants_letter=True)
    evening = NOON + timedelta(hours=9, seconds=-10)
    moments = iter(evening + timedelta(seconds=seconds) for seconds in (0, 0, 20, 20))

    assert send_waiting_letters(at=evening, clock=lambda: next(moments)) == 1
    assert len(waiting()) == 1
