"""A member's operations as a file: one row for each entry, the newest first, as the list has them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import IO

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from loyalty import spreadsheets, wording
from loyalty.models import Bucket
from loyalty.queries.filters import OperationFilter
from loyalty.queries.lines import OperationLine, operation_lines
from loyalty.queries.operations import Operation, operations_page
from loyalty.spreadsheets import Cell, Row

# So many operations are read at a time: a file of any length takes the memory of one such part.
BATCH_OPERATIONS = 1000
SHEET_WIDTHS = (19, 11, 12, 16, 44, 44, 14, 12, 10, 12, 14)


def headings() -> list[str]:
    """What the columns are called, in the active language."""
    return [
        _("Moment"),
        _("Date"),
        _("Operation number"),
        _("Kind"),
        _("What happened"),
        _("Explanation"),
        _("Order number"),
        _("Part of the account"),
        _("Points"),
        _("Last day"),
        _("Balance after"),
    ]


def batches(*, account_id: int, filters: OperationFilter) -> Iterator[list[Row]]:
    """The rows of all operations that are wanted, some at a time; two queries for each part.

    Every part is in the language that is active when it is asked for.
    """
    before: int | None = None
    while True:
        page = operations_page(account_id=account_id, before=before, filters=filters, limit=BATCH_OPERATIONS)
        lines = defaultdict(list)
        for line in operation_lines(
            account_id=account_id, posting_ids=[one.posting_id for one in page.operations]
        ):
            lines[line.posting_id].append(line)
        yield [
            _row(operation, line)
            for operation in page.operations
            for line in reversed(lines[operation.posting_id])
        ]
        if page.older_cursor is None:
            return
        before = page.older_cursor


def csv_parts(*, account_id: int, filters: OperationFilter, language: str) -> Iterator[bytes]:
    """The file as a server sends it bit by bit, in that language."""
    with translation.override(language):
        columns = headings()
    return spreadsheets.csv_parts(columns, batches(account_id=account_id, filters=filters), language=language)


def xlsx_file(*, account_id: int, filters: OperationFilter) -> IO[bytes]:
    """The same rows as a workbook."""
    return spreadsheets.xlsx_file(
        title=_("Operations"),
        headings=headings(),
        widths=SHEET_WIDTHS,
        batches=batches(account_id=account_id, filters=filters),
    )


def _row(operation: Operation, line: OperationLine) -> Row:
    if line.bucket == Bucket.DEBT:
        last_day: Cell = ""
    else:
        last_day = line.expires_on or _("never")
    return [
        timezone.localtime(operation.effective_at),
        timezone.localdate(operation.effective_at),
        operation.posting_id,
        str(operation.kind.label),
        wording.title(operation),
        wording.explanation(operation),
        wording.order_number(operation),
        str(line.bucket.label),
        line.points,
        last_day,
        line.available_after,
    ]
