"""The texts people read: all of them in both languages, and in the tone of the house."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from babel.messages.pofile import read_po
from django.core import mail
from django.test import Client
from django.utils import translation

from accounts.letters import compose_letter
from accounts.models import Member
from accounts.services.waiting_letters import send_waiting_letters
from accounts.wording import template_name, words_of
from dev.check_messages import PROJECT, problems
from loyalty.models import Transfer
from loyalty.services.blocking import block_member, freeze_token
from loyalty.services.transfers import reverse_transfer, take_back_transfer
from orders.models import Scope
from orders.services.api_keys import create_key
from referrals.models import Flag, How
from referrals.services import Click, attach_inviter, code_of, count_visit, decide_flags
from tests.accounts.telling import FACTS, told
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, give, give_back, hold, spend, take_back
from tests.pages import Page
from tests.supervisor.given import doubted, gift, invited_by

LANGUAGES = ("ru", "en")
CATALOGUE = PROJECT / "locale" / "ru" / "LC_MESSAGES" / "django.po"
# Attributes that are read to somebody, or shown.
READ_ATTRIBUTES = ("alt", "aria-label", "data-label", "placeholder", "title")
# Addresses are the same in every language.
ADDRESS = re.compile(r"\S+@\S+|https?://\S+")
ENGLISH_SENTENCE = re.compile(r"[A-Za-z][A-Za-z’'-]*(?:,? [A-Za-z][A-Za-z’'-]*){3,}")
# “г.” stands for the year, and closes a sentence by itself.
DOUBLE_STOP = re.compile(r"г\.\s*\.")
CYRILLIC_WORD = re.compile(r"[А-Яа-яЁё]+")

ENTRANCE = (
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-nothing/",
    "/accounts/inactive/",
    "/invite/conditions/",
    "/r/ZZZZ9999/",
    "/transfer/not-me/nothing/",
    "/nowhere/",
)
CABINET = (
    "/",
    "/operations/",
    "/operations/?kind=earned&sign=plus&search=nothing",
    "/operations/?since=2026-02-30",
    "/orders/",
    "/messages/",
    "/api/problems",
    "/profile/",
    "/profile/name/",
    "/profile/email/",
    "/profile/phone/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/transfer/",
    "/invite/",
    "/invite/new-link/",
    "/invite/conditions/",
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
        # A date ends with a full stop of its own.
        r"%\((?:day|since|until|credited)\)s\.",
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


def test_transfers_speak_one_language(ada, ben, client_of):
    """The page that asks, with each proof and each refusal, and both sides' receipts before and after."""
    earn(ada, 1_000)
    earn(ada, 500, until=NOON.date())
    publish_edition(
        ("✓", 0),
        transfer_cooling_hours=24,
        transfer_minimum_points=2,
        transfer_day_limit_points=1_400,
        transfer_month_limit_points=1_450,
    )
    for language in LANGUAGES:
        client, theirs = in_language(client_of(ada), language), in_language(client_of(ben), language)
        check = client.post("/transfer/", {"recipient": ben.number, "points": "600"})["Location"]
        given = f"/transfer/done/{gift(ada, ben, 5).number}/"
        wrong = client.post(check, {"password": "wrong"})
        asked = [
            client.get("/transfer/"),
            client.get(check),
            wrong,
            client.post(f"{check}code/", follow=True),
        ]
        refused = [
            client.post("/transfer/", {"recipient": recipient, "points": points})
            for recipient, points in [("?", "1"), (ada.number, "2"), (ben.email, "1401"), ("+7", "1e3")]
        ]
        receipts = [client.get(given), theirs.get(given), client.get(f"{given}take-back/")]
        ended = [client.post(f"{given}take-back/", follow=True), theirs.get(given)]
        not_me = client.get(f"/transfer/not-me/{freeze_token(Transfer.objects.latest('pk').number)}/")
        for response in (*asked, *refused, *receipts, *ended, not_me, theirs.get("/transfer/")):
            assert foreign_in(Page(response), language) == [], (language, response.request["PATH_INFO"])


