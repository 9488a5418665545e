"""A member's postings: the statement, page by page, and one of them whole."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db import connection

from loyalty.models import UNDECIDED_AT, Posting
from loyalty.queries.filters import EVERYTHING, OperationFilter, condition, condition_values

OPERATIONS_PER_PAGE = 25


@dataclass(frozen=True)
class Operation:
    """One posting as it touched one account. Points are signed, by bucket.

    `explanation` is the posting's own; what begins with `origin_` is told of the posting that it goes
    on with, or undoes. `expired_on` is the last day of the points in it, the latest of several.
    `order_id` is the account's own order: a friend's, which an inviter earns from, is not told.
    With `is_undecided` its points are pending until a person has checked them; `taken_back_at` is when
    the last of a credit was taken back, before it was available.
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
    origin_kind: str
    origin_purpose: str
    origin_explanation: dict[str, Any]
    expired_on: date | None
    recorded_at: datetime
    order_id: int | None
    is_undecided: bool
    taken_back_at: datetime | None

    @property
    def is_pending(self) -> bool:
        """Whether it moved pending points, which are outside of the balance."""
        return self.pending_points != 0 and self.available_points == 0 and self.debt_points == 0

    @property
    def points(self) -> int:
        """What the line shows: the change of what can be spent, or of what is pending."""
        return self.pending_points if self.is_pending else self.available_points


# The page's query selects them in this order.
COLUMNS = tuple(field.name for field in fields(Operation))


@dataclass(frozen=True)
class OperationsPage:
    """Some operations, newest first, and where the pages beside them begin, if there are any."""

    operations: Sequence[Operation]
    newer_cursor: int | None
    older_cursor: int | None


# An account's entries are numbered without gaps, so a page is found by walking along the numbers and
# looking each one up, until it is full. The walk is not written as a range of versions in their order:
# where the planner takes a member for an ordinary one it would read and sort the whole history first.
# A posting's entries follow each other: its last one is where the next entry is another posting's.
PAGE = """
    with page as (
        select entry.posting_id, entry.version, entry.available_after_points
          from (select generate_series({walk}) as version
                  from loyalty_points_account where id = %(account_id)s) as walk
         cross join lateral (
               select posting_id, version, available_after_points from loyalty_entry
                where account_id = %(account_id)s and version = walk.version offset 0) as entry
         where (select next.posting_id from loyalty_entry next
                 where next.account_id = %(account_id)s and next.version = entry.version + 1
               ) is distinct from entry.posting_id
           and (select {condition} from loyalty_posting posting where posting.id = entry.posting_id)
         limit %(limit)s
    )
"""
NAMED = """
    with page as (
        select distinct on (posting_id) posting_id, version, available_after_points
          from loyalty_entry
         where account_id + 0 = %(account_id)s and posting_id = any(%(posting_ids)s)
         order by posting_id, version desc
    )
"""
# What an operation goes on with, what goes on with it, and what else became of its order.
RELATED = """
    with page as (
        select distinct on (posting_id) posting_id, version, available_after_points
          from loyalty_entry
         where account_id + 0 = %(account_id)s and posting_id <> %(posting_id)s
           and posting_id = any(array(
                   select id from loyalty_posting
                    where id = %(origin_id)s or origin_id in (%(posting_id)s, %(origin_id)s)
                       or order_id = %(order_id)s))
         order by posting_id, version desc
    )
"""
# The columns are in the order of the fields of Operation. Each row of the page is looked up by itself
# (`offset 0` keeps it so): a planner that knows nothing of the tables yet may join them the other way.
TOLD = """
    select posting.id, page.version, posting.kind, posting.purpose, posting.effective_at,
           moved.available, moved.pending, moved.held, moved.debt, page.available_after_points,
           nullif(credit.available_at, %(undecided_at)s), posting.explanation, posting.origin_id,
           coalesce(origin.kind, ''), coalesce(origin.purpose, ''), coalesce(origin.explanation, '{}'),
           moved.expires_on, posting.recorded_at,
           case when coalesce(nullif(posting.purpose, ''), origin.purpose) is distinct from 'referral'
                then coalesce(posting.order_id, origin.order_id) end,
           coalesce(credit.available_at = %(undecided_at)s and credit.matured_at is null, false),
           case when credit.taken_back_points = credit.points then (
               select max(back.effective_at) from loyalty_posting back
                where back.origin_id = posting.id and back.kind = 'take_back'
               having max(back.effective_at) < credit.available_at) end
      from page
     cross join lateral (
           select * from loyalty_posting where id = page.posting_id offset 0) as posting
      left join lateral (
           select * from loyalty_posting where id = posting.origin_id offset 0) as origin on true
      left join lateral (
           select * from loyalty_credit where posting_id = page.posting_id offset 0) as credit on true
     cross join lateral (
           select coalesce(sum(entry.points) filter (where bucket = 'available'), 0)::bigint as available,
                  coalesce(sum(entry.points) filter (where bucket = 'pending'), 0)::bigint as pending,
                  coalesce(sum(entry.points) filter (where bucket = 'held'), 0)::bigint as held,
                  coalesce(sum(entry.points) filter (where bucket = 'debt'), 0)::bigint as debt,
                  max(lot.expires_on) as expires_on
             from loyalty_entry entry
             left join loyalty_lot lot on lot.id = entry.lot_id
            -- “+ 0” lets the entries be looked up by posting: the account may have thousands.
            where entry.posting_id = page.posting_id and entry.account_id + 0 = %(account_id)s) as moved
     order by page.version
"""
OLDER = "least(%(cursor)s - 1, version), 1, -1"
NEWER = "%(cursor)s + 1, version, 1"
NEWEST = 2**63 - 1


