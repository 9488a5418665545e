"""The entries of a member's postings, and the lots they touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from loyalty.models import Bucket


@dataclass(frozen=True)
class OperationLine:
    """One entry of a posting on one account.

    `expires_on` is the last day of its points, None when they never expire or are a debt.
    `lot_points_after` is what this bucket then has of points with the same last day, None where that
    was not asked.
    """

    posting_id: int
    bucket: Bucket
    points: int
    expires_on: date | None
    lot_points_after: int | None
    available_after: int

    @property
    def lot_points_before(self) -> int | None:
        """What the lot had in this bucket before; None where that was not asked."""
        return None if self.lot_points_after is None else self.lot_points_after - self.points


# Pending points are in no lot yet: their credit knows their last day.
LINES = """
    select entry.posting_id, entry.bucket, entry.points,
           case when entry.bucket = 'pending' then (
               select credit.expires_on
                 from loyalty_posting posting
                 join loyalty_credit credit
                   on credit.posting_id
                      = case when posting.kind = 'credit' then posting.id else posting.origin_id end
                where posting.id = entry.posting_id)
           else lot.expires_on end,
           {lot_points_after}, entry.available_after_points
      from loyalty_entry entry
      left join loyalty_lot lot on lot.id = entry.lot_id
     -- “+ 0” lets the entries be looked up by posting: the account may have thousands.
     where entry.account_id + 0 = %(account_id)s and entry.posting_id = any(%(posting_ids)s)
     order by entry.version
"""
# Whose money stands behind points is no matter of the member's: lots of one day are one for them.
LOT_POINTS_AFTER = """
    case when entry.lot_id is not null then (
        select sum(earlier.points) from loyalty_entry earlier
         where earlier.account_id = entry.account_id and earlier.version <= entry.version
           and earlier.bucket = entry.bucket
           and earlier.lot_id in (
                   select same_day.id from loyalty_lot same_day
                    where same_day.account_id = entry.account_id
                      and same_day.expires_on is not distinct from lot.expires_on))::bigint end
"""


def operation_lines(*, account_id: int, posting_ids: Sequence[int]) -> list[OperationLine]:
    """The entries of some postings on one account, in the order they were recorded in; one query."""
    return _lines("null", account_id, posting_ids)


def lines_with_lots(*, account_id: int, posting_id: int) -> list[OperationLine]:
    """The entries of one posting on one account, with what each lot had after; one query.

    It adds up the account's earlier entries: a page may ask for one operation's, a list may not.
    """
    return _lines(LOT_POINTS_AFTER, account_id, [posting_id])


def _lines(lot_points_after: str, account_id: int, posting_ids: Sequence[int]) -> list[OperationLine]:
    with connection.cursor() as cursor:
        cursor.execute(
            LINES.format(lot_points_after=lot_points_after),
            {"account_id": account_id, "posting_ids": list(posting_ids)},
        )
        return [_line(row) for row in cursor.fetchall()]


def _line(row: tuple[Any, ...]) -> OperationLine:
    posting_id, bucket, *rest = row
    return OperationLine(posting_id, Bucket(bucket), *rest)
