"""Rows as files that spreadsheets open: CSV that Excel reads, and workbooks."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils import translation
from django.utils.formats import get_format
from django.utils.http import content_disposition_header
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from loyalty.templatetags.numbers import in_language

# A Decimal is a sum with kopecks.
Cell = datetime | date | int | Decimal | str
Row = Sequence[Cell]

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A sheet holds 1 048 576 rows; a longer file goes on in another one.
ROWS_PER_SHEET = 1_000_000
# A spreadsheet takes a text that begins so for a formula.
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
SUM_FORMAT = "#,##0.00"
CSV_DAY_FORMATS = {"ru": "%d.%m.%Y", "en": "%Y-%m-%d"}


def csv_parts(headings: Row, batches: Iterator[Sequence[Row]], *, language: str) -> Iterator[bytes]:
    """The file as a server sends it bit by bit: UTF-8 with a mark for Excel, semicolons between cells.

    Each part of the rows is asked for and written in that language.
    """
    with translation.override(language):
        yield "\ufeff".encode() + _csv([headings])
    while True:
        # Whoever takes the parts may have done something else in between, in another language.
        with translation.override(language):
            rows = next(batches, None)
            if rows is None:
                return
            part = _csv(rows)
        yield part


def xlsx_file(
    *, title: str, headings: Sequence[str], widths: Sequence[int], batches: Iterable[Sequence[Row]]
) -> IO[bytes]:
    """The same rows as a workbook, with numbers and days that a spreadsheet counts with.

    `widths` are those of the columns, in characters.
    """
    book = Workbook(write_only=True)
    sheet, left_rows = _sheet(book, title, headings, widths), ROWS_PER_SHEET
    for rows in batches:
        for row in rows:
            if not left_rows:
                sheet, left_rows = _sheet(book, title, headings, widths), ROWS_PER_SHEET
            sheet.append([_sheet_cell(sheet, value) for value in row])
            left_rows -= 1
    file = TemporaryFile()  # noqa: SIM115  # the response closes it
    book.save(file)
    file.seek(0)
    return file


def csv_answer(parts: Iterable[bytes], *, name: str) -> StreamingHttpResponse:
    """The parts of a CSV file as what a view answers; `name` has no ending."""
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.csv")
    return StreamingHttpResponse(
        parts, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


def xlsx_answer(file: IO[bytes], *, name: str) -> FileResponse:
    """A workbook as what a view answers; `name` has no ending."""
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)


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
        case Decimal():
            return f"{value:.2f}".replace(".", get_format("DECIMAL_SEPARATOR"))
        case str():
            return f"'{value}" if value.startswith(FORMULA_BEGINS) else value
    return value


def _sheet(book: Workbook, title: str, headings: Sequence[str], widths: Sequence[int]) -> Any:
    """A new sheet, with its headings in bold above what scrolls."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    cells = [_sheet_cell(sheet, text) for text in headings]
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
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, Decimal):
        cell.number_format = SUM_FORMAT
    return cell
