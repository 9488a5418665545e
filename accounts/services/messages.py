"""Messages to members: written with what they tell about, and seen some day."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.models import Member, Message, Topic
from accounts.topics import topic_of

# The job is called by name: jobs call services, and not the other way round.
SEND_LETTERS_TASK = "accounts.jobs.send_waiting_letters"
SEND_LETTERS_LOCK = "send_waiting_letters"
# The fact of a message which no template shows: where its letter goes.
LETTER_TO = "letter_to"

# A transfer holds two members' locks meanwhile, and the ORM takes several times as long for these two.
# What comes back says whether a worker is being waited for already, as it is when many letters are written.
TELL = """
    with told as (
        insert into accounts_message (member_id, kind, key, facts, happened_at, wants_letter)
        select member_id, kind, key, facts, happened_at, wants_letter
          from jsonb_to_recordset(%(told)s::jsonb) as told (
               member_id bigint, kind text, key text, facts jsonb, happened_at timestamptz,
               wants_letter boolean)
            on conflict (member_id, key) where key <> '' do nothing
    )
    select exists (select from procrastinate_jobs where queueing_lock = %(lock)s and status = 'todo')
"""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What a member is told: `kind` is the name of its templates, `facts` what they say.

    Facts are kept as JSON: points as int, sums as text, days and moments in ISO 8601 under names that
    end in `_on` and `_at`, which become days and moments again when they are read.
    What may be told once only has a `key` of its own: with it, a member is told no second time.
    Whether a letter is sent, the member's preferences, address and the hour decide when it is due; one
    about security goes to the address that the member has now, whoever may change it until then.
    """

    member_id: int
    kind: str
    happened_at: datetime
    facts: dict[str, object] = field(default_factory=dict)
    key: str = ""
    wants_letter: bool = True


def tell(*tellings: Telling) -> None:
    """Tell members, in the transaction of what they are told about; letters go out once it is committed."""
    tell_many(tellings)


def tell_many(tellings: Iterable[Telling]) -> None:
    """Tell many members, as `tell` does; one statement, however many they are."""
    told = [
        {
            **vars(telling),
            "facts": {**telling.facts, **_letter_to(telling)},
            "happened_at": telling.happened_at.isoformat(),
        }
        for telling in tellings
    ]
    if not told:
        return
    with connection.cursor() as cursor:
        cursor.execute(TELL, {"told": json.dumps(told), "lock": SEND_LETTERS_LOCK})
        (is_waited_for,) = cursor.fetchone()
    if not is_waited_for and any(telling["wants_letter"] for telling in told):
        # A letter that this misses, since the process dies or that worker was quicker than the commit,
        # is found by the job's next run, a minute later.
        transaction.on_commit(send_letters_soon, robust=True)


def send_letters_soon() -> None:
    """Ask the worker to send the letters that wait, unless it has been asked already."""
    # Somebody else may ask in the same moment; their refusal of ours must not end a transaction.
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(SEND_LETTERS_TASK, queueing_lock=SEND_LETTERS_LOCK).defer(timestamp=0)


def mark_seen(*, member: Member, up_to_id: int, at: datetime, from_id: int = 0) -> int:
    """Note that the member has seen their messages from one id up to another; how many were new."""
    own = Message.objects.filter(member=member, seen_at=None)
    return own.filter(pk__range=(from_id, up_to_id)).update(seen_at=at)


def _letter_to(telling: Telling) -> dict[str, object]:
    if topic_of(telling.kind) != Topic.SECURITY:
        return {}
    member = Member.objects.select_related("user").filter(pk=telling.member_id).first()
    return {LETTER_TO: member.letter_address} if member else {}
