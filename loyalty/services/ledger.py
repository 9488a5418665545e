"""Every way in which points move. The rules that decide how many are elsewhere.

Each function makes one call to its namesake in `loyalty/sql/operations.sql` and returns the posting
it made. A `key` stands for one request: sent again, it has no further effect and gets the same
answer, a refusal included; with other content it is an error. `at` is the moment it happens.

All of them raise
    PointsRefused: one of its subclasses, as named; nothing moved, and the refusal is kept.
    KeyReused: the key was used for something else.
    NoSuchAccount: there is no such member, hold, credit, spending or posting.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, transaction
from psycopg.types.json import Jsonb

from loyalty.errors import REFUSALS, KeyReused, NoSuchAccount
from loyalty.models import Fund, Purpose
from loyalty.services.retry import to_outcome

# Keys of outside events are made from their names, so the same event always has the same key.
EVENT_KEYS = UUID("6d1cbe2a-9a7e-4a55-8f0e-5d3a2f1f9b11")
KEY_REUSED_STATE = "BA422"
NOT_FOUND_STATE = "BA404"
# Settling an account takes a millisecond or two, and its member waits for the whole batch.
SETTLE_BATCH_ACCOUNTS = 100


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a posting says about itself, beside the points it moves."""

    purpose: Purpose | None = None
    order_id: int | None = None
    rule_set_id: int | None = None
    actor_id: int | None = None
    explanation: Mapping[str, object] = field(default_factory=dict)

    def content(self) -> dict[str, object]:
        """What the kernel takes, by name."""
        return {
            "purpose": self.purpose.value if self.purpose else "",
            "order_id": self.order_id,
            "rule_set_id": self.rule_set_id,
            "actor_id": self.actor_id,
            "explanation": dict(self.explanation),
        }

    def as_json(self) -> Jsonb:
        """The form in which the kernel takes it."""
        return _jsonb(self.content())


@dataclass(frozen=True)
class Done:
    """The posting that a request led to; `is_repeat` when it had been made before."""

    posting_id: int
    is_repeat: bool


NO_NOTE = Note()


def event_key(*parts: object) -> UUID:
    """The key of an event outside, such as (source, order number, "paid"); the same for ever."""
    return uuid5(EVENT_KEYS, "\x1f".join(str(part) for part in parts))


def credit(
    *,
    key: UUID,
    account_id: int,
    points: int,
    at: datetime,
    expires_on: date | None,
    available_at: datetime | None = None,
    fund: Fund = Fund.PURCHASES,
    note: Note = NO_NOTE,
) -> Done:
    """Credit points, at once or pending until `available_at`. A debt is settled first.

    They are usable through the end of `expires_on`, or for ever when it is None.
    """
    arguments = (
        key,
        account_id,
        points,
        at,
        available_at or at,
        expires_on,
        fund.value,
        _zone(),
        note.as_json(),
    )
    return _do("credit", points, arguments)


def credit_many(
    *, rows: Iterable["CreditRow"], fund: Fund = Fund.PURCHASES, settle_until: datetime | None = None
) -> int:
    """Credit many rows, in their order, as `credit` would; returns how many were new.

    With `settle_until`, what has become due on their accounts by then is posted too, each at its
    own moment between the credits: for orders of years gone by.
    """
    given = [row.as_json() for row in rows]
    if not given:
        return 0
    return int(_call("credit_many", (_jsonb(given), fund.value, _zone(), settle_until))[0])


@dataclass(frozen=True)
class CreditRow:
    """One row of `credit_many`."""

    key: UUID
    account_id: int
    points: int
    at: datetime
    available_at: datetime
    expires_on: date | None
    note: Note

    def as_json(self) -> dict[str, object]:
        """The form in which the kernel takes it; moments with all their digits."""
        return {
            "key": str(self.key),
            "account_id": self.account_id,
            "points": self.points,
            "at": self.at.isoformat(),
            "available_at": self.available_at.isoformat(),
            "expires_on": self.expires_on and self.expires_on.isoformat(),
            "note": self.note.content(),
        }


def spend(*, key: UUID, account_id: int, points: int, at: datetime, note: Note = NO_NOTE) -> Done:
    """Pay with points, soonest-expiring first.

    Raises:
        NotEnoughPoints: fewer are available.
        AccountBlocked: the member may not give points away.
    """
    return _do("spend", points, (key, account_id, points, at, _zone(), note.as_json()))


def hold(
    *, key: UUID, account_id: int, points: int, at: datetime, expires_at: datetime, note: Note = NO_NOTE
) -> Done:
    """Set points aside until they are captured or released, at the latest until `expires_at`.

    Raises:
        NotEnoughPoints: fewer are available.
        AccountBlocked: the member may not give points away.
    """
    return _do("hold", points, (key, account_id, points, at, expires_at, _zone(), note.as_json()))


def capture(*, key: UUID, hold_id: int, points: int, at: datetime, note: Note = NO_NOTE) -> Done:
    """Pay with held points. `hold_id` is the posting that `hold` returned.

    Raises:
        AboveHold: the hold has fewer points left, or has run out.
    """
    return _do("capture", points, (key, hold_id, points, at, _zone(), note.as_json()))


def release(*, key: UUID, hold_id: int, points: int, at: datetime, note: Note = NO_NOTE) -> Done:
    """Set held points free; those whose last day is over expire at once.

    Raises:
        AboveHold: the hold has fewer points left, or has run out.
    """
    return _do("release", points, (key, hold_id, points, at, _zone(), note.as_json()))


