"""The rows of an order file that cannot be taken: the first to be shown, and all of them as a file."""

import csv
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from loyalty.spreadsheets import FORMULA_BEGINS
from orders.imports.rows import BadRow

SHOWN_BAD_ROWS = 20
HEADINGS = ("row", "field", "found", "expected")


class BadRows:
    """Counts bad rows, keeps the first, and writes all of them to a file if there is to be one.

    `open_file` is called when there is something to write. The file is a table with a row for each;
    a text that a spreadsheet would take for a formula has an apostrophe before it. `name_of` gives the
    name that a field has in it.
    """

    def __init__(
        self,
        open_file: Callable[[], TextIO] | None = None,
        *,
        separator: str = ",",
        headings: Sequence[str] = HEADINGS,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self.count = 0
        self.first: list[BadRow] = []
        self.name_of = name_of
        self.headings = headings
        self.is_written = open_file is not None
        self._open_file = open_file
        self._separator = separator
        self._writer: Any = None

    def add(self, row: BadRow) -> None:
        """Keep one."""
        if self._open_file:
            if self._writer is None:
                self._writer = csv.writer(self._open_file(), delimiter=self._separator)
                self._writer.writerow(self.headings)
            cells = (self.name_of(row.field), row.found, row.expected)
            self._writer.writerow((row.row, *(escaped(cell) for cell in cells)))
        self.count += 1
        if len(self.first) < SHOWN_BAD_ROWS:
            self.first.append(row)


def escaped(cell: str) -> str:
    """The text as a spreadsheet shows it, and reckons nothing with it."""
    return f"'{cell}" if cell.startswith(FORMULA_BEGINS) else cell


def unescaped(cell: str) -> str:
    """The text as it was before `escaped`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_BEGINS) else cell
