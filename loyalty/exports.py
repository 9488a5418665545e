"""A member's operations as a file: one row for each entry, the newest first, as the list has them."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from tempfile import TemporaryFile
from typing import IO, Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]

from loyalty import wording
from loyalty.models import Bucket
from loyalty.queries.filters import OperationFilter
from loyalty.queries.lines import OperationLine, operation_lines
from loyalty.queries.operations import Operation, operations_page
from loyalty.templatetags.numbers import in_language

Cell = datetime | date | int | str
Row = Sequence[Cell]

# So many operations are read at a time: a file of any length takes the memory of one such part.
BATCH_OPERATIONS = 1000
# A sheet holds 1 048 576 rows; a longer file goes on in another one.
ROWS_PER_SHEET = 1_000_000
# A spreadsheet takes a text that begins so for a formula.
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
CSV_DAY_FORMATS = {"ru": "%d.%m.%Y", "en": "%Y-%m-%d"}
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
    """The file as a server sends it bit by bit: UTF-8 with a mark for Excel, semicolons between cells."""
    with translation.override(language):
        yield "\ufeff".encode() + _csv([headings()])
    found = batches(account_id=account_id, filters=filters)
    while True:
        # Whoever takes the parts may have done something else in between, in another language.
        with translation.override(language):
            rows = next(found, None)
            if rows is None:
                return
            part = _csv(rows)
        yield part


def xlsx_file(*, account_id: int, filters: OperationFilter) -> IO[bytes]:
    """The same rows as a workbook, with numbers and days that a spreadsheet counts with."""
    book = Workbook(write_only=True)
    sheet, left_rows = _sheet(book), ROWS_PER_SHEET
    for rows in batches(account_id=account_id, filters=filters):
        for row in rows:
            if not left_rows:
                sheet, left_rows = _sheet(book), ROWS_PER_SHEET
            sheet.append([_sheet_cell(sheet, value) for value in row])
            left_rows -= 1
    file = TemporaryFile()  # noqa: SIM115  # the response closes it
    book.save(file)
    file.seek(0)
    return file


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


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([_csv_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _csv_cell(value: Cell) -> str | int:
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.strftime(in_language(CSV_DAY_FORMATS))
        case str():
            return f"'{value}" if value.startswith(FORMULA_BEGINS) else value
    return value


def _sheet(book: Workbook) -> Any:
    """A new sheet, with its headings in bold above what scrolls."""
    sheet = book.create_sheet(_("Operations"))
    sheet.freeze_panes = "A2"
    for index, width in enumerate(SHEET_WIDTHS):
        sheet.column_dimensions[chr(ord("A") + index)].width = width
    cells = [_sheet_cell(sheet, text) for text in headings()]
    for cell in cells:
        cell.font = Font(bold=True)
    sheet.append(cells)
    return sheet


def _sheet_cell(sheet: Any, value: Cell) -> WriteOnlyCell:
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        # Whatever it begins with, it is a text and no formula.
        cell.data_type = "s"
        return cell
    if isinstance(value, datetime):
        # A spreadsheet knows no zones: the clock is the programme's, as everywhere else.
        value = value.replace(tzinfo=None, microsecond=0)
    return WriteOnlyCell(sheet, value)
