"""Uploaded files of orders as the console shows them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, cast

from django.utils.translation import gettext_lazy as _

from accounts.facts import in_language
from orders.imports.bad_rows import SHOWN_BAD_ROWS, unescaped
from orders.imports.errors import WrongSeparator
from orders.imports.mapping import ColumnMapping
from orders.imports.rows import first_rows
from orders.models import Outlet, Source
from supervisor.errors import FileGone, TooManyColumns
from supervisor.models import ImportFile, JobRun
from supervisor.queries.pages import ListPage, Sorting, list_page

SHOWN_ROWS = 10
SHOWN_LETTERS = 60
MOST_COLUMNS = 60
# As every file that people of the console open in a spreadsheet.
BAD_ROWS_SEPARATOR = ";"
BAD_ROWS_ENCODING = "utf-8-sig"

NEWEST_FIRST = Sorting(is_descending=True)
Outcome = JobRun.Outcome


@dataclass(frozen=True)
class ImportRow:
    """An upload in one line: how far it is, how that stands out, and how many orders came of it."""

    import_file: ImportFile
    state: object
    tone: str
    new_orders: int | None


@dataclass(frozen=True)
class Figures:
    """What a dry run says, or what an import did."""

    new_orders: int
    known_orders: int
    bad_rows: int
    new_members: int
    settled_members: int
    points: int
    total_sum: Decimal
    first_at: datetime | None
    last_at: datetime | None
    tiers: Sequence[tuple[str, int]]
    has_gone_on: bool


@dataclass(frozen=True)
class ShownBadRow:
    """A row that cannot be taken: where, what was found there, and what was expected."""

    row: str
    field: str
    found: str
    expected: str


def imports_page(*, before: int | None = None, after: int | None = None) -> ListPage[ImportFile]:
    """A page of the uploads, the newest first."""
    files = ImportFile.objects.select_related("uploaded_by", "dry_run", "import_run")
    return list_page(files, sorting=NEWEST_FIRST, before=before, after=after)


def import_rows(page: ListPage[ImportFile]) -> list[ImportRow]:
    """The lines of a page; no query."""
    return [_row(import_file) for import_file in page.rows]


def path_of(import_file: ImportFile) -> Path:
    """Where the file is.

    Raises:
        FileGone: it is not kept any more.
    """
    path = Path(import_file.file.path) if import_file.file else None
    if path is None or not path.is_file():
        raise FileGone
    return path


def shown_rows(import_file: ImportFile, mapping: ColumnMapping) -> list[list[str]]:
    """The first rows of the file, each as wide as the first, long cells cut.

    Raises:
        FileGone: it is not kept any more.
        TooManyColumns: they are no table that somebody wrote.
        WrongSeparator: they are no table at all.
        ImportRefused: the file cannot be read by this mapping.
    """
    limit = SHOWN_ROWS + mapping.has_header
    rows = first_rows(path_of(import_file), mapping, limit=limit)
    width = len(rows[0])
    if width == 1:
        raise WrongSeparator(_cut(rows[0][0]), None)
    if width > MOST_COLUMNS:
        raise TooManyColumns(width, MOST_COLUMNS)
    return [[_cut(cell) for cell in (row + [""] * width)[:width]] for row in rows]


def figures_of(run: JobRun | None) -> Figures | None:
    """What came of a dry run or an import that has come to its end; None of another."""
    if run is None or run.outcome != Outcome.DONE:
        return None
    result = cast(Mapping[str, Any], run.result)
    english = result.get("english_tiers", {})
    return Figures(
        new_orders=result["new_orders"],
        known_orders=result["known_orders"],
        bad_rows=result["bad_rows"],
        new_members=result["new_members"],
        settled_members=result["settled_members"],
        points=result["points"],
        total_sum=Decimal(result["total_sum"]),
        first_at=_moment(result["first_at"]),
        last_at=_moment(result["last_at"]),
        tiers=[(in_language(name, english.get(name, "")), count) for name, count in result["tiers"]],
        has_gone_on=result["has_gone_on"],
    )


def shown_bad_rows(import_file: ImportFile) -> list[ShownBadRow]:
    """The first rows that could not be taken, in the language of whoever asked; none without a file."""
    if not import_file.bad_rows or not Path(import_file.bad_rows.path).is_file():
        return []
    with import_file.bad_rows.open("rb") as file:
        text = TextIOWrapper(file, encoding=BAD_ROWS_ENCODING, newline="")
        rows = csv.reader(text, delimiter=BAD_ROWS_SEPARATOR)
        return [ShownBadRow(*map(unescaped, row)) for row in islice(rows, 1, SHOWN_BAD_ROWS + 1)]


def live_sources() -> list[Source]:
    """The sources that real orders come from, by their names."""
    return list(Source.objects.filter(is_sandbox=False).order_by("name", "code"))


def outlets_of_live_sources() -> list[Outlet]:
    """The outlets of those sources, by source and name."""
    outlets = Outlet.objects.filter(source__is_sandbox=False).select_related("source")
    return list(outlets.order_by("source__name", "source__code", "name", "pk"))


def _row(import_file: ImportFile) -> ImportRow:
    trial, run = import_file.dry_run, import_file.import_run
    new_orders = None
    tone = ""
    if run is not None:
        if run.outcome == Outcome.DONE:
            state, tone, new_orders = _("imported"), "good", run.result.get("new_orders")
        elif run.is_over:
            state, tone, new_orders = _("stopped"), "bad", run.result.get("least_new_orders")
        else:
            state = _("being imported")
    elif trial is None:
        state = _("columns not chosen yet")
    elif trial.outcome == Outcome.DONE:
        state = _("tried out")
    elif trial.is_over:
        state, tone = _("dry run stopped"), "bad"
    else:
        state = _("being tried out")
    return ImportRow(import_file, state, tone, new_orders)


def _cut(cell: str) -> str:
    text = cell.strip()
    return text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 1] + "…"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
