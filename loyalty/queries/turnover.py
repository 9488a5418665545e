"""What some of a member's operations come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import connection

from loyalty.queries.filters import OperationFilter, condition, condition_values
from loyalty.queries.operations import Operation


@dataclass(frozen=True)
class Turnover:
    """How many operations there are, and how they change the available points.

    `opening_points` is what there was before all of them, or None where the operations leave some
    out in between, so that no balance leads to another.
    """

    count: int
    plus_points: int
    minus_points: int
    opening_points: int | None

    @property
    def closing_points(self) -> int | None:
        """What there was after all of them."""
        if self.opening_points is None:
            return None
        return self.opening_points + self.plus_points + self.minus_points

    @property
    def net_points(self) -> int:
        """The change as a whole."""
        return self.plus_points + self.minus_points


# The condition is asked once for each posting: `offset 0` keeps it apart from the sums.
TURNOVER = """
    with moved as (
        select posting_id, coalesce(sum(points) filter (where bucket = 'available'), 0)::bigint as points
          from loyalty_entry where account_id = %(account_id)s group by posting_id
    ), asked as (
        select moved.points, {condition} as is_wanted,
               posting.effective_at < %(since_on)s::date::timestamp at time zone %(zone)s as is_earlier
          from moved join loyalty_posting posting on posting.id = moved.posting_id offset 0
    )
    select count(*) filter (where is_wanted),
           coalesce(sum(points) filter (where is_wanted and points > 0), 0)::bigint,
           coalesce(sum(points) filter (where is_wanted and points < 0), 0)::bigint,
           coalesce(sum(points) filter (where is_earlier), 0)::bigint
      from asked
"""


def turnover(*, account_id: int, filters: OperationFilter) -> Turnover:
    """What all of an account's operations that are wanted come to; one query.

    A period leads from one balance to another: what had happened before it, and by its end.
    """
    values: dict[str, Any] = {"account_id": account_id, **condition_values(filters)}
    with connection.cursor() as cursor:
        cursor.execute(TURNOVER.format(condition=condition(filters)), values)
        count, plus_points, minus_points, opening_points = cursor.fetchone()
    return Turnover(
        count=count,
        plus_points=plus_points,
        minus_points=minus_points,
        opening_points=opening_points if filters.is_empty or filters.is_period else None,
    )


def page_turnover(operations: Iterable[Operation]) -> Turnover:
    """What the operations of a page come to; they are given the newest first."""
    shown = list(operations)
    changes = [one.available_points for one in shown]
    is_unbroken = all(
        newer.available_after - newer.available_points == older.available_after
        for newer, older in pairwise(shown)
    )
    return Turnover(
        count=len(shown),
        plus_points=sum(change for change in changes if change > 0),
        minus_points=sum(change for change in changes if change < 0),
        opening_points=shown[-1].available_after - shown[-1].available_points
        if shown and is_unbroken
        else None,
    )
