"""Six digits that a member shows at the till, so that points are taken from their account.

Which digits they are follows from the code's row and the settings' secret key: the member can look
at them again, and yet the database holds nothing by which they could be told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Member
from loyalty.errors import (
    AccountBlocked,
    TillCodeNeeded,
    TillCodeOver,
    TillCodeRefused,
    TillCodeWrong,
    TooManyTillCodes,
)
from loyalty.models import PointsAccount, TillCode

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=2)
MOST_WRONG_TRIES = 5
MOST_CODES, PERIOD = 20, timedelta(hours=1)


@dataclass(frozen=True)
class NewTillCode:
    """The digits that the member shows, and until when they are good."""

    code: str
    expires_at: datetime


@transaction.atomic
def make_till_code(*, member: Member, at: datetime) -> NewTillCode:
    """A code that is good for CODE_LIFE and for one payment; an earlier one is not any more.

    Raises:
        AccountBlocked: the member can spend no points at present.
        TooManyTillCodes: MOST_CODES were made within an hour.
    """
    # Two that are made at once come one after the other.
    Member.objects.select_for_update(no_key=True).only("pk").get(pk=member.pk)
    if PointsAccount.objects.filter(pk=member.pk, is_blocked=True).exists():
        raise AccountBlocked
    made = TillCode.objects.filter(member=member)
    # Older ones are told by nobody and nothing.
    made.filter(made_at__lte=at - PERIOD).delete()
    moments = list(made.order_by("-made_at", "-pk").values_list("made_at", flat=True)[:MOST_CODES])
    if len(moments) == MOST_CODES:
        raise TooManyTillCodes(moments[-1] + PERIOD)
    made.filter(ended_at=None).update(ended_at=at)
    row = TillCode.objects.create(member=member, made_at=at, expires_at=at + CODE_LIFE)
    code = _digits(row)
    row.code_hash = _hash(row, code)
    row.save(update_fields=["code_hash"])
    return NewTillCode(code, row.expires_at)


def open_till_code(*, member: Member, at: datetime) -> NewTillCode | None:
    """The member's code that holds now, to be shown to them again; nothing is made."""
    row = _open_rows(member, at).first()
    return NewTillCode(_digits(row), row.expires_at) if row else None


def check_till_code(*, member: Member, code: str, at: datetime) -> None:
    """Say whether it is the member's code. A wrong try is kept, whatever becomes of what it was for.

    A right code stays good until `use_till_code` ends it.

    Raises:
        TillCodeNeeded: nothing was entered.
        TillCodeWrong: it is another one; after MOST_WRONG_TRIES the code is over.
        TillCodeOver: the member has no code that holds.
    """
    refusal = _try(member, code, at)
    if refusal is not None:
        raise refusal


@transaction.atomic
def use_till_code(*, member: Member, code: str, at: datetime) -> None:
    """End the member's code, in the transaction of the payment that it is used for.

    Raises:
        TillCodeOver: it was used meanwhile, or is over, or was never right.
    """
    row = _locked_row(member, at)
    if row is None or not _is_right(row, code):
        raise TillCodeOver
    row.ended_at = at
    row.save(update_fields=["ended_at"])


@transaction.atomic
def _try(member: Member, code: str, at: datetime) -> TillCodeRefused | None:
    """What `check_till_code` is refused with. Raising here would undo the count."""
    if not code.strip():
        return TillCodeNeeded()
    row = _locked_row(member, at)
    if row is None:
        return TillCodeOver()
    if _is_right(row, code):
        return None
    row.wrong_tries += 1
    if row.wrong_tries == MOST_WRONG_TRIES:
        row.ended_at = at
    row.save(update_fields=["wrong_tries", "ended_at"])
    tries_left = MOST_WRONG_TRIES - row.wrong_tries
    return TillCodeWrong(tries_left) if tries_left else TillCodeOver()


def _open_rows(member: Member, at: datetime) -> QuerySet[TillCode]:
    """The code of the member that holds: one or none."""
    return TillCode.objects.filter(member=member, ended_at=None, expires_at__gt=at)


def _locked_row(member: Member, at: datetime) -> TillCode | None:
    """Who tries or uses the code does so alone; the member's own row may be locked by who waits for us."""
    return _open_rows(member, at).select_for_update().first()


def _is_right(row: TillCode, code: str) -> bool:
    return constant_time_compare(row.code_hash, _hash(row, "".join(code.split())))


def _digits(row: TillCode) -> str:
    number = int(_keyed("loyalty.till_code.digits", f"{row.pk}/{row.made_at.timestamp()}"), 16)
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def _hash(row: TillCode, code: str) -> str:
    """The code's hash under the site's key: without the key a million tries would find the code."""
    return _keyed("loyalty.till_code", f"{row.pk}/{code}")


def _keyed(salt: str, value: str) -> str:
    return salted_hmac(salt, value, algorithm="sha256").hexdigest()
