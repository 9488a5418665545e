"""What came to a member's balance and what left it, month by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.utils import timezone

from loyalty.days import midnight, month_after


@dataclass(frozen=True)
class MonthOfPoints:
    """The month that begins on `month`: what its operations added to the balance, and what they took.

    Both count as the list of operations does: an operation that leaves more to spend came with all of
    it, one that leaves less took all of it. Neither is below 0.
    """

    month: date
    earned_points: int
    spent_points: int

    @property
    def last_day(self) -> date:
        """The day that the month ends on."""
        return month_after(self.month, 1) - timedelta(days=1)

    @property
    def change_points(self) -> int:
        """How the month changed what could be spent."""
        return self.earned_points - self.spent_points


# A month goes by its turn among those that are asked for: to cut every moment to its month in the
# programme's zone takes twice as long.
MONTHS = """
    with moved as (
        select posting_id, sum(points)::bigint as points
          from loyalty_entry where account_id = %(account_id)s and bucket = 'available' group by posting_id
    )
    select width_bucket(posting.effective_at, %(begins_at)s::timestamptz[]) - 1,
           coalesce(sum(moved.points) filter (where moved.points > 0), 0)::bigint,
           coalesce(-sum(moved.points) filter (where moved.points < 0), 0)::bigint
      from moved join loyalty_posting posting on posting.id = moved.posting_id
     where posting.effective_at >= %(since_at)s and posting.effective_at <= %(until_at)s
     group by 1
"""


def points_by_month(*, account_id: int, until_at: datetime, months: int = 12) -> Sequence[MonthOfPoints]:
    """So many months of an account, the last of them that of `until_at`; months without a change too.

    One query. Counted are the operations of the list, by the moment that they took effect; the months
    are those of the programme's zone.
    """
    last = timezone.localdate(until_at).replace(day=1)
    shown = [month_after(last, turn) for turn in range(1 - months, 1)]
    begins_at = [midnight(month) for month in shown]
    with connection.cursor() as cursor:
        cursor.execute(
            MONTHS,
            {
                "account_id": account_id,
                "begins_at": begins_at,
                "since_at": begins_at[0],
                "until_at": until_at,
            },
        )
        found = {turn: (came, gone) for turn, came, gone in cursor.fetchall()}
    return [MonthOfPoints(month, *found.get(turn, (0, 0))) for turn, month in enumerate(shown)]
