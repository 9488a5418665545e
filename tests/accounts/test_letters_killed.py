"""Workers that are killed or work side by side: no letter is lost, only the one in hand may come twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import quote

import pytest
from django.db import connection, transaction

from accounts.models import Message
from tests.accounts.mail_server import SmtpServer, smtp_server
from tests.accounts.telling import told
from tests.clock import NOON
from tests.factories import MemberFactory

WORKER = """
import sys
from datetime import datetime
import django
django.setup()
from accounts.services.waiting_letters import send_waiting_letters
send_waiting_letters(at=datetime.fromisoformat(sys.argv[1]))
"""


@pytest.fixture
def smtp():
    with smtp_server() as server:
        yield server
        server.goes_on.set()


def worker(smtp: SmtpServer) -> subprocess.Popen:
    """A process of its own that sends what waits, to that mail server."""
    at = connection.get_connection_params()
    address = f"postgresql://{quote(at['user'])}:{quote(at.get('password', ''))}@:{at.get('port', 5432)}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"{address}/{at['dbname']}?host={quote(at['host'], safe='')}",
        "BALLADA_SMTP_HOST": "127.0.0.1",
        "BALLADA_SMTP_PORT": str(smtp.port),
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, NOON.isoformat()], env=environment)


def waiting_count() -> int:
    return Message.objects.filter(wants_letter=True, letter_outcome="").count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("when", "times_sent"), [("silent_before", [1, 1, 1, 1, 1, 1]), ("silent_after", [1, 1, 2, 1, 1, 1])]
)
def test_killed_worker_loses_nothing_and_repeats_only_what_it_had_in_hand(ada, smtp, when, times_sent):
    messages = [told(ada, wants_letter=True) for _ in range(6)]
    setattr(smtp, when, 2 if when == "silent_before" else 3)

    first = worker(smtp)
    assert smtp.is_silent.wait(30)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    deadline = time.monotonic() + 60
    while waiting_count() and time.monotonic() < deadline:
        # The database may not have noticed yet that the worker is gone, and keep its letter for it.
        for one in [worker(smtp), worker(smtp)]:
            assert one.wait(60) == 0

    ids = [f"<message-{message.pk}@localhost>" for message in messages]
    sent = Counter(smtp.message_ids)
    assert [sent[message_id] for message_id in ids] == times_sent
    assert sum(sent.values()) == sum(times_sent)
    assert set(Message.objects.values_list("letter_outcome", flat=True)) == {"sent"}


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_told_to_nobody(smtp):
    eve = MemberFactory(email="eve@example.com", email_verified_at=NOON)
    with transaction.atomic():
        told(eve, wants_letter=True)
        transaction.set_rollback(True)

    assert worker(smtp).wait(60) == 0
    assert (smtp.recipients, Message.objects.count()) == ([], 0)
