"""What became of the programme's points, month by month, and how many were outstanding at each one's end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.utils import timezone

from loyalty.days import month_after
from loyalty.queries.balance import POINT_WORTH_SUM
from supervisor.models import CountedMonth

SHOWN_MONTHS = 12

# By month of the programme's zone, in which a posting took effect, from the entries of the programme's own
# accounts. Points of sandboxes are worth nothing and are not counted.
MOVED = """
    select date_trunc('month', posting.effective_at at time zone %(zone)s)::date as month,
           coalesce(-sum(entry.points) filter (where account_id = -1 and points < 0), 0)::bigint
               as credited_points,
           coalesce(sum(entry.points) filter (where account_id = -1 and points > 0), 0)::bigint
               as taken_back_points,
           coalesce(sum(entry.points) filter (where account_id = -2 and points > 0), 0)::bigint
               as spent_points,
           coalesce(-sum(entry.points) filter (where account_id = -2 and points < 0), 0)::bigint
               as given_back_points,
           coalesce(sum(entry.points) filter (where account_id = -3), 0)::bigint as expired_points,
           coalesce(-sum(entry.points) filter (where account_id = -4), 0)::bigint as adjusted_points,
           max(posting.id) as last_posting_id
      from loyalty_posting posting
      join loyalty_entry entry on entry.posting_id = posting.id and entry.account_id < 0
     where posting.id > %(after_id)s and {until}
       and posting.id not in (
               select theirs.posting_id
                 from accounts_member member join loyalty_entry theirs on theirs.account_id = member.id
                where member.is_sandbox)
     group by 1
"""


@dataclass(frozen=True)
class MovedPoints:
    """What became of points in a month.

    Credited and spent points are counted in full, and apart from them what was taken or given back.
    `adjusted` is what colleagues added and took away by hand, with its sign.
    """

    credited: int
    taken_back: int
    spent: int
    given_back: int
    expired: int
    adjusted: int

    def __add__(self, other: "MovedPoints") -> "MovedPoints":
        """What became of points in both."""
        return MovedPoints(
            credited=self.credited + other.credited,
            taken_back=self.taken_back + other.taken_back,
            spent=self.spent + other.spent,
            given_back=self.given_back + other.given_back,
            expired=self.expired + other.expired,
            adjusted=self.adjusted + other.adjusted,
        )

    @property
    def issued(self) -> int:
        """What members got and were left with."""
        return self.credited - self.taken_back

    @property
    def used(self) -> int:
        """What paid for orders, and was not given back."""
        return self.spent - self.given_back

    @property
    def change(self) -> int:
        """By how much more is outstanding after it."""
        return self.issued - self.used - self.expired + self.adjusted


NOTHING_MOVED = MovedPoints(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class ProgrammeMonth:
    """The month that begins on `month`; `outstanding_points` at its end, or so far."""

    month: date
    moved: MovedPoints
    outstanding_points: int

    @property
    def outstanding_worth_sum(self) -> Decimal:
        """What these are worth in the programme's currency."""
        return self.outstanding_points * POINT_WORTH_SUM


def months_of_points(at: datetime, months: int = SHOWN_MONTHS) -> Sequence[ProgrammeMonth]:
    """So many months, the last of them that of `at`, months without a movement too.

    What members all together have, debts taken off, is what the programme's own accounts gave and did not
    get back: from the beginning on, so older months count for what was outstanding before the first.
    """
    counted, after_id = counted_months()
    moved = dict(counted)
    with connection.cursor() as cursor:
        cursor.execute(
            MOVED.format(until="posting.effective_at <= %(at)s"),
            {"after_id": after_id, "at": at, "zone": settings.TIME_ZONE},
        )
        for month, *sums, _last_posting_id in cursor.fetchall():
            moved[month] = moved.get(month, NOTHING_MOVED) + MovedPoints(*sums)
    first = month_after(timezone.localdate(at).replace(day=1), 1 - months)
    outstanding_points = sum(one.change for month, one in moved.items() if month < first)
    shown = []
    for month in (month_after(first, turn) for turn in range(months)):
        found = moved.get(month, NOTHING_MOVED)
        outstanding_points += found.change
        shown.append(ProgrammeMonth(month, found, outstanding_points))
    return shown


def counted_months() -> tuple[dict[date, MovedPoints], int]:
    """What is counted of each month, and the last posting that is."""
    counted = list(CountedMonth.objects.all())
    return {
        one.month: MovedPoints(
            credited=one.credited_points,
            taken_back=one.taken_back_points,
            spent=one.spent_points,
            given_back=one.given_back_points,
            expired=one.expired_points,
            adjusted=one.adjusted_points,
        )
        for one in counted
    }, max((one.last_posting_id for one in counted), default=0)
