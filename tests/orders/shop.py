"""A shop, and small words for orders in it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import count

import pytest

from accounts.models import Member
from loyalty.queries.balance import Balance, balance
from orders.models import Order, Source
from orders.services.orders import place_order, register_paid_order
from tests.clock import NOON


@pytest.fixture
def shop(db) -> Source:
    """Where the orders come from."""
    return Source.objects.create(code="noon", name="Полдень")


@pytest.fixture
def paid(shop) -> Callable[..., Order]:
    """A paid order of a member, with the next number unless one is given."""
    numbers = count(1)

    def order(
        member: Member | None, total: int | str | Decimal, at: datetime = NOON, **more: object
    ) -> Order:
        more.setdefault("number", f"A-{next(numbers)}")
        return register_paid_order(source=shop, member=member, total_sum=Decimal(total), paid_at=at, **more)

    return order


@pytest.fixture
def placed(shop) -> Callable[..., Order]:
    """An unpaid order of a member."""
    numbers = count(1)

    def order(
        member: Member | None, total: int | str | Decimal, at: datetime = NOON, **more: object
    ) -> Order:
        more.setdefault("number", f"N-{next(numbers)}")
        return place_order(source=shop, member=member, total_sum=Decimal(total), placed_at=at, **more)

    return order


def balance_of(member: Member, at: datetime = NOON) -> Balance:
    """A member's balance at a moment."""
    return balance(account_id=member.pk, at=at)
