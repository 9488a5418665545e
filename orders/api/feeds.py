"""Lists that one can go on reading: a page, and the place where it ends."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from orders.api.errors import BadCursor
from orders.api.types import Count, Moment, Question

MOST_ITEMS = 200
USUAL_ITEMS = 50
# No id and no version comes near it, and the database can still count on from it.
LARGEST_NUMBER = 2**62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Feed(Question):
    """Where a list begins and how much of it is wanted."""

    changed_since: Moment | None = Field(None, description="Only what was recorded after this moment.")
    cursor: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The place where an earlier answer ended."
    )
    limit: Count = Field(USUAL_ITEMS, ge=1, le=MOST_ITEMS)


def place_of(*numbers: int) -> str:
    """The cursor of a place that these numbers name."""
    return urlsafe_b64encode(".".join(map(str, numbers)).encode()).decode().rstrip("=")


def numbers_of(cursor: str, *, count: int) -> list[int]:
    """The numbers behind a cursor.

    Raises:
        BadCursor: no answer has named it.
    """
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        numbers = [int(part) for part in text.split(".")]
    except ValueError as error:
        raise BadCursor from error
    if (
        len(numbers) != count
        or place_of(*numbers) != cursor
        or not all(0 <= number <= LARGEST_NUMBER for number in numbers)
    ):
        raise BadCursor
    return numbers


def moment_number(moment: datetime) -> int:
    """A moment as a whole number, to the microsecond."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(number: int) -> datetime:
    """The moment behind a number of `moment_number`.

    Raises:
        BadCursor: there is no such moment.
    """
    try:
        return EPOCH + number * MICROSECOND
    except OverflowError as error:
        raise BadCursor from error
