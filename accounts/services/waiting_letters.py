"""The letters of messages, which wait in the database until the mail server has taken them.

A letter is sent while its message is locked, and is marked as sent in that transaction. So two workers
never send the same one, and whoever dies in between has at most one letter sent again: the one in hand.
Whether it is sent at all is decided then: by what the member wants and by what is true by then. In the
quiet hours only what cannot wait is sent.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import queries
from accounts.errors import AddressRefused, MessageNotSent
from accounts.fresh_facts import fresh_facts
from accounts.letter_links import letter_links
from accounts.letters import send_letter
from accounts.models import Member, Message
from accounts.quiet_hours import quiet_since
from accounts.services.preferences import note_refused_address
from accounts.topics import AT_ONCE, topic_of
from accounts.wording import template_name, words_of

logger = logging.getLogger(__name__)

# After so many the worker turns to its other work, and to the rest of the letters after that.
LETTERS_A_RUN = 200
# After so many in a row that were not taken it is the mail server, not the letters.
MOST_NOT_TAKEN = 5
# Older news would surprise more than help; it stays in the cabinet. The wait begins when the letter could
# first be sent: what happens in the evening has not waited in the morning.
LONGEST_WAIT = timedelta(days=2)
A_MOMENT = timedelta(microseconds=1)


class Attempt(NamedTuple):
    """One letter that was taken up, and whether the mail server has it now."""

    message_id: int
    is_sent: bool
    was_not_taken: bool = False


def send_waiting_letters(*, at: datetime) -> int:
    """Send the letters that wait, the oldest first, LETTERS_A_RUN at most; returns how many were sent.

    A letter that cannot be written or is not taken waits for the next run, and keeps no other one
    waiting. Where the mail server cannot be reached at all, or has taken none of MOST_NOT_TAKEN in a
    row, they all wait. The last of these is picked at random among the later ones, so that a few
    full mailboxes, whose letters are the oldest, do not stop everybody's.
    """
    if given_up := _waiting().filter(_is_late(at)).update(letter_outcome=Message.LetterOutcome.LATE):
        logger.warning("Letters that were too old to be sent: %s", given_up)
    server = get_connection()
    sent_count = not_taken_count = last_id = 0
    try:
        while sent_count < LETTERS_A_RUN and not_taken_count < MOST_NOT_TAKEN:
            if not_taken_count == MOST_NOT_TAKEN - 1:
                last_id = _before_one_at_random(after_id=last_id, at=at)
            attempt = _send_next(after_id=last_id, at=at, server=server)
            if attempt is None:
                break
            last_id = attempt.message_id
            sent_count += attempt.is_sent
            not_taken_count = 0 if attempt.is_sent else not_taken_count + attempt.was_not_taken
        if not_taken_count == MOST_NOT_TAKEN:
            logger.warning("The mail server took none of %s letters in a row", MOST_NOT_TAKEN)
    except OSError as error:
        logger.warning("The mail server cannot be reached: %s", type(error).__name__)
    finally:
        server.close()
    return sent_count


def _waiting() -> QuerySet[Message]:
    return Message.objects.filter(wants_letter=True, letter_outcome="")


def _due(at: datetime) -> QuerySet[Message]:
    """The letters that may be sent at that moment."""
    is_quiet = quiet_since(at, ZoneInfo(settings.TIME_ZONE)) is not None
    return _waiting().filter(kind__in=AT_ONCE) if is_quiet else _waiting()


def _is_late(at: datetime) -> Q:
    """What holds of messages whose letters could first be sent more than LONGEST_WAIT ago."""
    limit_at = at - LONGEST_WAIT
    # What happened in quiet hours that had not ended by then could be sent only later.
    quiet_at = quiet_since(limit_at - A_MOMENT, ZoneInfo(settings.TIME_ZONE)) or limit_at
    return Q(happened_at__lt=quiet_at) | Q(happened_at__lt=limit_at, kind__in=AT_ONCE)


def _before_one_at_random(*, after_id: int, at: datetime) -> int:
    """An id after which one of the later letters comes next, any of them."""
    picked_id = _due(at).filter(pk__gt=after_id).order_by("?").values_list("pk", flat=True).first()
    return after_id if picked_id is None else picked_id - 1


@transaction.atomic
def _send_next(*, after_id: int, at: datetime, server: BaseEmailBackend) -> Attempt | None:
    """Take up the oldest letter after that one which nobody else has in hand; None when there is none.

    Raises:
        OSError: the mail server cannot be reached.
    """
    message = _due(at).filter(pk__gt=after_id).select_for_update(skip_locked=True).order_by("pk").first()
    if message is None:
        return None
    members = Member.objects.select_related("user").filter(is_sandbox=False)
    member = members.filter(pk=message.member_id).first()
    address = member.letter_address if member else None
    if member is None or address is None:
        # There is nobody to write to: the member has left, or has not proved any address.
        return _end(message, Message.LetterOutcome.NO_ADDRESS)
    topic = topic_of(message.kind)
    if topic and not queries.wants_letters(member, topic):
        return _end(message, Message.LetterOutcome.UNWANTED)
    if member.is_letter_address_refused:
        return _end(message, Message.LetterOutcome.REFUSED)
    try:
        fresh = fresh_facts(message, member, at)
        if fresh is None:
            return _end(message, Message.LetterOutcome.OUTDATED)
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
        note_refused_address(member_id=member.pk, address=address)
        return _end(message, Message.LetterOutcome.REFUSED)
    except MessageNotSent:
        # The connection may be of no use after this; the next letter opens a new one.
        server.close()
        return Attempt(message.pk, is_sent=False, was_not_taken=True)
    except Exception:
        # It may be of a kind that only a newer version has the words for.
        logger.exception("The letter of message %s cannot be written", message.pk)
        return Attempt(message.pk, is_sent=False)
    return _end(message, Message.LetterOutcome.SENT, sent_at=at)


def _end(message: Message, outcome: Message.LetterOutcome, *, sent_at: datetime | None = None) -> Attempt:
    message.letter_outcome = outcome
    message.letter_sent_at = sent_at
    message.save(update_fields=["letter_outcome", "letter_sent_at"])
    return Attempt(message.pk, is_sent=outcome == Message.LetterOutcome.SENT)
