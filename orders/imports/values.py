"""The cells of an order file, turned into values or refused with what was expected."""

import re
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from django.utils.translation import gettext as _

from orders.errors import LARGEST_SUM

KOPECK = Decimal("0.01")
# What people and spreadsheets put between groups of three digits.
GROUP_MARKS = re.compile(r"(?<=\d)[ \u00a0\u202f'](?=\d{3})")
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
# What fits into numeric(14, 2) with room to spare: longer than any sum that is let through.
LONGEST_NUMBER = 40


class BadValue(Exception):
    """A cell that cannot be what it should be; `expected` says what was expected instead."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


def text_of(cell: str, most_letters: int | None) -> str:
    """The text of a cell without the space around it.

    Raises:
        BadValue: it is too long, or has a character that no text has.
    """
    text = cell.strip()
    if "\x00" in text:
        raise BadValue(_("text without the character NUL"))
    if most_letters is not None and len(text) > most_letters:
        raise BadValue(_("at most %(count)s letters") % {"count": most_letters})
    return text


def sum_of(text: str, decimal_mark: str) -> Decimal:
    """The sum, with two decimals; groups of digits may be apart, zeros may follow.

    Raises:
        BadValue: it is no number, or no sum that an order can have.
    """
    digits = GROUP_MARKS.sub("", text).replace(decimal_mark, ".")
    if len(digits) > LONGEST_NUMBER or not NUMBER.fullmatch(digits):
        raise BadValue(_("a sum, such as 1234%(mark)s50, without a currency") % {"mark": decimal_mark})
    value = Decimal(digits)
    if value < 0:
        raise BadValue(_("a sum that is not negative: returned goods are no order"))
    if value > LARGEST_SUM:
        raise BadValue(_("at most %(largest)s") % {"largest": LARGEST_SUM})
    in_kopecks = value.quantize(KOPECK)
    if in_kopecks != value:
        raise BadValue(_("at most two decimals"))
    return in_kopecks


@lru_cache(maxsize=20_000)
def moment_of(text: str, date_format: str, zone: tzinfo) -> datetime:
    """The moment; a date alone, also where the format has a time, is the beginning of that day in the zone.

    Raises:
        BadValue: it is not written in that format, or as ISO 8601 where there is none.
    """
    if date_format and " " in date_format and " " not in text:
        written = date_format.partition(" ")[0]
    else:
        written = date_format
    try:
        moment = datetime.strptime(text, written) if written else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError as error:
        example = datetime(2026, 12, 31, 18, 30).strftime(date_format or "%Y-%m-%d %H:%M")  # noqa: DTZ001
        raise BadValue(_("a date, written like %(example)s") % {"example": example}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
