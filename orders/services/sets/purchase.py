"""An order that is paid as it is placed, ready to be counted and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from phonenumber_field.modelfields import PhoneNumberField

from orders.models import Outlet
from orders.queries.figures import LineSpec


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order without points spent on it. `person` is its member, or None while it is nobody's.

    Someone who is about to become a member may have a number below 0 while nothing is written.
    Sums have two decimals, as the database keeps them.
    """

    person: int | None
    number: str
    paid_at: datetime
    total_sum: Decimal
    delivery_sum: Decimal
    outlet: Outlet | None
    lines: Sequence[LineSpec] = ()
    customer_email: str | None = None
    customer_phone: str | None = None


@lru_cache(maxsize=2_000)
def stored_phone(phone: str) -> str:
    """A phone as the database keeps it; reading one takes longer than all else about an order."""
    stored: str = PhoneNumberField().get_prep_value(phone)
    return stored
