"""What became of the programme's points, month by month, and how many were outstanding at each one's end."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from operator import add

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
    `adjusted_points` is what colleagues added and took away by hand, with its sign.
    """

    credited_points: int
    taken_back_points: int
    spent_points: int
    given_back_points: int
    expired_points: int
    adjusted_points: int

    def __add__(self, other: "MovedPoints") -> "MovedPoints":
        """What became of points in both."""
        return MovedPoints(*map(add, astuple(self), astuple(other)))

    @property
    def issued_points(self) -> int:
        """What members got and were left with."""
        return self.credited_points - self.taken_back_points

    @property
    def used_points(self) -> int:
        """What paid for orders, and was not given back."""
        return self.spent_points - self.given_back_points

    @property
    def gone_points(self) -> int:
        """What members have no more, but for what was taken by hand."""
        return self.used_points + self.expired_points

    @property
    def change_points(self) -> int:
        """By how much more is outstanding after it."""
        return self.issued_points - self.gone_points + self.adjusted_points


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
    outstanding_points = sum(one.change_points for month, one in moved.items() if month < first)
    shown = []
    for month in (month_after(first, turn) for turn in range(months)):
        found = moved.get(month, NOTHING_MOVED)
        outstanding_points += found.change_points
        shown.append(ProgrammeMonth(month, found, outstanding_points))
    return shown


def counted_months() -> tuple[dict[date, MovedPoints], int]:
    """What is counted of each month, and the last posting that is."""
    counted = list(CountedMonth.objects.all())
    return {
        one.month: MovedPoints(**{field.name: getattr(one, field.name) for field in fields(MovedPoints)})
        for one in counted
    }, max((one.last_posting_id for one in counted), default=0)
