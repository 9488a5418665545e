"""The letters of messages: with what they tell about or not at all, and each of them once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django import app

from accounts.models import Member, Message
from accounts.services import waiting_letters
from accounts.services.messages import (
    SEND_LETTERS_LOCK,
    SEND_LETTERS_TASK,
    Telling,
    send_letters_soon,
    tell,
)
from accounts.services.waiting_letters import LONGEST_WAIT, send_waiting_letters
from tests.accounts.telling import EARNED, asked_for, recipients, told, waiting, work_off
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.loyalty.races import race

NOW = pytest.mark.usefixtures("noon")
COMMITS = pytest.mark.django_db(transaction=True)


# With what they tell about


def test_message_is_there_with_what_it_tells_about_and_gone_with_it(ada):
    told(ada)
    with transaction.atomic():
        told(ada, wants_letter=True)
        transaction.set_rollback(True)

    assert Message.objects.count() == 1
    assert send_waiting_letters(at=NOON) == 0


@COMMITS
def test_letter_is_asked_for_only_after_the_commit(ada):
    with transaction.atomic():
        told(ada, wants_letter=True)
        transaction.set_rollback(True)
    assert asked_for() == 0

    with transaction.atomic():
        told(ada, wants_letter=True)
        assert asked_for() == 0
    assert asked_for() == 1


@COMMITS
def test_message_without_a_letter_asks_for_nothing(ada):
    told(ada)

    assert asked_for() == 0
    assert send_waiting_letters(at=NOON) == 0


@COMMITS
def test_telling_while_a_worker_is_waited_for_asks_for_none(ada):
    told(ada, wants_letter=True)
    with CaptureQueriesContext(connection) as captured:
        told(ada, wants_letter=True)

    assert not [query for query in captured if "procrastinate_defer" in query["sql"]]
    assert asked_for() == 1


@COMMITS
def test_asking_at_the_same_moment_asks_once(ada):
    assert race(*[send_letters_soon] * 6) == [None] * 6
    assert asked_for() == 1


@COMMITS
def test_asking_when_somebody_was_quicker_ends_no_transaction(ada):
    told(ada, wants_letter=True)

    with transaction.atomic():
        send_letters_soon()
        told(ada)

    assert Message.objects.count() == 2
    assert asked_for() == 1


def test_telling_takes_one_statement_and_telling_nothing_none(ada, ben):
    tellings = [
        Telling(member_id=member.pk, kind="points_earned", happened_at=NOON, facts=EARNED, wants_letter=False)
        for member in (ada, ben)
    ]
    with CaptureQueriesContext(connection) as captured:
        tell()
        tell(*tellings)

    assert len(captured) == 1
    assert [(one.member, one.kind, one.facts, one.happened_at) for one in Message.objects.order_by("pk")] == [
        (ada, "points_earned", EARNED, NOON),
        (ben, "points_earned", EARNED, NOON),
    ]
    assert not Message.objects.exclude(wants_letter=False, seen_at=None, letter_sent_at=None).exists()


def test_job_has_its_time():
    times = {
        periodic.task.name: periodic.cron
        for periodic in app.periodic_registry.periodic_tasks.values()
        if periodic.task.name.startswith("accounts.jobs")
    }

    assert times == {SEND_LETTERS_TASK: "* * * * *"}
    assert app.tasks[SEND_LETTERS_TASK].queueing_lock == SEND_LETTERS_LOCK


@COMMITS
@NOW
def test_worker_sends_what_was_told(ada):
    told(ada, wants_letter=True)

    work_off()

    assert recipients() == ["ada@example.com"]
    assert waiting() == []
    assert Message.objects.get().letter_sent_at == NOON


@COMMITS
@NOW
def test_worker_comes_back_for_the_rest(ada, ben, monkeypatch):
    monkeypatch.setattr(waiting_letters, "LETTERS_A_RUN", 2)
    with transaction.atomic():
        for _ in range(5):
            told(ada, wants_letter=True)

    work_off()

    assert len(mail.outbox) == 5
    assert asked_for() == 0


# Each of them once


def test_second_run_sends_nothing(ada, ben):
    first, second = told(ada, wants_letter=True), told(ben, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 2
    assert send_waiting_letters(at=AN_HOUR_LATER) == 0

    assert recipients() == ["ada@example.com", "ben@example.com"]
    for message in (first, second):
        message.refresh_from_db()
        assert message.letter_sent_at == NOON


@COMMITS
def test_workers_at_the_same_moment_send_each_letter_once(ada, ben):
    for _ in range(10):
        told(ada, wants_letter=True)
        told(ben, wants_letter=True)

    sent = race(*[lambda: send_waiting_letters(at=NOON)] * 4)

    assert sum(sent) == 20
    ids = [letter.extra_headers["Message-ID"] for letter in mail.outbox]
    assert len(ids) == len(set(ids)) == 20
    assert waiting() == []


@COMMITS
def test_letter_in_the_hand_of_another_worker_is_left_to_it(ada, ben):
    in_hand, free = told(ada, wants_letter=True), told(ben, wants_letter=True)
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=in_hand.pk)
        assert race(lambda: send_waiting_letters(at=NOON)) == [1]

    assert recipients() == ["ben@example.com"]
    assert waiting() == [in_hand.pk]
    assert Message.objects.get(pk=free.pk).letter_sent_at == NOON


# What is promised: no letter is lost, and of all letters only the one in hand can go out again, when the
# worker dies after the mail server has taken it and before the database has. Both then carry one id.
@COMMITS
def test_worker_that_dies_after_sending_repeats_only_the_letter_in_hand(ada, ben, server):
    eve = MemberFactory(email="eve@example.com", email_verified_at=NOON)
    letters = [told(member, wants_letter=True) for member in (ada, ben, eve)]
    server.dies_after = "ben@example.com"
    with pytest.raises(KeyboardInterrupt):
        send_waiting_letters(at=NOON)
    assert waiting() == [one.pk for one in letters[1:]]

    server.dies_after = ""
    assert send_waiting_letters(at=NOON) == 2

    assert recipients() == ["ada@example.com", "ben@example.com", "ben@example.com", "eve@example.com"]
    first, again = (letter for letter in mail.outbox if letter.to == ["ben@example.com"])
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]


# Nobody to write to


def test_letter_goes_to_the_logins_address_where_no_other_is_verified(ada):
    Member.objects.filter(pk=ada.pk).update(email="new@example.com", email_verified_at=None)
    told(ada, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 1
    assert recipients() == [ada.user.email]


@pytest.mark.parametrize("person", ["no e-mail", "unproven e-mail", "sandbox", "gone"])
def test_letter_to_nobody_is_given_up(db, ben, person):
    member = {
        "no e-mail": lambda: MemberFactory(),
        "unproven e-mail": lambda: MemberFactory(email="eve@example.com"),
        "sandbox": lambda: MemberFactory(email="eve@example.com", email_verified_at=NOON, is_sandbox=True),
        "gone": lambda: Member(pk=10**9),
    }[person]()
    message = told(member, wants_letter=True)
    told(ben, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 1

    message.refresh_from_db()
    assert (message.letter_outcome, message.letter_sent_at) == (Message.LetterOutcome.NO_ADDRESS, None)
    assert recipients() == ["ben@example.com"]


def test_letter_is_not_sent_after_two_days(ada):
    late = told(ada, at=NOON - LONGEST_WAIT - timedelta(seconds=1), wants_letter=True)
    told(ada, at=NOON - LONGEST_WAIT, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 1
    assert waiting() == []
    late.refresh_from_db()
    assert (late.letter_outcome, late.letter_sent_at) == (Message.LetterOutcome.LATE, None)
