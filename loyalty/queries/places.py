"""Where a page of the list of operations lies in the whole of it."""

from dataclasses import dataclass

from django.db import connection

from loyalty.queries.operations import OperationsPage

# An account's entries are counted back to here and no further, so that no history is too long for it.
COUNTED_ENTRIES = 2_000


@dataclass(frozen=True)
class Place:
    """The shown operations are those from `first` to `last`, counted from the newest; of `total_count`.

    `first` and `last` are None where so many are newer that nobody counts them. With `is_more` there
    are more in all than `total_count`.
    """

    shown_count: int
    first: int | None
    last: int | None
    total_count: int
    is_more: bool


PLACE = """
    select count(distinct posting_id) filter (where entry.version > %(version)s), count(distinct posting_id),
           max(account.version) > %(counted)s, max(account.version) - %(counted)s > %(version)s
      from loyalty_points_account account
      join loyalty_entry entry
        on entry.account_id = account.id and entry.version > account.version - %(counted)s
     where account.id = %(account_id)s
"""


def place_of(page: OperationsPage, *, account_id: int) -> Place:
    """The place of a page, of one operation at least, among all operations of the account; one query."""
    values = {"account_id": account_id, "version": page.operations[0].version, "counted": COUNTED_ENTRIES}
    with connection.cursor() as cursor:
        cursor.execute(PLACE, values)
        newer_count, total_count, is_more, is_far = cursor.fetchone()
    shown_count = len(page.operations)
    return Place(
        shown_count=shown_count,
        first=None if is_far else newer_count + 1,
        last=None if is_far else newer_count + shown_count,
        total_count=total_count,
        is_more=is_more,
    )


def place_of_found(page: OperationsPage, *, found_count: int) -> Place:
    """The same of a page of what a filter has found, when all that was found has been counted; no query."""
    shown_count = len(page.operations)
    is_first = page.newer_cursor is None
    is_last = page.older_cursor is None
    first = 1 if is_first else found_count - shown_count + 1 if is_last else None
    return Place(
        shown_count=shown_count,
        first=first,
        last=None if first is None else first + shown_count - 1,
        total_count=found_count,
        is_more=False,
    )