def test_invitations_speak_one_language(ada, ben, client_of, paid):
    """The inviter's page with friends in it, and what a friend reads on arriving and on signing up."""
    code = code_of(member=ada, at=NOON)
    attach_inviter(inviter=ada, invited=ben, since_at=NOON, how=How.LINK)
    count_visit(click=Click(token=uuid4(), code=code.code, clicked_at=NOON), at=NOON)
    paid(ben, 20_000)
    for language in LANGUAGES:
        for address in ("/invite/", f"/r/{code.code}/"):
            assert foreign_words(in_language(client_of(ada), language), address, language) == [], language
        friend = in_language(Client(), language)
        for address in (f"/r/{code.code}/", "/accounts/signup/"):
            assert foreign_words(friend, address, language) == [], (language, address)


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


def test_console_of_transfers_and_invitations_speaks_one_language(ada, ben, sue, client_of):
    earn(ada, 300)
    transfer, ended = gift(ada, ben, 100), gift(ada, ben, 50)
    reverse_transfer(transfer=ended, reason="✓", at=NOON, actor_id=sue.pk)
    block_member(member=ben, at=NOON, actor_id=sue.pk, reason="✓")
    doubt, decided = invited_by(ada, ben), invited_by(ben, ada)
    doubted(doubt, *Flag.Kind)
    doubted(decided)
    decide_flags(referral=decided, decision=Flag.Decision.FINE, reason="✓", at=NOON, actor_id=sue.pk)
    of_transfers = [
        f"/console/transfers/{part}"
        for part in (
            "",
            "?number=1000000001",
            "?number=1",
            f"{transfer.number}/",
            f"{ended.number}/",
            f"{transfer.number}/reverse/",
            f"{transfer.number}/sender/block/",
            f"{transfer.number}/recipient/unblock/",
        )
    ]
    of_invitations = [
        f"/console/invitations/{part}" for part in ("", f"{doubt.pk}/", f"{decided.pk}/", "attach/")
    ]
    for language in LANGUAGES:
        client = in_language(client_of(sue), language)
        for address in (*of_transfers, *of_invitations):
            assert foreign_words(client, address, language) == [], (language, address)
        for address in (of_transfers[5], of_invitations[1], of_invitations[3]):
            assert foreign_in(Page(client.post(address, {})), language) == [], (language, address)
        check = client.post(of_invitations[3], {"invited": ben.number, "inviter": ada.number})
        assert foreign_in(Page(check), language) == [], language


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_of_messages_speak_one_language(ada, language):
    Member.objects.filter(pk=ada.pk).update(language=language)
    messages = [told(ada, kind) for kind in FACTS]

    # What nobody wants by letter, or is not true of Ada by now, is written all the same.
    with translation.override(language):
        letters = [
            compose_letter(
                template=template_name(message), to=[ada.email], context=words_of(message, ada, fresh={})
            )
            for message in messages
        ]

    for letter in letters:
        assert foreign_in_text(f"{letter.subject}\n{letter.body}", language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_and_messages_of_transfers_speak_one_language(ada, ben, client_of, language):
    Member.objects.update(language=language)
    publish_edition(("✓", 0), transfer_cooling_hours=24)
    earn(ada, 100)
    take_back_transfer(transfer=gift(ada, ben, 10), at=NOON, actor_id=None)
    reverse_transfer(transfer=gift(ada, ben, 20), reason="✓", at=NOON, actor_id=1)

    assert send_waiting_letters(at=NOON) == 8

    for letter in mail.outbox:
        assert foreign_in_text(f"{letter.subject}\n{letter.body}", language) == []
    for member in (ada, ben):
        assert foreign_words(in_language(client_of(member), language), "/messages/", language) == []


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
    for kind in FACTS:
        told(ada, kind)


def in_language(client: Client, language: str) -> Client:
    client.cookies["django_language"] = language
    return client


def foreign_words(client: Client, address: str, language: str) -> list[str]:
    """What the page says in the other language, and dates in Russian that end with two full stops."""
    response = client.get(address)
    assert response.status_code in (200, 403, 404), response
    return foreign_in(Page(response), language)


def foreign_in(page: Page, language: str) -> list[str]:
    return foreign_in_text("\n".join([page.text, *page.values(*READ_ATTRIBUTES)]), language)


def foreign_in_text(text: str, language: str) -> list[str]:
    said = ADDRESS.sub("", text)
    if language == "ru":
        return [*ENGLISH_SENTENCE.findall(said), *DOUBLE_STOP.findall(said)]
    names = {"Русский", "Ада", "Бен", "Иванова", "Смирнов", "Сью", "Орлова", "Стан", "Козлов"}
    names |= {"И", "С", "Полдень"}
    return [word for word in CYRILLIC_WORD.findall(said) if word not in names]
