"""Tiers with an English name: English pages say it, facts keep both names, old facts the one they have."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from accounts.models import Message
from accounts.services.waiting_letters import send_waiting_letters
from accounts.wording import message_cards, plain_text
from loyalty.models import Entry, Posting, Purpose, RuleSet, Tier
from loyalty.queries.rules import leaves_period_at, tiers_of
from loyalty.rules_wording import Difference, difference_in_words
from loyalty.services import ledger
from loyalty.services.recount import recount_standings
from loyalty.services.rules import copy_edition, specs_of
from loyalty.services.tier_warnings import tell_tiers_at_risk
from referrals.models import How
from referrals.services import attach_inviter
from tests.accounts.telling import told
from tests.clock import AN_HOUR_LATER, NOON
from tests.loyalty.editions import draft_edition, in_both_languages, publish_edition, tier_spec
from tests.loyalty.points import NEW_YEAR, new_key
from tests.loyalty.standings import count
from tests.orders.api.shops import Shop
from tests.pages import opened

RUSSIAN = re.compile("Бронза|Серебр|Баллы за заказы|дегустации")
ENGLISH = re.compile("Bronze|Silver|Points for orders|Tastings")


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def edition(db) -> RuleSet:
    """Бронза or Bronze from 0, Серебро or Silver from 10 000, and Бриллиант, which has no English name."""
    return publish_edition(*in_both_languages())


@pytest.fixture
def browser_of(client_of):
    """Gives a browser that reads that language."""

    def signed_in(person, language: str) -> Client:
        client = client_of(person)
        client.cookies["django_language"] = language
        return client

    return signed_in


def addresses(ada) -> list[str]:
    """Every page of hers that names a tier."""
    operations = Entry.objects.filter(account_id=ada.pk).values_list("posting_id", flat=True).distinct()
    orders = ada.orders.values_list("pk", flat=True)
    return [
        *("/", "/why/", "/operations/", "/orders/", "/messages/", "/rules/", "/invite/", "/card/"),
        "/invite/conditions/",
        *(f"/operations/{number}/" for number in operations),
        *(f"/orders/{number}/" for number in orders),
    ]


def test_no_page_of_the_cabinet_mixes_the_names(ada, ben, edition, paid, browser_of):
    attach_inviter(inviter=ada, invited=ben, since_at=NOON, how=How.LINK)
    paid(ada, 3_000)
    paid(ada, 12_000)
    paid(ben, 4_000)

    for language, own, other in (("en", ENGLISH, RUSSIAN), ("ru", RUSSIAN, ENGLISH)):
        client = browser_of(ada, language)
        texts = {address: opened(client, address).text for address in addresses(ada)}
        assert {address for address, text in texts.items() if other.search(text)} == set()
        named = {address for address, text in texts.items() if own.search(text)}
        assert {"/", "/why/", "/operations/", "/messages/", "/rules/", "/card/"} <= named


def test_pages_say_the_name_where_there_is_no_english_one(ada, edition, paid, browser_of):
    paid(ada, 12_000)

    text = opened(browser_of(ada, "en"), "/").text

    assert "Tier Silver" in text
    assert "more to the tier “Бриллиант”" in text


def test_an_earning_keeps_both_names(ada, edition, paid):
    paid(ada, 12_000)
    paid(ada, 10_000)

    first, second = (one.explanation for one in Posting.objects.filter(kind="credit").order_by("pk"))

    assert (first["tier"], first["tier_en"]) == ("Серебро", "Silver")
    # A tier without an English name has one name alone.
    assert (second["tier"], "tier_en" in second) == ("Бриллиант", False)


def test_what_was_written_before_there_were_english_names_shows_the_name(ada, edition, browser_of):
    said = {"edition": 1, "tier": "Серебро", "coefficient": "0.05", "base_sum": "100.00", "rounding": "down"}
    note = ledger.Note(purpose=Purpose.ORDER, explanation=said)
    posting_id = ledger.credit(
        key=new_key(), account_id=ada.pk, points=5, at=NOON, expires_on=NEW_YEAR, note=note
    ).posting_id
    told(ada, "tier_changed", tier="Серебро")

    english = browser_of(ada, "en")

    assert "(Серебро" in opened(english, f"/operations/{posting_id}/").text
    assert "(Серебро" in opened(english, "/operations/").text
    assert "You have reached the tier “Серебро”" in opened(english, "/messages/").text


def test_messages_keep_both_names_whoever_tells_them(ada, ben, edition, paid):
    """An order tells of the tier by the service, the recount in SQL."""
    paid(ada, 12_000)
    count(ben, 12_000)
    earned = Message.objects.get(member=ada)
    new = publish_edition(
        tier_spec("Бронза", 0, name_en="Bronze"),
        tier_spec("Серебро", 15_000, name_en="Argent"),
        effective_at=NOON,
    )
    Message.objects.exclude(pk=earned.pk).delete()

    recount_standings(rule_set=new, at=AN_HOUR_LATER)

    names = ("tier", "tier_en", "from_tier", "from_tier_en")
    assert [earned.facts[name] for name in names] == ["Серебро", "Silver", "Бронза", "Bronze"]
    fallen = Message.objects.get(member=ben)
    assert [fallen.facts[name] for name in names] == ["Бронза", "Bronze", "Серебро", "Silver"]
    assert fallen.facts["missing_sum"] == "3000.00"
    with translation.override("en"):
        (card,) = message_cards([fallen], ben)
        assert card.title == "Your tier is now “Bronze”"
        assert "bring the tier “Silver” back" in plain_text(card)
    with translation.override("ru"):
        (card,) = message_cards([fallen], ben)
        assert not ENGLISH.search(card.title + plain_text(card))


@pytest.mark.parametrize("active", ["ru", "en"])
def test_a_letter_is_in_the_language_of_its_reader(ada, ben, active):
    """Whatever language the worker has been speaking."""
    rolling = publish_edition(*in_both_languages(), paid_sum_months=6)
    long_before = NOON - timedelta(days=160)
    ada.language = "en"
    ada.save(update_fields=["language"])
    count(ada, 12_000, at=long_before)
    count(ben, 12_000, at=long_before, order_id=2)
    at = leaves_period_at(rolling, long_before) - timedelta(days=3)
    Message.objects.all().delete()

    tell_tiers_at_risk(at=at)
    with translation.override(active):
        send_waiting_letters(at=at)

    letters = {letter.to[0]: f"{letter.subject}\n{letter.body}" for letter in mail.outbox}
    assert {"Silver", "Bronze"} <= set(ENGLISH.findall(letters["ada@example.com"]))
    assert not RUSSIAN.search(letters["ada@example.com"])
    assert not ENGLISH.search(letters["ben@example.com"])


def test_files_of_operations_speak_one_language(ada, edition, paid, browser_of):
    paid(ada, 12_000)

    for language, own, other in (("en", ENGLISH, RUSSIAN), ("ru", RUSSIAN, ENGLISH)):
        response = browser_of(ada, language).get("/operations/operations.csv")
        assert response.status_code == 200
        text = b"".join(response.streaming_content).decode("utf-8-sig")
        assert own.search(text)
        assert not other.search(text)


def test_the_api_gives_both_names(ada, edition, shop):
    tier = Shop(shop).balance(ada)["tier"]

    assert (tier["name"], tier["name_en"]) == ("Бронза", "Bronze")
    assert (tier["next_name"], tier["next_name_en"]) == ("Серебро", "Silver")


def test_a_copy_of_an_edition_has_its_english_texts(edition, sue):
    draft = copy_edition(copy_of=edition, at=NOON, drafted_by=sue)

    assert specs_of(draft) == specs_of(edition) == list(in_both_languages())


def test_colleagues_read_of_both_texts_and_members_of_their_own(db):
    before = draft_edition(*in_both_languages())
    after = draft_edition(
        tier_spec("Бронза", 0, name_en="Copper", gives="Баллы за заказы", gives_en="Points for all"),
        tier_spec("Сталь", 10_000, name_en="Silver", gives="Ещё и дегустации", gives_en="Tastings, too"),
        tier_spec("Бриллиант", 20_000),
    )

    with translation.override("en"):
        assert difference_in_words(before, after) == [
            Difference("Tier “Bronze”: name in English", "Bronze", "Copper"),
            Difference("Tier “Copper”: what it gives, in English", "Points for orders", "Points for all"),
            Difference("Tier “Silver”: name", "Серебро", "Сталь"),
        ]
        assert difference_in_words(before, after, is_for_members=True) == [
            Difference("Tier “Bronze”: name", "Bronze", "Copper"),
            Difference("Tier “Copper”: what it gives", "Points for orders", "Points for all"),
        ]
    with translation.override("ru"):
        (difference,) = difference_in_words(before, after, is_for_members=True)
        assert (difference.before, difference.after) == ("Серебро", "Сталь")


def test_the_first_edition_has_english_names(db):
    first = RuleSet.objects.get(number=1)

    assert [(tier.name, tier.name_en) for tier in tiers_of(first)] == [
        ("Базовый", "Basic"),
        ("Серебро", "Silver"),
        ("Золото", "Gold"),
    ]


def test_the_database_keeps_english_names_apart(db):
    draft = draft_edition()
    draft.tiers.filter(position=0).update(name_en="One")

    with pytest.raises(IntegrityError, match="tier_has_its_english_name"), transaction.atomic():
        draft.tiers.filter(position=1).update(name_en="One")

    assert list(Tier.objects.filter(rule_set=draft).values_list("name_en", flat=True)) == ["One", "", ""]
