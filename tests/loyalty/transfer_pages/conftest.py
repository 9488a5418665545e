"""The people and the browsers of the stories: it is noon, and points can be taken back for a day."""

from collections.abc import Callable

import pytest
import time_machine
from django.test import Client

from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def edition(db):
    """Transfers can be taken back within a day."""
    return publish_edition(transfer_cooling_hours=24)


@pytest.fixture
def browser_of(client_of) -> Callable[..., Client]:
    """Gives a browser that reads English."""

    def signed_in(person) -> Client:
        client = client_of(person)
        client.cookies["django_language"] = "en"
        return client

    return signed_in


@pytest.fixture
def tab(ada, browser_of) -> Client:
    """What Ada sees in English; she has 2 000 points."""
    earn(ada, 2_000)
    return browser_of(ada)
