"""A member's postings: the statement, page by page, and one of them whole."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from loyalty.models import Bucket, Posting

OPERATIONS_PER_PAGE = 25


@dataclass(frozen=True)
class Operation:
    """One posting as it touched one account. Points are signed, by bucket.

    `explanation` is the posting's own; `origin_explanation` that of the posting it goes on with.
    """

    posting_id: int
    version: int
    kind: Posting.Kind
    purpose: str
    effective_at: datetime
    available_points: int
    pending_points: int
    held_points: int
    debt_points: int
    available_after: int
    available_at: datetime | None
    explanation: dict[str, Any]
    origin_id: int | None
    origin_purpose: str
    origin_explanation: dict[str, Any]
    expired_on: date | None

    @property
    def is_pending(self) -> bool:
        """Whether it moved pending points, which are outside of the balance."""
        return self.pending_points != 0 and self.available_points == 0 and self.debt_points == 0

    @property
    def points(self) -> int:
        """What the line shows: the change of what can be spent, or of what is pending."""
        return self.pending_points if self.is_pending else self.available_points


@dataclass(frozen=True)
class OperationsPage:
    """Some operations, newest first, and where the pages beside them begin, if there are any."""

    operations: Sequence[Operation]
    newer_cursor: int | None
    older_cursor: int | None


@dataclass(frozen=True)
class OperationLine:
    """One entry of a posting."""

    bucket: str
    points: int
    expires_on: date | None
    available_after: int


# A posting's entries follow each other, so its last one is where the neighbour's posting differs:
# the scan of the account's versions stops as soon as the page is full.
PAGE = """
    with page as (
        select posting_id, version, available_after_points
          from (select posting_id, version, available_after_points,
                       {neighbour}(posting_id) over (order by version {direction}) as newer_posting_id
                  from loyalty_entry
                 where account_id = %(account_id)s and version {comparison} %(cursor)s) as entries
         where newer_posting_id is distinct from posting_id
         order by version {direction} limit %(limit)s
    )
    select posting.id, page.version, posting.kind, posting.purpose, posting.effective_at,
           moved.available, moved.pending, moved.held, moved.debt, page.available_after_points,
           credit.available_at, posting.explanation, posting.origin_id,
           coalesce(origin.purpose, ''), coalesce(origin.explanation, '{{}}'), moved.expires_on
      from page
      join loyalty_posting posting on posting.id = page.posting_id
      left join loyalty_posting origin on origin.id = posting.origin_id
      left join loyalty_credit credit on credit.posting_id = posting.id
     cross join lateral (
           select coalesce(sum(entry.points) filter (where bucket = 'available'), 0)::bigint as available,
                  coalesce(sum(entry.points) filter (where bucket = 'pending'), 0)::bigint as pending,
                  coalesce(sum(entry.points) filter (where bucket = 'held'), 0)::bigint as held,
                  coalesce(sum(entry.points) filter (where bucket = 'debt'), 0)::bigint as debt,
                  max(lot.expires_on) as expires_on
             from loyalty_entry entry
             left join loyalty_lot lot on lot.id = entry.lot_id
            where entry.posting_id = page.posting_id and entry.account_id = %(account_id)s) as moved
     order by page.version {direction}
"""
OLDER = PAGE.format(neighbour="lag", direction="desc", comparison="<")
NEWER = PAGE.format(neighbour="lead", direction="asc", comparison=">")
NEWEST = 2**63 - 1


def operations_page(
    *, account_id: int, before: int | None = None, after: int | None = None, limit: int = OPERATIONS_PER_PAGE
) -> OperationsPage:
    """A page of an account's operations: the newest, or those next to a cursor; one query."""
    # The account's entries are numbered without gaps, so where one page ends the next one begins.
    if after is not None:
        found = _operations(NEWER, account_id, after, limit + 1)
        operations = found[:limit][::-1]
        newer_cursor = operations[0].version if len(found) > limit else None
        older_cursor = after + 1 if after > 0 else None
    else:
        found = _operations(OLDER, account_id, NEWEST if before is None else before, limit + 1)
        operations = found[:limit]
        newer_cursor = None if before is None else before - 1
        older_cursor = found[limit].version + 1 if len(found) > limit else None
    return OperationsPage(operations=operations, newer_cursor=newer_cursor, older_cursor=older_cursor)


def operation(*, account_id: int, posting_id: int) -> Operation | None:
    """One operation of an account, or None when it is somebody else's or nobody's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select max(version) from loyalty_entry where posting_id = %s and account_id = %s",
            (posting_id, account_id),
        )
        (version,) = cursor.fetchone()
    if version is None:
        return None
    return _operations(OLDER, account_id, version + 1, 1)[0]


def operation_lines(*, account_id: int, posting_id: int) -> list[OperationLine]:
    """The entries of a posting on one account, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select entry.bucket, entry.points, lot.expires_on, entry.available_after_points"
            " from loyalty_entry entry left join loyalty_lot lot on lot.id = entry.lot_id"
            " where entry.posting_id = %s and entry.account_id = %s order by entry.line",
            (posting_id, account_id),
        )
        return [
            OperationLine(str(Bucket(bucket).label), points, expires_on, available_after)
            for bucket, points, expires_on, available_after in cursor.fetchall()
        ]


def related_operations(*, account_id: int, of: Operation) -> list[Operation]:
    """What an operation goes on with, and what goes on with it, on the same account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select max(entry.version) from loyalty_entry entry"
            " join loyalty_posting posting on posting.id = entry.posting_id"
            " where entry.account_id = %(account_id)s and posting.id <> %(posting_id)s"
            " and (posting.id = %(origin_id)s or posting.origin_id in (%(posting_id)s, %(origin_id)s))"
            " group by posting.id order by posting.id",
            {"account_id": account_id, "posting_id": of.posting_id, "origin_id": of.origin_id},
        )
        versions = [version for (version,) in cursor.fetchall()]
    return [_operations(OLDER, account_id, version + 1, 1)[0] for version in versions]


def _operations(page: str, account_id: int, cursor_version: int, limit: int) -> list[Operation]:
    with connection.cursor() as cursor:
        cursor.execute(page, {"account_id": account_id, "cursor": cursor_version, "limit": limit})
        return [_operation(*row) for row in cursor.fetchall()]


def _operation(posting_id: int, version: int, kind: str, *rest: Any) -> Operation:
    *points_and_after, available_at, said, origin_id, origin_purpose, origin_said, expired_on = rest
    purpose, effective_at, available, pending, held, debt, available_after = points_and_after
    return Operation(
        posting_id=posting_id,
        version=version,
        kind=Posting.Kind(kind),
        purpose=purpose,
        effective_at=effective_at,
        available_points=available,
        pending_points=pending,
        held_points=held,
        debt_points=debt,
        available_after=available_after,
        available_at=available_at,
        explanation=_json(said),
        origin_id=origin_id,
        origin_purpose=origin_purpose,
        origin_explanation=_json(origin_said),
        expired_on=expired_on,
    )


def _json(value: str | dict[str, Any]) -> dict[str, Any]:
    return json.loads(value) if isinstance(value, str) else value
