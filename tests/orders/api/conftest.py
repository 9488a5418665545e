"""Shops with keys, at noon."""

import pytest
import time_machine

from accounts.models import Member
from orders.models import Source
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.orders.api.calls import Call, calls
from tests.orders.api.giving import check, give, publish_alike
from tests.orders.api.shops import Shop

CLEO_PHONE = "+79261112233"


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
def ann(db) -> Member:
    """A member who gives points to others."""
    return MemberFactory(has_login=True, first_name="Анна", last_name="Ильина", user__email="ann@example.com")


@pytest.fixture
def cleo(db) -> Member:
    """A member who gets points from others."""
    return MemberFactory(
        has_login=True,
        first_name="Клео",
        last_name="Зуева",
        user__email="cleo@example.com",
        phone=CLEO_PHONE,
        phone_verified_at=NOON,
    )


@pytest.fixture
def cooling(db) -> None:
    """Transfers may be taken back for a day."""
    publish_alike(transfer_cooling_hours=24)


@pytest.fixture
def world(at_noon, noon, ada, ann, cleo, cooling) -> dict[str, Call]:
    """A call of each operation in a world where all of them succeed.

    Ada has 500 points, an order that she has paid and one that she has not. Ann has given 100 of her
    500 points to Cleo, and has checked another transfer to her.
    """
    earn(ada, 500)
    noon.sell("A-paid", ada, "2000.00")
    noon.place("A-new", ada, "1000.00", points=100)
    earn(ann, 500)
    made = give(noon, ann, cleo, 100)
    return calls(
        ada.number,
        giver=ann.number,
        receiver=cleo.number,
        check=check(noon, ann, cleo, 50)["id"],
        transfer=made["number"],
    )


@pytest.fixture
def stranger(ben: Member, dusk: Shop, world: dict[str, Call]) -> str:
    """The number of an order that Ben has paid at the other shop, on the same day."""
    return str(dusk.sell("D-paid", ben, "7777.77")["number"])
