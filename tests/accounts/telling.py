"""Tells members things, as the services of other apps do, and does what the worker then does."""

from datetime import datetime

from procrastinate.contrib.django import app

from accounts.models import Member, Message
from accounts.services.messages import Telling, tell
from tests.clock import NOON

EARNED = {"order": "A-1", "points": 150, "available_at": None}
# What each kind of message tells, as a shop of the demo would have it.
FACTS = {
    "inviter_noted": {"inviter": "Ада И."},
    "points_adjusted": {
        "points": 50,
        "is_given": True,
        "cause": "complaint",
        "text": "Late parcel",
        "expires_on": "2027-03-09",
        "posting_id": 7,
    },
    "points_earned": EARNED,
    "share_earned": {"friend": "Бен С.", "points": 1, "available_at": "2026-03-24T12:00:00+03:00"},
    "tier_changed": {"tier": "Gold", "is_higher": True, "coefficient": "0.07"},
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
