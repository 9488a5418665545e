"""An order as it is sent among many, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Member
from loyalty.errors import LoyaltyError
from orders.models import Order, Outlet
from orders.queries.figures import LineSpec


@dataclass(frozen=True, kw_only=True)
class PaidOrder:
    """An order that was paid as it was placed, as `register_paid_order` takes it."""

    number: str
    total_sum: Decimal
    paid_at: datetime
    member: Member | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    outlet: Outlet | None = None
    delivery_sum: Decimal = Decimal(0)
    lines: Sequence[LineSpec] = ()
    points: int = 0


@dataclass(frozen=True)
class Registered:
    """What became of an order: it is there, and new or known before; or it was refused, and why."""

    order: Order | None
    is_new: bool
    refusal: LoyaltyError | None


def refused(refusal: LoyaltyError) -> Registered:
    """The outcome of an order that changed nothing."""
    return Registered(None, is_new=False, refusal=refusal)


def known(order: Order) -> Registered:
    """The outcome of an order that was registered before with the same content."""
    return Registered(order, is_new=False, refusal=None)


def new(order: Order) -> Registered:
    """The outcome of an order that is registered now."""
    return Registered(order, is_new=True, refusal=None)
