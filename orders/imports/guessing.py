"""What an order file seems to be, from its first rows: for a person to look at and to change."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from accounts.contacts import normalise_email, normalise_phone
from accounts.errors import AccountsError
from orders.imports.mapping import PERSON_FIELDS, SEPARATORS, ColumnMapping
from orders.imports.values import BadValue, moment_of, sum_of

LOOKED_AT_BYTES = 65_536
LOOKED_AT_ROWS = 20
# Formats of dates from the most to the least usual; the empty one is ISO 8601.
DATE_FORMATS = (
    "",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%y",
    "%d.%m.%y %H:%M",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y",
    "%d-%m-%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y%m%d",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
)
# How the columns of a field are called, as a whole or in part; what is told apart better stands first.
NAMES = {
    "email": ("email", "e-mail", "mail", "почта", "эл. адрес"),
    "phone": ("phone", "mobile", "телефон", "моб"),
    "first_name": ("first name", "firstname", "first_name", "имя"),
    "last_name": ("last name", "lastname", "last_name", "surname", "фамилия"),
    "outlet": ("outlet", "store", "shop", "branch", "магазин", "точка", "филиал", "касса", "склад"),
    "delivery": ("delivery", "shipping", "доставк"),
    "paid_at": ("paid", "date", "дата", "время", "time", "оплачен", "created"),
    "total": ("total", "sum", "amount", "price", "сумма", "итого", "стоимость", "к оплате", "всего"),
    "customer": ("customer", "client", "buyer", "user", "клиент", "покупател", "карта", "card", "контрагент"),
    "number": ("order", "number", "receipt", "заказ", "номер", "чек", "№", "id"),
}
# Of columns that are counted, not named: how many of their cells must be such a value.
CERTAIN_SHARE = 0.8
LEAST_PHONE_DIGITS = 10
DECIMAL_COMMA = re.compile(r"\d,\d{1,2}$")


def guess_mapping(
    path: Path, *, encoding: str = "", separator: str = "", has_header: bool | None = None
) -> ColumnMapping:
    """How the file seems to be written, and what its columns seem to be, by their places.

    What is given is known, and only the rest is guessed; where nothing can be, it is the usual. The
    file may be anything: nothing is raised but what the disk says.
    """
    with path.open("rb") as file:
        first_bytes = file.read(LOOKED_AT_BYTES)
    encoding = encoding or _encoding(first_bytes)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(first_bytes).lstrip("\ufeff")
    is_cut = len(first_bytes) == LOOKED_AT_BYTES
    separator, rows = _table(text, [separator] if separator else list(SEPARATORS), is_cut=is_cut)
    mapping = ColumnMapping(encoding=encoding, separator=separator, has_header=has_header is not False)
    if not rows or len(rows[0]) < 2:
        return mapping
    if has_header is None:
        has_header = not any(_is_value(cell) for cell in rows[0])
    filled = rows[1:] if has_header else rows
    columns = [[row[place].strip() for row in filled if place < len(row)] for place in range(len(rows[0]))]
    fields = _by_names(rows[0]) if has_header else {}
    _add_by_values(fields, columns)
    return replace(
        mapping,
        has_header=has_header,
        columns={field: place + 1 for field, place in sorted(fields.items(), key=lambda item: item[1])},
        date_format=_date_format(columns[fields["paid_at"]]) if "paid_at" in fields else "",
        decimal=_decimal(columns[fields["total"]]) if "total" in fields else ".",
    )


def _encoding(first_bytes: bytes) -> str:
    if first_bytes.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        # The last letter may be cut in the middle.
        codecs.getincrementaldecoder("utf-8")().decode(first_bytes)
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8"


def _table(text: str, separators: Sequence[str], *, is_cut: bool) -> tuple[str, list[list[str]]]:
    """The separator that makes the most of the rows alike, and the rows; a cut one is left out."""
    best, best_rows, best_score = separators[0], [], (0.0, 0)
    for name in separators:
        rows = _rows(text, name, is_cut=is_cut)
        if not rows or len(rows[0]) < 2:
            continue
        alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        # Spaces stand in texts, too: they separate columns only where nothing else does.
        score = (round(alike, 1), 0 if name == "whitespace" else len(rows[0]))
        if score > best_score:
            best, best_rows, best_score = name, rows, score
    return best, best_rows


def _rows(text: str, separator: str, *, is_cut: bool) -> list[list[str]]:
    mark = SEPARATORS[separator]
    found: list[list[str]] = []
    lines = io.StringIO(text, newline="")
    try:
        reader = (line.split() for line in lines) if mark == " " else csv.reader(lines, delimiter=mark)
        for cells in reader:
            if any(cells):
                found.append(cells)
            if len(found) > LOOKED_AT_ROWS:
                return found[:-1]
    except csv.Error:
        return found
    return found[:-1] if is_cut else found


def _by_names(header: Sequence[str]) -> dict[str, int]:
    """The place of each field that a header names; whole names come before parts."""
    names = [cell.strip().casefold() for cell in header]
    found: dict[str, int] = {}
    for is_match in (str.__eq__, str.__contains__):
        for field, words in NAMES.items():
            for place, name in enumerate(names):
                if (
                    field not in found
                    and place not in found.values()
                    and any(is_match(name, w) for w in words)
                ):
                    found[field] = place
    return found


def _add_by_values(fields: dict[str, int], columns: Sequence[Sequence[str]]) -> None:
    """Fields that are missing and that columns without a known name seem to be."""
    missing: dict[str, Callable[[str], bool]] = {
        "paid_at": _is_moment,
        "email": _is_email,
        "phone": _is_phone,
    }
    if any(field in fields for field in PERSON_FIELDS):
        missing = {"paid_at": _is_moment}
    for field, is_such in (*missing.items(), ("total", _is_sum)):
        if field in fields:
            continue
        free = [place for place in range(len(columns)) if place not in fields.values()]
        # A sum is likely to be the last number, a moment the first one.
        for place in reversed(free) if field == "total" else free:
            if _share(columns[place], is_such) >= CERTAIN_SHARE:
                fields[field] = place
                break


def _share(cells: Sequence[str], is_such: Callable[[str], bool]) -> float:
    return sum(map(is_such, cells)) / len(cells) if cells else 0.0


def _date_format(cells: Sequence[str]) -> str:
    return max(DATE_FORMATS, key=lambda written: _share(cells, lambda cell: _is_written(cell, written)))


def _decimal(cells: Sequence[str]) -> str:
    return "," if any(DECIMAL_COMMA.search(cell) for cell in cells) else "."


def _is_value(cell: str) -> bool:
    """Whether it is something that stands in a row and in no header."""
    text = cell.strip()
    return bool(text) and (_is_moment(text) or _is_sum(text) or _is_email(text) or _is_phone(text))


def _is_moment(text: str) -> bool:
    return any(_is_written(text, written) for written in DATE_FORMATS)


def _is_written(text: str, date_format: str) -> bool:
    try:
        at = moment_of(text, date_format, timezone.get_default_timezone())
    except (BadValue, OverflowError):
        return False
    # Eight digits are a day of our days or a number.
    return datetime(1970, 1, 2, tzinfo=at.tzinfo) <= at <= timezone.now().astimezone(at.tzinfo)


def _is_sum(text: str) -> bool:
    for mark in (".", ","):
        try:
            sum_of(text, mark)
        except BadValue:
            continue
        return True
    return False


def _is_email(text: str) -> bool:
    try:
        normalise_email(text)
    except AccountsError:
        return False
    return True


def _is_phone(text: str) -> bool:
    try:
        normalise_phone(text)
    except AccountsError:
        return False
    return len(re.sub(r"\D", "", text)) >= LEAST_PHONE_DIGITS
