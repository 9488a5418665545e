"""Reads an order file row by row: each is an order, or says what is wrong with it."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TextIO

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.contacts import normalise_email, normalise_phone
from accounts.errors import AccountsError
from orders.imports.errors import (
    BrokenTable,
    FileEmpty,
    FileUnreadable,
    NotText,
    WrongEncoding,
    WrongSeparator,
)
from orders.imports.mapping import PERSON_FIELDS, SEPARATORS, ColumnMapping
from orders.imports.values import BadValue, moment_of, sum_of, text_of

FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
# As long as the columns of the tables they go to; a contact may stand for the customer's id.
TEXT_LENGTHS = {"number": 100, "customer": 100, "first_name": 100, "last_name": 100, "outlet": 100}
PEEKED_BYTES = 4096
# A line without an end is no row: it must not be read into memory as a whole.
MOST_LINE_LETTERS = 1_000_000
SHOWN_LETTERS = 60
# The letters of made-up numbers: none that is taken for another one, in 12 of 32 letters.
NUMBER_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 12


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order of a file. `row` counts from 1, the header included.

    Without a column for it, `number` is made from what stands in the row; rows that are equal to
    the letter get the same one here, and are told apart by those who see them all. `customer` is
    the source's own id, or the contact where the file has no such column.
    """

    row: int
    number: str
    customer: str
    paid_at: datetime
    total_sum: Decimal
    delivery_sum: Decimal
    email: str | None
    phone: str | None
    first_name: str
    last_name: str
    outlet: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong in a row: in which field, what was found there, and what was expected."""

    row: int
    field: str
    found: str
    expected: str


def read_rows(path: Path, mapping: ColumnMapping, *, latest_at: datetime) -> Iterator[OrderRow | BadRow]:
    """Every row of the file, one at a time; orders after `latest_at` are wrong.

    Raises:
        ImportRefused: the file as a whole cannot be read by this mapping.
    """
    with _opened(path, mapping.encoding) as file:
        records = _records(file, mapping)
        first = next(records, None)
        if first is None:
            raise FileEmpty
        _check_separator(first[1], mapping)
        header = first[1] if mapping.has_header else None
        columns_count = len(first[1])
        parser = _Parser(mapping, mapping.positions(header, columns_count), columns_count, latest_at)
        is_empty = mapping.has_header
        if not mapping.has_header:
            yield parser.parse(*first)
        for number, cells in records:
            is_empty = False
            yield parser.parse(number, cells)
        if is_empty:
            raise FileEmpty


def first_rows(path: Path, mapping: ColumnMapping, *, limit: int) -> list[list[str]]:
    """The cells of the first rows that are not empty, the header included.

    Raises:
        ImportRefused: they cannot be read by this mapping.
    """
    with _opened(path, mapping.encoding) as file:
        found = [cells for _row, cells in islice(_records(file, mapping), limit)]
    if not found:
        raise FileEmpty
    return found


class _Parser:
    """Turns the cells of a row into an order, or into what is wrong with it."""

    def __init__(
        self, mapping: ColumnMapping, positions: dict[str, int], columns_count: int, latest_at: datetime
    ) -> None:
        self.mapping = mapping
        self.positions = positions
        self.columns_count = columns_count
        self.latest_at = latest_at
        self.zone = timezone.get_default_timezone()
        self.person_field = next(field for field in PERSON_FIELDS if field in positions)

    def parse(self, row: int, cells: Sequence[str]) -> OrderRow | BadRow:
        """The order in these cells, or the first thing that is wrong."""
        if len(cells) != self.columns_count:
            return BadRow(
                row,
                "",
                _shown(" | ".join(cells)),
                _("%(count)s columns, as in the first row") % {"count": self.columns_count},
            )
        field = ""
        values: dict[str, str] = {}
        try:
            for field, position in self.positions.items():
                values[field] = text_of(cells[position], TEXT_LENGTHS.get(field))
            field = "paid_at"
            paid_at = moment_of(values["paid_at"], self.mapping.date_format, self.zone)
            if paid_at < FIRST_MOMENT:
                raise BadValue(_("a date after 1970"))
            if paid_at > self.latest_at:
                raise BadValue(_("a date that is not in the future"))
            field = "total"
            total_sum = sum_of(values["total"], self.mapping.decimal)
            field = "delivery"
            delivery_sum = sum_of(values.get("delivery") or "0", self.mapping.decimal)
            if delivery_sum > total_sum:
                raise BadValue(_("no more than the total, which includes the delivery"))
            field = "email"
            email = _email(values["email"]) if values.get("email") else None
            field = "phone"
            phone = _phone(values["phone"]) if values.get("phone") else None
            field = self.person_field
            customer = values["customer"] if field == "customer" else email or phone or ""
            if not customer:
                raise BadValue(_("whose order it is"))
            if len(customer) > TEXT_LENGTHS["customer"]:
                raise BadValue(_("at most %(count)s letters") % {"count": TEXT_LENGTHS["customer"]})
            field = "number"
            if "number" in self.positions and not values["number"]:
                raise BadValue(_("a number, since the file has a column for it"))
        except BadValue as problem:
            found = cells[self.positions[field]] if field in self.positions else ""
            return BadRow(row, field, _shown(found.strip()), problem.expected)
        return OrderRow(
            row=row,
            number=values["number"] if "number" in self.positions else made_number(cells),
            customer=customer,
            paid_at=paid_at,
            total_sum=total_sum,
            delivery_sum=delivery_sum,
            email=email,
            phone=phone,
            first_name=values.get("first_name", ""),
            last_name=values.get("last_name", ""),
            outlet=values.get("outlet") or self.mapping.outlet,
        )


def made_number(cells: Sequence[str]) -> str:
    """A number for an order without one: always the same for the same cells."""
    content = "\x1f".join(cell.strip() for cell in cells).encode()
    digits = int.from_bytes(blake2b(content, digest_size=8).digest())
    letters = []
    for _place in range(NUMBER_LENGTH):
        digits, letter = divmod(digits, len(NUMBER_LETTERS))
        letters.append(NUMBER_LETTERS[letter])
    return "".join(letters)


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    try:
        with path.open("rb") as raw:
            first_bytes = raw.read(PEEKED_BYTES)
    except OSError as error:
        raise FileUnreadable(path, error.strerror or str(error)) from error
    if not first_bytes.strip():
        raise FileEmpty
    if first_bytes.startswith(b"PK\x03\x04") or (
        b"\x00" in first_bytes and not encoding.lower().startswith("utf-16")
    ):
        raise NotText
    # The mark at the beginning of some UTF-8 files belongs to no column.
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    with path.open(encoding=name, newline="") as file:
        yield file


def _records(file: TextIO, mapping: ColumnMapping) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its number."""
    row = 0
    separator = mapping.separator_character
    lines: Iterator[list[str]]
    if separator == " ":
        lines = (line.split() for line in _lines(file))
    else:
        lines = csv.reader(_lines(file), delimiter=separator, strict=True)
    try:
        for row, cells in enumerate(lines, start=1):
            if any(cells):
                yield row, cells
    except UnicodeError as error:
        raise WrongEncoding(mapping.encoding, row) from error
    except csv.Error as error:
        raise BrokenTable(row + 1) from error


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of the file.

    Raises:
        csv.Error: one is longer than any row is.
    """
    while line := file.readline(MOST_LINE_LETTERS):
        if len(line) == MOST_LINE_LETTERS and not line.endswith(("\r", "\n")):
            raise csv.Error("line is too long")
        yield line


def _check_separator(cells: list[str], mapping: ColumnMapping) -> None:
    if len(cells) > 1 or len(mapping.columns) == 1:
        return
    text = cells[0]
    counts = {name: text.count(mark) for name, mark in SEPARATORS.items() if name != "whitespace"}
    counts["whitespace"] = len(text.split()) - 1
    guess = max(counts, key=lambda name: (counts[name], name != "whitespace"))
    raise WrongSeparator(_shown(text), guess if counts[guess] else None)


@lru_cache(maxsize=20_000)
def _email(text: str) -> str:
    try:
        return normalise_email(text)
    except AccountsError as error:
        raise BadValue(_("an e-mail address, such as name@example.com")) from error


@lru_cache(maxsize=20_000)
def _phone(text: str) -> str:
    try:
        return normalise_phone(text)
    except AccountsError as error:
        raise BadValue(_("a phone number, such as +7 916 123-45-67")) from error


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 1] + "…"