def give_back(
    *,
    key: UUID,
    spending_id: int,
    points: int,
    at: datetime,
    least_expires_on: date,
    note: Note = NO_NOTE,
) -> Done:
    """Give spent points back; `spending_id` is the posting that `spend` or `capture` returned.

    They keep their last day, but live until `least_expires_on` at least.

    Raises:
        AboveSpending: fewer were spent and not yet given back.
    """
    arguments = (key, spending_id, points, at, least_expires_on, _zone(), note.as_json())
    return _do("give_back", points, arguments)


def take_back(*, key: UUID, credit_id: int, points: int, at: datetime, note: Note = NO_NOTE) -> Done:
    """Take credited points back; those already spent become a debt.

    Raises:
        AboveCredit: fewer were credited and not yet taken back.
    """
    return _do("take_back", points, (key, credit_id, points, at, _zone(), note.as_json()))


def schedule(*, key: UUID, credit_id: int, available_at: datetime, at: datetime) -> Done:
    """Say anew when a credit's pending points become available; at once when that moment is over.

    Raises:
        NotPending: they are available already, or were taken back.
    """
    return _do("schedule", 1, (key, credit_id, available_at, at, _zone()))


def transfer(
    *,
    key: UUID,
    from_account_id: int,
    to_account_id: int,
    points: int,
    at: datetime,
    note: Note = NO_NOTE,
) -> Done:
    """Move points from one member to another; they keep their last days.

    Raises:
        NotEnoughPoints: fewer are available.
        AccountBlocked: the giving member may not give points away.
        ValueError: both are the same account.
    """
    if from_account_id == to_account_id:
        raise ValueError("A transfer needs two accounts.")
    arguments = (key, from_account_id, to_account_id, points, at, _zone(), note.as_json())
    return _do("transfer", points, arguments)


def adjust(
    *,
    key: UUID,
    account_id: int,
    points: int,
    at: datetime,
    expires_on: date | None = None,
    may_owe: bool = False,
    fund: Fund = Fund.PROMOTIONS,
    note: Note = NO_NOTE,
) -> Done:
    """Correct a balance by hand, up (`points` above 0, living until `expires_on`) or down.

    Raises:
        NotEnoughPoints: fewer are available, and the member may not owe the rest.
    """
    arguments = (key, account_id, points, at, expires_on, fund.value, may_owe, _zone(), note.as_json())
    return _do("adjust", abs(points), arguments)


def reverse(
    *, key: UUID, posting_id: int, at: datetime, least_expires_on: date, note: Note = NO_NOTE
) -> Done:
    """Undo a transfer or an adjustment, lot by lot.

    Raises:
        PointsMovedOn: whoever received the points no longer has exactly them.
        NotReversible: another kind of posting, or one that settled or made a debt.
        AlreadyReversed: it was undone before.
    """
    return _do("reverse", 1, (key, posting_id, at, least_expires_on, _zone(), note.as_json()))


def block(*, account_id: int, is_blocked: bool) -> None:
    """Stop a member from giving points away, or let them again; earning goes on."""
    _call("block", (account_id, is_blocked))


def lock_accounts(*account_ids: int) -> None:
    """Lock the accounts of a step that touches several members; in a transaction, first of all."""
    _call("lock_accounts", (sorted(set(account_ids)),))


@contextmanager
def nobody_told() -> Iterator[None]:
    """Points that become available meanwhile are no news to their members; all of it happens or nothing.

    For whoever takes over the orders of years gone by.
    """
    with transaction.atomic():
        before = _tell_nobody("on")
        yield
        # An exception ends the savepoint, and the setting with it.
        _tell_nobody(before)


def settle_due(*, at: datetime, limit: int) -> int:
    """Post what has become due on up to `limit` accounts; returns how many there were.

    Matured credits, holds that ran out, expired lots. Nobody's points depend on when this runs.
    """
    return int(_call("settle_due", (at, _zone(), limit))[0])


def settle_all_due(*, at: datetime) -> int:
    """Post all that has become due, a batch of accounts at a time; returns how many there were.

    Each batch is a transaction of its own, so members wait for one batch at most, and a job that is
    killed has lost nothing: the next one goes on.
    """
    settled = 0
    while batch := settle_due(at=at, limit=SETTLE_BATCH_ACCOUNTS):
        settled += batch
    return settled


def _tell_nobody(setting: str) -> str:
    """Set whether members are told; returns how it was set before."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(current_setting('ballada.tells_nobody', true), '')")
        before: str = cursor.fetchone()[0]
        cursor.execute("select set_config('ballada.tells_nobody', %s, true)", [setting])
    return before


def _jsonb(content: object) -> Jsonb:
    return Jsonb(content, dumps=DjangoJSONEncoder(ensure_ascii=False).encode)


def _zone() -> str:
    return settings.TIME_ZONE


def _do(operation: str, points: int, arguments: tuple[Any, ...]) -> Done:
    if points <= 0:
        raise ValueError(f"{operation} needs points above 0, not {points}.")
    posting_id, refusal, limit_points, is_repeat = _call(operation, arguments)
    if refusal:
        raise REFUSALS[refusal](limit_points)
    return Done(posting_id, is_repeat)


def _call(operation: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    placeholders = ", ".join(["%s"] * len(arguments))

    def write() -> tuple[Any, ...]:
        with connection.cursor() as cursor:
            # The operation is one of this module's own words, never anybody's input.
            cursor.execute(f"select * from ledger.{operation}({placeholders})", arguments)  # noqa: S608
            row: tuple[Any, ...] = cursor.fetchone()
            return row

    try:
        return to_outcome(write)
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state == KEY_REUSED_STATE:
            raise KeyReused from error
        if state == NOT_FOUND_STATE:
            raise NoSuchAccount from error
        raise
