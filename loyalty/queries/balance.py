"""A member's points at a moment. The one place these numbers come from, wherever they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from loyalty.models import UNDECIDED_AT

# One point pays one unit of the programme's currency.
POINT_WORTH_SUM = Decimal(1)
# So many days ahead points are said to expire soon.
SOON_DAYS = 30


@dataclass(frozen=True)
class Pending:
    """Points that become available at a moment; None while a person has yet to say whether they do."""

    points: int
    available_at: datetime | None


@dataclass(frozen=True)
class Held:
    """Points set aside for an unpaid order, until a moment."""

    points: int
    order_number: str
    expires_at: datetime
    order_id: int | None


@dataclass(frozen=True)
class Expiry:
    """Available points by their last day; None when they never expire."""

    expires_on: date | None
    points: int


@dataclass(frozen=True)
class NextExpiry:
    """What expires next, and in how many days: 0 is today, the last day."""

    points: int
    expires_on: date
    days_left: int

    @property
    def is_soon(self) -> bool:
        """Whether members are told of it already."""
        return self.days_left <= SOON_DAYS


@dataclass(frozen=True)
class Balance:
    """The parts of a balance. `available_points` is what may be spent at `as_of`."""

    as_of: datetime
    available_points: int
    pending_points: int
    held_points: int
    debt_points: int
    is_blocked: bool
    expiries: Sequence[Expiry]
    pending: Sequence[Pending]
    holds: Sequence[Held]

    @property
    def worth_sum(self) -> Decimal:
        """What the available points pay for."""
        return self.available_points * POINT_WORTH_SUM

    @property
    def next_expiry(self) -> NextExpiry | None:
        """The points that expire next, if any do."""
        first = self.expiries[0] if self.expiries else None
        if first is None or first.expires_on is None:
            return None
        today = timezone.localdate(self.as_of)
        return NextExpiry(first.points, first.expires_on, (first.expires_on - today).days)


def balance(*, account_id: int, at: datetime) -> Balance:
    """A member's balance, right at `at` whether or not the jobs have run; one query, so it adds up."""
    with connection.cursor() as cursor:
        cursor.execute(
            BALANCE,
            {
                "account_ids": [account_id],
                "at": at,
                "zone": settings.TIME_ZONE,
                "undecided_at": UNDECIDED_AT,
            },
        )
        rows = cursor.fetchall()
    parts = rows[0][:5] if rows else (0, 0, 0, 0, False)
    lines: list[tuple[str, int, Any, Any, str, int | None]] = [row[5:] for row in rows]
    return Balance(
        as_of=at,
        available_points=parts[0],
        pending_points=parts[1],
        held_points=parts[2],
        debt_points=parts[3],
        is_blocked=parts[4],
        expiries=[Expiry(day, points) for kind, points, day, *_ in lines if kind == "available"],
        pending=[Pending(points, until) for kind, points, _, until, *_ in lines if kind == "pending"],
        holds=[
            Held(points, order, until, order_id)
            for kind, points, _, until, order, order_id in lines
            if kind == "held"
        ],
    )


# Every row carries the parts of the balance, and one line of what they consist of, if there is any.
# The parts are materialized: the planner would else sum the lots once for every line.
BALANCE = """
    with parts as materialized (select * from ledger.balances(%(account_ids)s, %(at)s, %(zone)s))
    select parts.available_points, parts.pending_points, parts.held_points, parts.debt_points,
           parts.is_blocked, line.kind, line.points, line.expires_on, line.until, line.order_number,
           line.order_id
      from parts
      left join (
           select account_id, 'available' as kind, sum(points)::bigint as points, expires_on,
                  null::timestamptz as until, '' as order_number, null::bigint as order_id
             from ledger.spendable(%(account_ids)s, %(at)s, %(zone)s)
            group by account_id, expires_on
           union all
           select account_id, 'pending', sum(points - taken_back_points)::bigint, null,
                  nullif(available_at, %(undecided_at)s), '', null
             from loyalty_credit
            where account_id = any(%(account_ids)s) and matured_at is null and available_at > %(at)s
            group by account_id, available_at
           union all
           select hold.account_id, 'held', hold.points - hold.captured_points - hold.released_points, null,
                  hold.expires_at, coalesce(posting.explanation->>'order', ''), posting.order_id
             from loyalty_hold hold join loyalty_posting posting on posting.id = hold.posting_id
            where hold.account_id = any(%(account_ids)s) and hold.is_open and hold.expires_at > %(at)s
           ) as line on line.account_id = parts.account_id
     order by line.expires_on nulls last, line.until
"""
