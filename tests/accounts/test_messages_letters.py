"""The letters of messages: with what they tell about or not at all, and each of them once."""

import logging
from datetime import timedelta
from smtplib import SMTPConnectError, SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected
from socket import create_server
from time import monotonic

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

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
from tests.accounts.mail_server import smtp_server
from tests.accounts.telling import EARNED, told, work_off
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.loyalty.races import race

NOW = pytest.mark.usefixtures("noon")
COMMITS = pytest.mark.django_db(transaction=True)


def waiting() -> list[int]:
    return list(
        Message.objects.filter(wants_letter=True, letter_outcome="")
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def asked_for() -> int:
    """How many runs of the job the worker has before it."""
    return ProcrastinateJob.objects.filter(task_name=SEND_LETTERS_TASK, status="todo").count()


def recipients() -> list[str]:
    return [to for letter in mail.outbox for to in letter.to]


class MailServer(EmailBackend):
    """A mail server with bad days: what it does is set on the class, and each test begins with a good one."""

    is_down = False
    refusals: dict[str, Exception] = {}
    dies_after: str = ""
    opened = 0

    def open(self):
        if type(self).is_down:
            raise SMTPConnectError(421, b"not now")
        type(self).opened += 1

    def send_messages(self, messages):
        for message in messages:
            if refusal := self.refusals.get(message.to[0]):
                raise refusal
        sent = super().send_messages(messages)
        if messages[0].to[0] == type(self).dies_after:
            raise KeyboardInterrupt
        return sent


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = f"{__name__}.MailServer"
    yield MailServer
    MailServer.is_down, MailServer.refusals, MailServer.dies_after, MailServer.opened = False, {}, "", 0


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


# Bad days of the mail server


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


# What cannot wait, and how long a run is


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
