"""What stands in the API's bodies: sums as text, points as whole numbers, moments with their offset."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from unicodedata import category
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

SUM_PATTERN = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$"
QUANTITY_PATTERN = r"^(?!0(\.0{1,3})?$)(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?$"
ID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
# As RFC 3339 has it, but the seconds may be left out. Python alone would take much more.
MOMENT_PATTERN = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)"
MOST_POINTS = 999_999_999
FIRST_YEAR, LAST_YEAR = 2000, 9998
# Control characters and halves of characters, which no page and no database takes.
UNREADABLE = {"Cc", "Cs"}
MOST_SHOWN_LETTERS = 100
# The address of what is done to an order ends so: the order's own address must not.
STEPS = ("/pay", "/refund", "/cancel")
# Of a number in an address: no control characters, in the words of JSON Schema.
READABLE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]+$"


class Answer(Schema):
    """What the API says."""

    model_config = ConfigDict(extra="forbid")


class Question(BaseModel):
    """What the API is asked; a field that it does not know is refused.

    Ninja's own schema would read everything twice, once more on each level: eight times a batch's lines.
    """

    model_config = ConfigDict(extra="forbid")


def expected(sentence: str | Promise) -> PydanticCustomError:
    """The refusal of a value; `sentence` says what was expected instead."""
    return PydanticCustomError("expected", "{sentence}", {"sentence": str(sentence)})


def _sum(value: Any) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(SUM_PATTERN, value, re.ASCII):
        raise expected(_("A sum as text with at most two decimals, such as “4990.00”."))
    return Decimal(value)


def _quantity(value: Any) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(QUANTITY_PATTERN, value, re.ASCII):
        raise expected(_("A quantity above 0 as text with at most three decimals, such as “1” or “0.350”."))
    return Decimal(value)


def _moment(value: Any) -> datetime:
    sentence = _("A moment with its offset, such as “2026-11-22T12:00:00+03:00”.")
    if not isinstance(value, str) or not re.fullmatch(MOMENT_PATTERN, value, re.ASCII):
        raise expected(sentence)
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise expected(sentence) from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise expected(sentence)
    # Python knows offsets of nearly a day, PostgreSQL of no more than 16 hours.
    return moment.astimezone(UTC)


def _day(value: Any) -> date:
    sentence = _("A day, such as “2026-11-22”.")
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise expected(sentence)
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise expected(sentence) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise expected(sentence)
    return day


def _count(value: Any) -> Any:
    # Pydantic would also read “+5”, “5.0” and “5_0”.
    if isinstance(value, str) and not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise expected(_("A whole number."))
    return value


def _id(value: Any) -> UUID:
    # Python would also read one in braces, in capitals or without hyphens.
    if not isinstance(value, str) or not re.fullmatch(ID_PATTERN, value, re.ASCII):
        raise expected(_("An id as an answer has named it."))
    return UUID(value)


def _line(value: str) -> str:
    """The text in one line: every white space, of whatever kind and number, is one space."""
    line = " ".join(value.split())
    if not line or any(category(letter) in UNREADABLE for letter in line):
        raise expected(_("Text that can be read, not empty and without control characters."))
    return line


def _order_number(value: str) -> str:
    if value in (".", "..") or value.endswith(STEPS):
        raise expected(
            _("A number that is not “.” or “..” and does not end with: %(steps)s.")
            % {"steps": ", ".join(STEPS)}
        )
    return value


def shown(text: str) -> str:
    """A text of the caller's as an answer may repeat it: not too long, with signs for unreadable letters."""
    cut = text if len(text) <= MOST_SHOWN_LETTERS else text[: MOST_SHOWN_LETTERS - 1] + "…"
    return "".join("�" if category(letter) in UNREADABLE else letter for letter in cut)


def local_text(moment: datetime) -> str:
    """A moment in the programme's time zone, with its offset."""
    return timezone.localtime(moment, timezone.get_default_timezone()).isoformat()


# Sums are text, since a JSON number is a binary fraction for many a reader.
Sum = Annotated[
    Decimal,
    BeforeValidator(_sum),
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": SUM_PATTERN, "examples": ["4990.00"]}),
]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity),
    PlainSerializer(lambda value: f"{value:.3f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": QUANTITY_PATTERN, "examples": ["1"]}),
]
Rate = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.4f}", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["0.0500"], "description": "A share: 0.0500 is 5 %."}),
]
# A sum that may be below zero, as what a day's refunds bring.
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["4990.00"]}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(local_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T12:00:00+03:00"]}),
]
# A moment as the API says it: in the programme's time zone.
SaidAt = Annotated[
    datetime,
    PlainSerializer(local_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T12:00:00+03:00"]}),
]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-22"]}),
]
Id = Annotated[
    UUID,
    BeforeValidator(_id),
    WithJsonSchema(
        {"type": "string", "pattern": ID_PATTERN, "examples": ["4f0c6d3e-6f3a-4c58-9d3b-0a4c1f0b7d11"]}
    ),
]
# A whole number in an address, where everything is text.
Count = Annotated[int, BeforeValidator(_count)]
Points = Annotated[StrictInt, Field(ge=0, le=MOST_POINTS)]
Flag = StrictBool

Text = Annotated[str, StringConstraints(strict=True, min_length=1), AfterValidator(_line)]
Text50 = Annotated[Text, Field(max_length=50)]
Text100 = Annotated[Text, Field(max_length=100)]
Text200 = Annotated[Text, Field(max_length=200)]
OrderNumber = Annotated[Text100, AfterValidator(_order_number)]
