"""Tells members things, as the services of other apps do, and does what the worker then does."""

from datetime import datetime

from django.core import mail
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Member, Message
from accounts.services.messages import SEND_LETTERS_TASK, Telling, tell
from tests.clock import NOON

EARNED = {"order": "A-1", "points": 150, "spent_points": 0, "available_at": None}
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
DONE = {"done_at": "2026-03-10T09:00:00+00:00", "ip": "192.0.2.7", "user_agent": FIREFOX}
# What each kind of message tells, as a shop of the demo would have it.
FACTS = {
    "account_blocked": {"is_own": False},
    "account_unblocked": {"is_own": False},
    "email_changed": {"contact": "new@example.com", "before": "ada@example.com", **DONE},
    "friend_joined": {"friend": "Бен С."},
    "inviter_noted": {"inviter": "Ада И."},
    "new_sign_in": DONE,
    "password_changed": DONE,
    "phone_changed": {"contact": "+79161234567", **DONE},
    "points_adjusted": {
        "points": 50,
        "is_given": True,
        "cause": "complaint",
        "text": "Late parcel",
        "expires_on": "2027-03-09",
        "posting_id": 7,
    },
    "points_available": {
        "points": 150,
        "debt_points": 0,
        "expires_on": "2027-03-09",
        "purpose": "order",
        "order": "A-1",
    },
    "points_earned": EARNED,
    "points_expire": {
        "points": 500,
        "first_expires_on": "2026-04-09",
        "expiries": [{"expires_on": "2026-04-09", "points": 500}],
        "is_first": True,
        "credited_on": "2025-04-09",
    },
    "points_returned": {"order": "A-1", "given_back_points": 200, "taken_back_points": 15},
    "points_spent": {"order": "A-1", "points": 200},
    "second_factor_changed": {"what": "on", **DONE},
    "share_earned": {"friend": "Бен С.", "points": 1, "available_at": "2026-03-24T12:00:00+03:00"},
    "share_taken_back": {"points": 30, "is_welcome": False, "friend": "Бен С.", "why": "returned"},
    "statement": {
        "month_on": "2026-02-01",
        "opening_points": 100,
        "changes": {
            "earned": 150,
            "returned": -15,
            "received": 20,
            "adjusted": 5,
            "spent": -40,
            "given": -50,
            "expired": -10,
        },
        "closing_points": 160,
    },
    "tier_at_risk": {
        "tier": "Gold",
        "to_tier": "Silver",
        "until_at": "2026-04-01T12:00:00+03:00",
        "to_keep_sum": "3400.00",
        "why": "time",
    },
    "tier_changed": {
        "tier": "Gold",
        "is_higher": True,
        "coefficient": "0.07",
        "why": "order",
        "from_tier": "Silver",
        "missing_sum": None,
    },
    "transfer_received": {
        "number": "1234567890",
        "points": 100,
        "from": "Бен С.",
        "first_expires_on": "2027-03-09",
    },
    "transfer_sent": {
        "number": "1234567890",
        "points": 100,
        "to": "Бен С.",
        "available_after": 400,
        "take_back_until_at": "2026-03-11T12:00:00+03:00",
        "freeze_token": "1234567890:token",
    },
    "transfer_taken_back": {
        "number": "1234567890",
        "points": 100,
        "name": "Бен С.",
        "is_sender": True,
        "by": "sender",
        "reason": "",
    },
    "welcome_points": {"points": 200, "available_at": None, "is_held": True},
}


def told(
    member: Member, kind: str = "points_earned", *, at: datetime = NOON, wants_letter: bool = False, **facts
) -> Message:
    """A message of that kind; `facts` are told beside, or in place of, the usual ones."""
    telling = Telling(
        member_id=member.pk,
        kind=kind,
        happened_at=at,
        facts=FACTS.get(kind, {}) | facts,
        wants_letter=wants_letter,
    )
    tell(telling)
    return Message.objects.latest("pk")


def work_off() -> None:
    """Do what is queued, as `manage.py procrastinate worker` does, and come back."""
    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
        # One at a time: a worker of several leaves when nothing is queued, though a job may yet queue more.
        worker_app.run_worker(wait=False, concurrency=1, install_signal_handlers=False, listen_notify=False)


def waiting() -> list[int]:
    """The messages whose letters wait, the oldest first."""
    return list(
        Message.objects.filter(wants_letter=True, letter_outcome="")
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def asked_for() -> int:
    """How many runs of the job the worker has before it."""
    return ProcrastinateJob.objects.filter(task_name=SEND_LETTERS_TASK, status="todo").count()


def recipients() -> list[str]:
    """Where the letters of this test went, one after another."""
    return [to for letter in mail.outbox for to in letter.to]
