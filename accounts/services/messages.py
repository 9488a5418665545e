"""Messages to members: written with what they tell about, and sent as letters after it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from procrastinate.contrib.django import app

from accounts.models import Message

# The job is called by name: jobs call services, and not the other way round.
SEND_LETTERS_TASK = "accounts.jobs.send_waiting_letters"


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What a member is told: `kind` is the name of its templates, `facts` what they say.

    Facts are kept as JSON: points as int, sums as text, days and moments in ISO 8601 under names that
    end in `_on` and `_at`, which become days and moments again when they are read.
    """

    member_id: int
    kind: str
    happened_at: datetime
    facts: dict[str, object] = field(default_factory=dict)
    wants_letter: bool = False


def tell(*tellings: Telling) -> list[Message]:
    """Tell members, in the transaction of what they are told about; letters go out once it is committed."""
    return tell_many(tellings)


def tell_many(tellings: Iterable[Telling]) -> list[Message]:
    """Tell many members, as `tell` does; one statement, however many they are."""
    told = Message.objects.bulk_create(
        Message(
            member_id=telling.member_id,
            kind=telling.kind,
            facts=telling.facts,
            happened_at=telling.happened_at,
            wants_letter=telling.wants_letter,
        )
        for telling in tellings
    )
    if any(message.wants_letter for message in told):
        # A letter that this misses, since the process dies now, is found by the job's next run.
        transaction.on_commit(send_letters_soon, robust=True)
    return told


def send_letters_soon() -> None:
    """Ask the worker to send the letters that wait, unless it has been asked already."""
    app.configure_task(SEND_LETTERS_TASK, queueing_lock="send_waiting_letters").defer(timestamp=0)
