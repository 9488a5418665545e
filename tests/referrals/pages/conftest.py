"""Browsers of people who are not signed in, and a clock that stands at noon."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client

from tests.clock import NOON


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Pages read the clock themselves: it is noon until a test moves it on."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def visitor(db) -> Callable[[], Client]:
    """Gives a browser in which nobody is signed in, of somebody who reads English."""

    def browser() -> Client:
        client = Client()
        client.cookies["django_language"] = "en"
        return client

    return browser


@pytest.fixture
def browser_of(client_of) -> Callable[..., Client]:
    """Gives a browser in which that person is signed in and reads English."""

    def browser(person) -> Client:
        client = client_of(person)
        client.cookies["django_language"] = "en"
        return client

    return browser