def operations_page(
    *,
    account_id: int,
    before: int | None = None,
    after: int | None = None,
    filters: OperationFilter = EVERYTHING,
    limit: int = OPERATIONS_PER_PAGE,
) -> OperationsPage:
    """A page of an account's operations: the newest, or those next to a cursor; one query."""
    # The account's entries are numbered without gaps, so where one page ends the next one begins.
    if after is not None:
        found = _operations(NEWER, account_id, after, limit + 1, filters)
        operations = found[:limit][::-1]
        newer_cursor = operations[0].version if len(found) > limit else None
        older_cursor = after + 1 if after > 0 else None
    else:
        found = _operations(OLDER, account_id, NEWEST if before is None else before, limit + 1, filters)
        operations = found[:limit]
        newer_cursor = None if before is None else before - 1
        older_cursor = found[limit].version + 1 if len(found) > limit else None
    return OperationsPage(operations=operations, newer_cursor=newer_cursor, older_cursor=older_cursor)


def operations_since(
    *,
    account_id: int,
    after_version: int = 0,
    changed_since: datetime | None = None,
    filters: OperationFilter = EVERYTHING,
    limit: int = OPERATIONS_PER_PAGE,
) -> list[Operation]:
    """The operations that were recorded after a version and a moment, the oldest first.

    Whoever reads on gives the version of the last one as `after_version`: versions of an account
    become visible in their order, so nothing is ever recorded behind a reader's back.
    """
    if changed_since is not None:
        after_version = _version_at(account_id, changed_since, after_version)
    return _operations(NEWER, account_id, after_version, limit, filters)


def operation(*, account_id: int, posting_id: int) -> Operation | None:
    """One operation of an account, or None when it is somebody else's or nobody's."""
    found = operations_named(account_id=account_id, posting_ids=[posting_id])
    return found[0] if found else None


def operations_named(*, account_id: int, posting_ids: Iterable[int]) -> list[Operation]:
    """Those of these operations that are the account's, the oldest first; one query."""
    return _told(NAMED, {"account_id": account_id, "posting_ids": list(posting_ids)})


def related_operations(*, account_id: int, of: Operation) -> list[Operation]:
    """The account's operations that belong with one, the oldest first; one query.

    They are its origin, what goes on with it or undoes it, and the others of the same order.
    """
    return _told(
        RELATED,
        {
            "account_id": account_id,
            "posting_id": of.posting_id,
            "origin_id": of.origin_id,
            "order_id": of.order_id,
        },
    )


def _operations(
    walk: str,
    account_id: int,
    cursor_version: int,
    limit: int,
    filters: OperationFilter = EVERYTHING,
) -> list[Operation]:
    values = {"account_id": account_id, "cursor": cursor_version, "limit": limit, **condition_values(filters)}
    found = _told(PAGE.format(walk=walk, condition=condition(filters)), values)
    return found if walk == NEWER else found[::-1]


def _told(page: str, values: dict[str, Any]) -> list[Operation]:
    """The operations that a page names, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(page + TOLD, {**values, "undecided_at": UNDECIDED_AT})
        return [_operation(row) for row in cursor.fetchall()]


def _version_at(account_id: int, at: datetime, after_version: int) -> int:
    """The account's version at a moment of recording, or `after_version` where that is later.

    Moments of recording never run backwards along an account's versions. So it is enough to look at
    the next entry or, when that one is too old, to go back from the newest.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce("
            " (select version - 1 from loyalty_entry"
            "   where account_id = %(account_id)s and version = %(version)s + 1 and recorded_at > %(at)s),"
            " (select version from loyalty_entry"
            "   where account_id = %(account_id)s and version > %(version)s and recorded_at <= %(at)s"
            "   order by version desc limit 1),"
            " %(version)s)",
            {"account_id": account_id, "version": after_version, "at": at},
        )
        (version,) = cursor.fetchone()
    return int(version)


def _operation(row: tuple[Any, ...]) -> Operation:
    values = dict(zip(COLUMNS, row, strict=True))
    values["kind"] = Posting.Kind(values["kind"])
    for name in ("explanation", "origin_explanation"):
        values[name] = json.loads(values[name])
    return Operation(**values)
