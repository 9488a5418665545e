"""The letters of messages, which wait in the database until the mail server has taken them.

A letter is sent while its message is locked, and is marked as sent in that transaction. So two workers
never send the same one, and whoever dies in between has at most one letter sent again: the one in hand.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import QuerySet

from accounts.errors import AddressRefused, MessageNotSent
from accounts.letters import send_letter
from accounts.models import Member, Message
from accounts.wording import template_name, words_of

logger = logging.getLogger(__name__)

# After so many the worker turns to its other work, and to the rest of the letters after that.
LETTERS_A_RUN = 200
# After so many in a row that were not taken it is the mail server, not the letters.
MOST_NOT_TAKEN = 5
# Older news would surprise more than help; it stays in the cabinet.
LONGEST_WAIT = timedelta(days=2)


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
    waiting = _waiting()
    if given_up := waiting.filter(happened_at__lt=at - LONGEST_WAIT).update(
        letter_outcome=Message.LetterOutcome.LATE
    ):
        logger.warning("Letters that were too old to be sent: %s", given_up)
    server = get_connection()
    sent_count = not_taken_count = last_id = 0
    try:
        while sent_count < LETTERS_A_RUN and not_taken_count < MOST_NOT_TAKEN:
            if not_taken_count == MOST_NOT_TAKEN - 1:
                last_id = _before_one_at_random(after_id=last_id)
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


def _before_one_at_random(*, after_id: int) -> int:
    """An id after which one of the later letters comes next, any of them."""
    picked_id = _waiting().filter(pk__gt=after_id).order_by("?").values_list("pk", flat=True).first()
    return after_id if picked_id is None else picked_id - 1


@transaction.atomic
def _send_next(*, after_id: int, at: datetime, server: BaseEmailBackend) -> Attempt | None:
    """Take up the oldest letter after that one which nobody else has in hand; None when there is none.

    Raises:
        OSError: the mail server cannot be reached.
    """
    message = _waiting().filter(pk__gt=after_id).select_for_update(skip_locked=True).order_by("pk").first()
    if message is None:
        return None
    members = Member.objects.select_related("user").filter(is_sandbox=False)
    member = members.filter(pk=message.member_id).first()
    address = member.letter_address if member else None
    if member is None or address is None:
        # There is nobody to write to: the member has left, or has not proved any address.
        return _give_up(message, Message.LetterOutcome.NO_ADDRESS)
    server.open()
    try:
        send_letter(
            template=template_name(message),
            to=address,
            language=member.language,
            context=words_of(message, member),
            message_id=f"<message-{message.pk}@{urlsplit(settings.SITE_URL).hostname}>",
            server=server,
        )
    except AddressRefused:
        return _give_up(message, Message.LetterOutcome.REFUSED)
    except MessageNotSent:
        # The connection may be of no use after this; the next letter opens a new one.
        server.close()
        return Attempt(message.pk, is_sent=False, was_not_taken=True)
    except Exception:
        # It may be of a kind that only a newer version has the words for.
        logger.exception("The letter of message %s cannot be written", message.pk)
        return Attempt(message.pk, is_sent=False)
    message.letter_sent_at = at
    message.letter_outcome = Message.LetterOutcome.SENT
    message.save(update_fields=["letter_sent_at", "letter_outcome"])
    return Attempt(message.pk, is_sent=True)


def _give_up(message: Message, outcome: Message.LetterOutcome) -> Attempt:
    message.letter_outcome = outcome
    message.save(update_fields=["letter_outcome"])
    return Attempt(message.pk, is_sent=False)
