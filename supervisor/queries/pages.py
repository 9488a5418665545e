"""Pages of long lists, found by where the last one ended: nothing is counted, no row changes its page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from loyalty.days import midnight

ROWS_PER_PAGE = 25
# So many rows of a file are read at a time.
ROWS_PER_BATCH = 1000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Sorting:
    """By which fields a list is in order, such as an index bears; rows alike in them go by their ids."""

    fields: Sequence[str] = ()
    is_descending: bool = False


@dataclass(frozen=True)
class ListPage(Generic[Row]):
    """Some rows of a list, and next to which ids the pages before and after it are, if there are any."""

    rows: Sequence[Row]
    previous_cursor: int | None
    next_cursor: int | None


def list_page(
    rows: QuerySet[Row],
    *,
    sorting: Sorting,
    before: int | None = None,
    after: int | None = None,
    limit: int = ROWS_PER_PAGE,
) -> ListPage[Row]:
    """The beginning of a list, or the page that ends before or begins after the row of an id."""
    if before is not None:
        found = list(_beside(rows, sorting, before, is_backwards=True)[: limit + 1])
        shown = found[:limit][::-1]
        has_previous, has_next = len(found) > limit, True
    else:
        found = list(_beside(rows, sorting, after)[: limit + 1])
        shown = found[:limit]
        has_previous, has_next = after is not None, len(found) > limit
    return ListPage(
        rows=shown,
        previous_cursor=shown[0].pk if shown and has_previous else None,
        next_cursor=shown[-1].pk if shown and has_next else None,
    )


def in_period(
    rows: QuerySet[Row], field: str, *, since_on: date | None, until_on: date | None
) -> QuerySet[Row]:
    """The rows whose moment is in that period, open at an end that is None. `until_on` is its last day."""
    if since_on is not None:
        rows = rows.filter(**{f"{field}__gte": midnight(since_on)})
    if until_on is not None:
        rows = rows.filter(**{f"{field}__lt": midnight(until_on + timedelta(days=1))})
    return rows


def every_row(rows: QuerySet[Row], *, sorting: Sorting) -> Iterator[Sequence[Row]]:
    """The whole list, some rows at a time."""
    after = None
    while True:
        page = list_page(rows, sorting=sorting, after=after, limit=ROWS_PER_BATCH)
        if page.rows:
            yield page.rows
        if page.next_cursor is None:
            return
        after = page.next_cursor


def _beside(
    rows: QuerySet[Row], sorting: Sorting, cursor: int | None, *, is_backwards: bool = False
) -> QuerySet[Row]:
    """The rows after that of an id, or those before it, the nearest first; all rows for None."""
    is_descending = sorting.is_descending != is_backwards
    sign, beyond = ("-", "lt") if is_descending else ("", "gt")
    fields = [*sorting.fields, "pk"]
    if cursor is not None:
        place = rows.model._default_manager.filter(pk=cursor).values_list(*fields).first()
        rows = rows.filter(_is_beyond(fields, place, beyond)) if place else rows.none()
    return rows.order_by(*(f"{sign}{field}" for field in fields))


def _is_beyond(fields: Sequence[str], place: Sequence[Any], beyond: str) -> Q:
    """Whether a row is beyond a place in a list; the first field alone is what an index is searched by."""
    first, *others = fields
    if not others:
        return Q(**{f"{first}__{beyond}": place[0]})
    return Q(**{f"{first}__{beyond}e": place[0]}) & (
        Q(**{f"{first}__{beyond}": place[0]}) | _is_beyond(others, place[1:], beyond)
    )
