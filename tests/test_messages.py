"""The texts people read: all of them in both languages, and in the tone of the house."""

import re
from datetime import timedelta

import pytest
import time_machine
from babel.messages.pofile import read_po
from django.core import mail
from django.test import Client

from dev.check_messages import PROJECT, problems
from loyalty.models import Tier
from orders.models import Scope
from orders.services.api_keys import create_key
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.points import earn, give, give_back, hold, spend, take_back
from tests.pages import Page

LANGUAGES = ("ru", "en")
CATALOGUE = PROJECT / "locale" / "ru" / "LC_MESSAGES" / "django.po"
# Attributes that are read to somebody, or shown.
READ_ATTRIBUTES = ("alt", "aria-label", "data-label", "placeholder", "title")
# Addresses are the same in every language.
ADDRESS = re.compile(r"\S+@\S+|https?://\S+")
ENGLISH_SENTENCE = re.compile(r"[A-Za-z][A-Za-z’'-]*(?:,? [A-Za-z][A-Za-z’'-]*){3,}")
CYRILLIC_WORD = re.compile(r"[А-Яа-яЁё]+")

ENTRANCE = (
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-nothing/",
    "/accounts/inactive/",
    "/nowhere/",
)
CABINET = (
    "/",
    "/operations/",
    "/operations/?kind=earned&sign=plus&search=nothing",
    "/operations/?since=2026-02-30",
    "/orders/",
    "/api/problems",
    "/profile/",
    "/profile/name/",
    "/profile/email/",
    "/profile/phone/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/console/",
    "/nowhere/",
)


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


def test_every_text_is_translated():
    assert problems(PROJECT) == []


def test_russian_keeps_the_tone():
    """No shouting, no begging, no blame; no-break spaces and guillemets where they belong."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="ru")
    texts = [
        text
        for message in catalogue
        if message.id
        for text in (message.string if isinstance(message.string, tuple) else [message.string])
    ]

    for unwanted in (
        r"!",
        r"(?i)пожалуйста|упс|некорректн|недопустим|невалидн|юзер|(?<!\w)емейл",
        r"(?<![.?»] )(?<!^)\b(?:Вы|Вас|Вам|Ваш\w*)\b",
        r"№ ",
        r"[“”„]",
        r" %(?![(%])",
    ):
        assert [text for text in texts if re.search(unwanted, text)] == [], unwanted


@pytest.mark.parametrize("address", ENTRANCE)
def test_entrance_speaks_one_language(db, address):
    for language in LANGUAGES:
        assert foreign_words(in_language(Client(), language), address, language) == [], language


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"])
def test_refusals_speak_one_language(db, address):
    typed = {"login": "nobody@example.com", "password": "wrong", "password1": "1234", "email": "nobody"}
    for language in LANGUAGES:
        response = in_language(Client(), language).post(address, typed)
        assert response.status_code == 200
        assert foreign_in(Page(response), language) == [], language


def test_cabinet_speaks_one_language(ada, ben, client_of, paid, placed):
    """Every page of a member to whom everything has happened, each operation's own page included."""
    live(ada, ben, paid, placed)
    for language in LANGUAGES:
        client = in_language(client_of(ada), language)
        lists = ("/", "/operations/", "/orders/")
        linked = {href for page in lists for href in Page(client.get(page)).hrefs()}
        details = sorted(href for href in linked if re.fullmatch(r"/(operations|orders)/\d+/", href))
        points = [f"{href}points/" for href in details if href.startswith("/orders/")]
        assert len(details) >= 12
        assert len(points) >= 2
        for address in (*CABINET, *details, *points):
            assert foreign_words(client, address, language) == [], (language, address)


def test_cabinet_of_a_newcomer_speaks_one_language(ada, client_of):
    for language in LANGUAGES:
        for address in ("/", "/operations/", "/orders/", "/profile/"):
            assert foreign_words(in_language(client_of(ada), language), address, language) == []


def test_console_speaks_one_language(sue, shop, client_of):
    key = create_key(source=shop, name="Web", scopes=list(Scope), at=NOON).key
    keys = [
        f"/console/keys/{part}"
        for part in ("", "new/", f"{key.public_id}/replace/", f"{key.public_id}/revoke/")
    ]
    for language in LANGUAGES:
        for address in ("/console/", *keys):
            client = in_language(client_of(sue), language)
            assert foreign_words(client, address, language) == [], (language, address)


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_and_the_page_for_the_code_speak_one_language(ada, language):
    joining = {"first_name": "Eve", "password1": "a long pass phrase", "agrees_to_programme": "on"}
    for email in ("eve@example.com", ada.email):
        client = in_language(Client(), language)
        arrived = client.post("/accounts/signup/", {**joining, "email": email}, follow=True)
        assert arrived.redirect_chain[-1][0] == "/accounts/confirm-email/"
        assert foreign_in(Page(arrived), language) == []
    for email in ("nobody@example.com", ada.email):
        in_language(Client(), language).post("/accounts/password/reset/", {"email": email})

    assert len(mail.outbox) == 4
    for letter in mail.outbox:
        assert foreign_in_text(f"{letter.subject}\n{letter.body}", language) == []


def live(ada, ben, paid, placed) -> None:
    """A bit of everything that an operation can be."""
    paid(ada, 5_000)
    placed(ada, 900)
    earn(ada, 700, available_at=TOMORROW_NOON)
    credit_id = earn(ada, 400, until=NOON.date() + timedelta(days=8))
    spending_id = spend(ada, 250)
    give_back(spending_id, 100)
    hold(ada, 60)
    give(ada, ben, 120)
    give(ben, ada, 20)
    take_back(credit_id, 400)
    earn(ada, 35)


def in_language(client: Client, language: str) -> Client:
    client.cookies["django_language"] = language
    return client


def foreign_words(client: Client, address: str, language: str) -> list[str]:
    """What the page says in the other language."""
    response = client.get(address)
    assert response.status_code in (200, 403, 404), response
    return foreign_in(Page(response), language)


def foreign_in(page: Page, language: str) -> list[str]:
    return foreign_in_text("\n".join([page.text, *page.values(*READ_ATTRIBUTES)]), language)


def foreign_in_text(text: str, language: str) -> list[str]:
    said = ADDRESS.sub("", text)
    if language == "ru":
        return ENGLISH_SENTENCE.findall(said)
    names = {"Русский", "Ада", "Бен", "Иванова", "Смирнов", "И", "С", "Полдень"}
    names.update(word for name in Tier.objects.values_list("name", flat=True) for word in name.split())
    return [word for word in CYRILLIC_WORD.findall(said) if word not in names]
