"""The letters of messages, which wait in the database until the mail server has taken them.

A letter is sent while its message is locked, and is marked as sent in that transaction. So two workers
never send the same one, and whoever dies in between has at most one letter sent again: the one in hand.
Whether it is sent at all is decided then: by what the member wants and by what is true by then. What
cannot wait comes before everything else, and in the quiet hours nothing else is sent.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation

from accounts import queries
from accounts.errors import AddressRefused, LetterRefused, MessageNotSent
from accounts.fresh_facts import fresh_facts
from accounts.letter_links import letter_links
from accounts.letters import send_letter
from accounts.models import Member, Message
from accounts.quiet_hours import quiet_since
from accounts.services.messages import LETTER_TO, send_letters_soon
from accounts.services.preferences import note_refused_address
from accounts.topics import AT_ONCE, topic_of
from accounts.wording import template_name, words_of

logger = logging.getLogger(__name__)

# After so many, or so long, the worker turns to its other work, and to the rest of the letters after that.
LETTERS_A_RUN = 200
LONGEST_RUN = timedelta(seconds=50)
# After so many in a row that were not taken it is the mail server, not the letters.
MOST_NOT_TAKEN = 5
# After so many of a kind that could not be written it is the kind.
MOST_UNWRITABLE = 3
# Older news would surprise more than help; it stays in the cabinet. The wait begins when the letter could
# first be sent: what happens in the evening has not waited in the morning.
LONGEST_WAIT = timedelta(days=2)
A_MOMENT = timedelta(microseconds=1)


class Attempt(Enum):
    """What came of taking up a letter: the last two of them leave it waiting."""

    SENT = auto()
    NOT_SENT = auto()
    REFUSED = auto()
    NOT_TAKEN = auto()
    UNWRITABLE = auto()


@dataclass
class _Run:
    """How far a run has come, among what cannot wait and among the rest."""

    last_urgent_id: int = 0
    last_id: int = 0
    unwritable: Counter[str] = field(default_factory=Counter)


def send_waiting_letters(*, at: datetime, clock: Callable[[], datetime] | None = None) -> int:
    """Send the letters that wait, what cannot wait first and then the oldest; returns how many were sent.

    A run that has done with LETTERS_A_RUN or has taken LONGEST_RUN asks for the next one. Each letter is
    sent at its own moment by the `clock`; without one that is `at`. A letter that cannot be written or is
    not taken waits for the next run, and keeps no other one waiting. Where the mail server cannot be
    reached at all, or has taken none of MOST_NOT_TAKEN in a row, they all wait. The last of these is
    picked at random, so that a few full mailboxes, whose letters are the oldest, do not stop everybody's.
    """
    now = clock or (lambda: at)
    if given_up := _waiting().filter(_is_late(at)).update(letter_outcome=Message.LetterOutcome.LATE):
        logger.warning("Letters that were too old to be sent: %s", given_up)
    server, run = get_connection(), _Run()
    newest_id = _waiting().order_by("-pk").values_list("pk", flat=True).first() or 0
    sent_count = done_count = not_taken_count = 0
    try:
        while not_taken_count < MOST_NOT_TAKEN:
            if done_count >= LETTERS_A_RUN or now() - at >= LONGEST_RUN:
                if done_count:
                    send_letters_soon()
                break
            is_at_random = not_taken_count == MOST_NOT_TAKEN - 1
            attempt = _send_next(run, at=now(), server=server, newest_id=newest_id, is_at_random=is_at_random)
            if attempt is None:
                break
            sent_count += attempt == Attempt.SENT
            done_count += attempt != Attempt.NOT_TAKEN
            not_taken_count += attempt in (Attempt.NOT_TAKEN, Attempt.REFUSED)
            if attempt == Attempt.SENT:
                not_taken_count = 0
        else:
            logger.warning("The mail server took none of %s letters in a row", MOST_NOT_TAKEN)
    except OSError as error:
        logger.warning("The mail server cannot be reached: %s", type(error).__name__)
    finally:
        server.close()
    return sent_count


def _waiting() -> QuerySet[Message]:
    return Message.objects.filter(wants_letter=True, letter_outcome="")


def _is_late(at: datetime) -> Q:
    """What holds of messages whose letters could first be sent more than LONGEST_WAIT ago."""
    limit_at = at - LONGEST_WAIT
    # What happened in quiet hours that had not ended by then could be sent only later.
    quiet_at = quiet_since(limit_at - A_MOMENT, ZoneInfo(settings.TIME_ZONE)) or limit_at
    return Q(happened_at__lt=quiet_at) | Q(happened_at__lt=limit_at, kind__in=AT_ONCE)


def _next(run: _Run, *, at: datetime, newest_id: int, is_at_random: bool) -> Message | None:
    """The letter that comes next, locked: one that nobody else has in hand; None when there is none.

    What cannot wait is looked for again each time, but from then on only among what is newer than
    everything that waited when the run began.
    """
    skipped = [kind for kind, count in run.unwritable.items() if count >= MOST_UNWRITABLE]
    free = _waiting().exclude(kind__in=skipped).select_for_update(skip_locked=True)
    is_urgent = Q(kind__in=AT_ONCE, pk__gt=run.last_urgent_id)
    is_other = ~Q(kind__in=AT_ONCE) & Q(pk__gt=run.last_id)
    is_quiet = quiet_since(at, ZoneInfo(settings.TIME_ZONE)) is not None
    if is_at_random:
        return free.filter(is_urgent if is_quiet else is_urgent | is_other).order_by("?").first()
    message = free.filter(is_urgent).order_by("pk").first()
    if message is not None:
        run.last_urgent_id = message.pk
        return message
    run.last_urgent_id = max(run.last_urgent_id, newest_id)
    if is_quiet:
        return None
    message = free.filter(is_other).order_by("pk").first()
    if message is not None:
        run.last_id = message.pk
    return message


@transaction.atomic
def _send_next(
    run: _Run, *, at: datetime, server: BaseEmailBackend, newest_id: int, is_at_random: bool
) -> Attempt | None:
    """Take up the next letter; None when there is none.

    Raises:
        OSError: the mail server cannot be reached.
    """
    message = _next(run, at=at, newest_id=newest_id, is_at_random=is_at_random)
    if message is None:
        return None
    members = Member.objects.select_related("user").filter(is_sandbox=False)
    member = members.filter(pk=message.member_id).first()
    if member is None or member.letter_address is None:
        # There is nobody to write to: the member has left, or has not proved any address.
        return _end(message, Message.LetterOutcome.NO_ADDRESS)
    address = message.facts.get(LETTER_TO) or member.letter_address
    topic = topic_of(message.kind)
    if topic and not queries.wants_letters(member, topic):
        return _end(message, Message.LetterOutcome.UNWANTED)
    if address == member.refused_email:
        return _end(message, Message.LetterOutcome.REFUSED)
    try:
        fresh = fresh_facts(message, member, at)
        if fresh is None:
            return _end(message, Message.LetterOutcome.OUTDATED)
        with translation.override(member.language):
            words = words_of(message, member, fresh=fresh)
        server.open()
        send_letter(
            template=template_name(message),
            to=address,
            language=member.language,
            context=words,
            links=letter_links(member=member, address=address, topic=topic) if topic else None,
            message_id=f"<message-{message.pk}@{urlsplit(settings.SITE_URL).hostname}>",
            server=server,
        )
    except OSError:
        # Of a letter this would be MessageNotSent: the connection could not be opened.
        raise
    except AddressRefused:
        if address == member.letter_address:
            note_refused_address(member_id=member.pk, address=address)
        return _end(message, Message.LetterOutcome.REFUSED)
    except LetterRefused:
        # Of many in a row it is the mail server all the same.
        server.close()
        _end(message, Message.LetterOutcome.REFUSED)
        return Attempt.REFUSED
    except MessageNotSent:
        # The connection may be of no use after this; the next letter opens a new one.
        server.close()
        return Attempt.NOT_TAKEN
    except Exception:
        # It may be of a kind that only a newer version has the words for.
        if not run.unwritable[message.kind]:
            logger.exception(
                "The letter of message %s cannot be written, of kind %s", message.pk, message.kind
            )
        run.unwritable[message.kind] += 1
        return Attempt.UNWRITABLE
    return _end(message, Message.LetterOutcome.SENT, sent_at=at)


def _end(message: Message, outcome: Message.LetterOutcome, *, sent_at: datetime | None = None) -> Attempt:
    message.letter_outcome = outcome
    message.letter_sent_at = sent_at
    message.save(update_fields=["letter_outcome", "letter_sent_at"])
    return Attempt.SENT if outcome == Message.LetterOutcome.SENT else Attempt.NOT_SENT
