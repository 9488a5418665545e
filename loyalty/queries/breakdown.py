"""What a member's available points consist of: all that ever came, less all that went."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import connection, transaction

from loyalty.queries.balance import Balance, balance


class LineKind(StrEnum):
    """What moved the points of a line, in the order in which they are told."""

    ORDERS = "orders"
    FRIENDS = "friends"
    OTHERS = "others"
    RECEIVED = "received"
    RETURNED = "returned"
    CORRECTED = "corrected"
    SPENT = "spent"
    GIVEN = "given"
    TAKEN_BACK = "taken_back"
    EXPIRED = "expired"
    PENDING = "pending"
    HELD = "held"
    DEBT = "debt"


class Line(NamedTuple):
    """The points of one kind, signed as they count towards what can be spent; never 0."""

    kind: LineKind
    points: int


@dataclass(frozen=True)
class Breakdown:
    """The lines add up to `available_points` exactly.

    Credits count when they were made, whether their points are pending or have settled a debt; what
    still is pending or set aside is a line of its own that takes it off again, and a debt is one that
    is carried: what was taken back but could not be paid.
    """

    lines: Sequence[Line]
    available_points: int


# An operation's entries in all four parts of an account: what only moves between the parts, such as
# points that mature or are set aside, comes to nothing. A transfer that was taken back takes off the
# line of the transfer.
LINES = """
    with moved as (
        select posting_id, sum(points)::bigint as points
          from loyalty_entry where account_id = %(account_id)s group by posting_id having sum(points) <> 0
    )
    select case coalesce(case when posting.kind = 'reverse' then origin.kind end, posting.kind)
           when 'credit' then case posting.purpose when 'order' then 'orders'
                                                   when 'referral' then 'friends' else 'others' end
           when 'transfer' then case when (moved.points > 0) = (posting.kind = 'transfer')
                                     then 'received' else 'given' end
           when 'give_back' then 'returned'
           when 'take_back' then 'taken_back'
           when 'expire' then 'expired'
           when 'adjust' then 'corrected'
           else 'spent' end,
           sum(moved.points)::bigint
      from moved
      join loyalty_posting posting on posting.id = moved.posting_id
      left join loyalty_posting origin on origin.id = posting.origin_id and posting.kind = 'reverse'
     group by 1
    union all
    -- What has expired and is not posted: what the account's own totals and what is due come to, above the
    -- balance.
    select 'expired',
           %(available_points)s - available_points - greatest(
               pending_points - %(pending_points)s + held_points - %(held_points)s - debt_points, 0)
      from loyalty_points_account where id = %(account_id)s
"""


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read meanwhile is of one moment; within another transaction it is what that one sees."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
        yield


def breakdown(*, account_id: int, at: datetime) -> Breakdown:
    """The lines behind a member's available points at `at`; two queries."""
    with one_snapshot():
        return breakdown_of(balance(account_id=account_id, at=at), account_id=account_id)


def breakdown_of(own: Balance, *, account_id: int) -> Breakdown:
    """The lines behind a balance that was read in the same snapshot; one query.

    What expires by itself is posted by a job that may not have run yet: a balance knows it already, so
    it is the one thing that the ledger's operations lack, and the line of what expired has it, too.
    """
    points: Counter[LineKind] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            LINES,
            {
                "account_id": account_id,
                "available_points": own.available_points,
                "pending_points": own.pending_points,
                "held_points": own.held_points,
            },
        )
        for kind, found in cursor.fetchall():
            points[LineKind(kind)] += found
    points[LineKind.PENDING] = -own.pending_points
    points[LineKind.HELD] = -own.held_points
    points[LineKind.DEBT] = own.debt_points
    return Breakdown(
        lines=[Line(kind, points[kind]) for kind in LineKind if points[kind]],
        available_points=own.available_points,
    )
