"""Shops with keys, at noon."""

import pytest
import time_machine

from accounts.models import Member
from orders.models import Source
from tests.clock import NOON
from tests.loyalty.points import earn
from tests.orders.api.calls import Call, calls
from tests.orders.api.shops import Shop


@pytest.fixture
def at_noon():
    """The API reads the clock itself: let it be noon for it too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def noon(shop) -> Shop:
    """A shop that may do everything."""
    return Shop(shop)


@pytest.fixture
def dusk(db) -> Shop:
    """Another shop."""
    return Shop(Source.objects.create(code="dusk", name="Сумерки"))


@pytest.fixture
def sandbox(db) -> Shop:
    """A source for trying things out, apart from all that is live."""
    return Shop(Source.objects.create(code="sandbox", name="Песочница", is_sandbox=True))


@pytest.fixture
def world(at_noon, noon, ada) -> dict[str, Call]:
    """Ada with 500 points, an order that she has paid, and one that she has not; a call of each operation."""
    earn(ada, 500)
    noon.sell("A-paid", ada, "2000.00")
    noon.place("A-new", ada, "1000.00", points=100)
    return calls(ada.number)


@pytest.fixture
def stranger(ben: Member, dusk: Shop, world: dict[str, Call]) -> str:
    """The number of an order that Ben has paid at the other shop, on the same day."""
    return str(dusk.sell("D-paid", ben, "7777.77")["number"])
