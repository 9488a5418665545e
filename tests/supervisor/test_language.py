"""Every page of the console, and the member's pages that came with it, speak one language at a time."""

import re

import pytest
import time_machine
from django.http import HttpResponse
from django.urls import reverse

from tests.clock import NOON
from tests.pages import Page
from tests.supervisor.test_rights import (  # noqa: F401  (fixtures: everything that an address may lead to)
    ADDRESSES,
    FILE,
    RIGHTS,
    arguments,
    asks_to_adjust,
    found,
    given,
    sold,
    token,
    undone,
    uploaded,
)
from tests.test_messages import LANGUAGES, foreign_in, in_language

# What was entered in Russian stays in it: reasons, names of sources and of people.
ENTERED = {
    "Первые",
    "правила",
    "программы",
    "Продажи",
    "зарегистрированные",
    "сотрудниками",
    "Мария",
    "П",
    "Петрова",
}
# Where rules are written and shown as they are kept, tiers have their names in both languages.
TIERS = {"Базовый", "Серебро", "Золото"}
WRITTEN = re.compile(r"/console/editions/(drafts/)?\d+/$")
READ_BY_SUPERVISORS = [
    address
    for address in ADDRESSES
    if "GET" in RIGHTS[address.name].methods and RIGHTS[address.name].methods != FILE
]


@pytest.fixture(autouse=True)
def noon():
    """Previews hold for a day: let it stay noon."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_one_language(sue, client_of, found, language):  # noqa: F811
    client = in_language(client_of(sue), language)
    mixed = {}
    for address in READ_BY_SUPERVISORS:
        path = reverse(address.name, kwargs=found(address, "supervisor"))
        with undone():
            response = client.get(path, follow=True)
        if not response.streaming and (words := left_over(response, language)):
            mixed[path] = words
    assert mixed == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refused_form_speaks_one_language(sue, client_of, found, language):  # noqa: F811
    client = in_language(client_of(sue), language)
    mixed = {}
    for address in READ_BY_SUPERVISORS:
        if "POST" not in RIGHTS[address.name].methods:
            continue
        path = reverse(address.name, kwargs=found(address, "supervisor"))
        with undone():
            response = client.post(path, {}, follow=True)
        if words := left_over(response, language):
            mixed[path] = words
    assert mixed == {}


def left_over(response: HttpResponse, language: str) -> list[str]:
    """What a page says in the other language, without what people have entered."""
    entered = ENTERED | TIERS if WRITTEN.match(response.request["PATH_INFO"]) else ENTERED
    return [word for word in foreign_in(Page(response), language) if word not in entered]
