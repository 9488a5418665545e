"""Members are told before points expire: 30, 7 and 1 days ahead, once for each, whatever befalls the job."""

import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection, transaction

from accounts.models import Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.models import ExpiryNotice, Fund
from loyalty.services.expiries import tell_expiries
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn, fetch, hold, spend
from tests.loyalty.races import race

TODAY = NOON.date()
IN_30, IN_7, IN_1 = (TODAY + timedelta(days=days) for days in (30, 7, 1))
MOSCOW = ZoneInfo("Europe/Moscow")


def told(member):
    """The days and points of each message, in the order in which they were told."""
    return [
        [(expiry["expires_on"], expiry["points"]) for expiry in message.facts["expiries"]]
        for message in Message.objects.filter(member=member, kind="points_expire").order_by("pk")
    ]


def noticed():
    return list(
        ExpiryNotice.objects.order_by("account_id", "expires_on", "-days_ahead").values_list(
            "expires_on", "days_ahead"
        )
    )


@pytest.mark.parametrize(
    ("days", "expected"), [(31, []), (30, [30]), (8, [30]), (7, [7]), (1, [1]), (0, [1])]
)
def test_the_nearest_threshold_is_told(ada, days, expected):
    earn(ada, 100, until=TODAY + timedelta(days=days))

    assert tell_expiries(at=NOON) == len(expected)

    assert [days_ahead for _day, days_ahead in noticed()] == expected


def test_a_lot_is_told_of_once_for_each_threshold(ada):
    earn(ada, 100, until=IN_30)

    for day in range(31):
        tell_expiries(at=NOON + timedelta(days=day))
        tell_expiries(at=NOON + timedelta(days=day, hours=1))

    assert noticed() == [(IN_30, 30), (IN_30, 7), (IN_30, 1)]
    assert told(ada) == [[(IN_30.isoformat(), 100)]] * 3
    assert [message.happened_at for message in Message.objects.order_by("pk")] == [
        NOON,
        NOON + timedelta(days=23),
        NOON + timedelta(days=29),
    ]


def test_one_message_for_all_days_of_a_run(ada, ben):
    earn(ada, 500, until=IN_30)
    earn(ada, 20, until=IN_1, fund=Fund.PROMOTIONS)
    earn(ada, 10, until=IN_1)
    earn(ada, 300, until=IN_7)
    earn(ada, 900, until=TODAY + timedelta(days=60))
    earn(ben, 5, until=None)

    assert tell_expiries(at=NOON) == 1

    (message,) = Message.objects.all()
    assert message.wants_letter
    assert message.facts["points"] == 830
    assert message.facts["first_expires_on"] == IN_1.isoformat()
    assert told(ada) == [[(IN_1.isoformat(), 30), (IN_7.isoformat(), 300), (IN_30.isoformat(), 500)]]


def test_points_that_are_set_aside_do_not_expire_yet(ada):
    earn(ada, 100, until=IN_7)
    hold(ada, 100)
    assert tell_expiries(at=NOON) == 0

    earn(ada, 30, until=IN_7)
    tell_expiries(at=NOON)

    assert told(ada) == [[(IN_7.isoformat(), 30)]]


def test_members_of_the_sandbox_are_told_nothing(db):
    earn(MemberFactory(is_sandbox=True, user=None), 100, until=IN_7)

    assert tell_expiries(at=NOON) == 0


def test_days_are_those_of_the_programme(ada):
    """Half past midnight in Moscow is the evening before elsewhere."""
    earn(ada, 100, until=date(2026, 4, 10))

    assert tell_expiries(at=datetime(2026, 3, 10, 23, 59, tzinfo=MOSCOW)) == 0
    assert tell_expiries(at=datetime(2026, 3, 11, 0, 30, tzinfo=MOSCOW)) == 1


def test_the_first_notice_says_since_when_the_points_were_there(ada):
    earn(ada, 100, until=IN_7, at=NOON - timedelta(days=358), available_at=NOON - timedelta(days=344))
    earn(ada, 100, until=IN_30)

    tell_expiries(at=NOON)
    tell_expiries(at=NOON + timedelta(days=6))

    first, second = Message.objects.filter(kind="points_expire").order_by("pk")
    assert (first.facts["is_first"], first.facts["credited_on"]) == (True, "2025-03-17")
    assert (second.facts["is_first"], second.facts["credited_on"]) == (False, None)


def test_letter_counts_what_is_left_when_it_leaves(ada):
    earn(ada, 300, until=IN_7)
    earn(ada, 500, until=IN_30)
    tell_expiries(at=NOON)
    spend(ada, 400)

    send_waiting_letters(at=NOON)

    (letter,) = mail.outbox
    assert "400\u00a0" in letter.subject
    assert "300" not in letter.body
    # The cabinet keeps what was true then.
    assert told(ada) == [[(IN_7.isoformat(), 300), (IN_30.isoformat(), 500)]]


def test_letter_is_not_sent_when_nothing_is_left(ada):
    earn(ada, 300, until=IN_7)
    tell_expiries(at=NOON)
    spend(ada, 300)

    send_waiting_letters(at=NOON)

    assert mail.outbox == []
    assert Message.objects.get().letter_outcome == "outdated"


def test_two_runs_at_once_tell_everybody_once(transactional_db):
    members = [MemberFactory() for _person in range(30)]
    for member in members:
        earn(member, 100, until=IN_7)
        earn(member, 200, until=IN_30)

    counts = race(*[lambda: tell_expiries(at=NOON)] * 3)

    assert sum(counts) == 30
    assert all(told(member) == [[(IN_7.isoformat(), 100), (IN_30.isoformat(), 200)]] for member in members)
    assert ExpiryNotice.objects.count() == 60


# Stands for a worker, which tells two members at a time.
WORKER = """
import sys
from datetime import datetime
import django
django.setup()
from loyalty.services import batches, expiries
batches.BATCH_MEMBERS = 2
expiries.tell_expiries(at=datetime.fromisoformat(sys.argv[1]))
"""


def database_url() -> str:
    """Where the tests' database is, for another process."""
    parts = {name: quote(str(value), safe="") for name, value in connection.settings_dict.items()}
    login = f"{parts['USER']}:{parts['PASSWORD']}" if parts["PASSWORD"] else parts["USER"]
    return f"postgresql://{login}@{parts['HOST']}:{parts['PORT'] or 5432}/{parts['NAME']}"


def test_run_that_dies_in_the_middle_tells_nothing_twice_and_misses_nothing(transactional_db):
    members = [MemberFactory() for _person in range(10)]
    for member in members:
        earn(member, 100, until=IN_7)
    with transaction.atomic():
        # The worker's third batch waits for a notice that somebody else is about to write.
        ExpiryNotice.objects.create(account_id=members[5].pk, expires_on=IN_7, days_ahead=7, told_at=NOON)
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, NOON.isoformat()],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url()},
        )
        wait_until_blocked(worker)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        transaction.set_rollback(True)
    wait_until_alone()
    assert [bool(told(member)) for member in members] == [True] * 4 + [False] * 6

    assert tell_expiries(at=NOON) == 6

    assert all(len(told(member)) == 1 for member in members)


def wait_until_blocked(process):
    deadline = time.monotonic() + 60
    waiting = """select count(*) from pg_locks
                  where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"""
    while fetch(waiting) == [(0,)]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_until_alone():
    """The server needs a moment to notice that the process is gone."""
    deadline = time.monotonic() + 30
    others = """select count(*) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"""
    while fetch(others) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
