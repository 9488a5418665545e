"""The console and tiers with an English name: both are entered and shown, and no page mixes them."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from accounts.models import AuditRecord
from loyalty.models import RuleSet
from loyalty.services.rules import specs_of
from supervisor.queries.imports import figures_of
from supervisor.services.tiers import set_tier
from tests.clock import NOON, YESTERDAY_NOON
from tests.loyalty.editions import draft_edition, in_both_languages, publish_edition
from tests.pages import Page, opened
from tests.supervisor.edition_forms import computed, draft_address, filled, signed_in
from tests.supervisor.uploads import try_out, work_on

RUSSIAN = re.compile("Бронза|Серебр|Баллы за заказы|дегустации")
ENGLISH = re.compile("Bronze|Silver|Points for orders|Tastings")
SPOKEN = (("en", ENGLISH, RUSSIAN), ("ru", RUSSIAN, ENGLISH))


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def edition(db) -> RuleSet:
    """Бронза or Bronze from 0, Серебро or Silver from 10 000, and Бриллиант, which has no English name."""
    return publish_edition(*in_both_languages(), effective_at=YESTERDAY_NOON)


@pytest.fixture
def client(edition, sue, client_of) -> Client:
    """The supervisor's browser, in English."""
    return signed_in(client_of, sue)


def stricter() -> RuleSet:
    """A draft by which Silver begins later."""
    bronze, silver, last = in_both_languages()
    return draft_edition(bronze, replace(silver, threshold_sum=Decimal(12_000)), last)


def test_both_texts_are_entered_and_kept(client, sue):
    draft = draft_edition()
    sent = filled(client, draft_address(draft)) | {
        "tier-0-name": "Бронза",
        "tier-0-name_en": " Bronze ",
        "tier-0-gives": "Баллы за заказы",
        "tier-0-gives_en": "Points for orders",
    }

    assert client.post(draft_address(draft), sent).status_code == 302

    first, *others = specs_of(RuleSet.objects.get(pk=draft.pk))
    assert (first.name, first.name_en) == ("Бронза", "Bronze")
    assert (first.gives, first.gives_en) == ("Баллы за заказы", "Points for orders")
    # The others are left as they were.
    assert [(one.name, one.name_en, one.gives_en) for one in others] == [("Silver", "", ""), ("Gold", "", "")]
    assert filled(client, draft_address(draft))["tier-0-name_en"] == "Bronze"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("silver", "Another tier has this name already."),
        ("x" * 51, "Shorten the name: it may have at most 50 letters."),
    ],
)
def test_a_wrong_english_name_is_refused_at_its_field(client, typed, sentence):
    draft = draft_edition()
    sent = filled(client, draft_address(draft)) | {"tier-2-name_en": typed}

    refused = client.post(draft_address(draft), sent)

    page = Page(refused)
    assert refused.status_code == 422
    assert f"Tier 3, Name in English: {sentence}" in page.text
    assert page.hrefs(href="#id_tier-2-name_en") == ["#id_tier-2-name_en"]
    # It is not hidden behind its summary.
    assert any(tag == "details" and "open" in found for tag, found in page.tags)
    assert [spec.name_en for spec in specs_of(draft)] == ["", "", ""]


def test_a_row_that_is_added_and_one_left_out_keep_what_was_typed(client):
    draft = draft_edition()
    typed = filled(client, draft_address(draft)) | {"tier-1-name_en": "Argent", "tier-1-gives_en": "Tea"}

    page = client.post(draft_address(draft), typed | {"do": "leave_out-1"})

    assert "The tier “Argent” is left out when you save." in Page(page).text
    client.cookies["django_language"] = "ru"
    assert "«Silver»" in Page(client.post(draft_address(draft), typed | {"do": "leave_out-1"})).text


def test_the_edition_page_shows_both(client, edition):
    english = opened(client, f"/console/editions/{edition.number}/").text
    client.cookies["django_language"] = "ru"
    russian = opened(client, f"/console/editions/{edition.number}/").text

    assert "Silver Tastings, too In Russian: Серебро Ещё и дегустации" in english
    assert "Серебро Ещё и дегустации На английском: Silver Tastings, too" in russian


def test_no_other_page_of_the_console_mixes_the_names(ada, ben, edition, paid, sue, client_of):
    paid(ada, 11_000)
    order = paid(ben, 4_000)
    set_tier(member=ben, position=1, reason="Promised", at=NOON, by=sue)
    preview = computed(stricter(), sue)
    addresses = [
        "/console/",
        "/console/members/",
        f"/console/members/{ada.number}/",
        f"/console/members/{ben.number}/",
        f"/console/members/{ben.number}/tier/",
        f"/console/members/{ada.number}/operations/",
        f"/console/orders/{order.pk}/",
        f"/console/editions/previews/{preview.pk}/",
        "/console/journal/",
        f"/console/find/?q={ben.number}",
    ]

    for language, own, other in SPOKEN:
        client = signed_in(client_of, sue)
        client.cookies["django_language"] = language
        texts = {address: opened(client, address).text for address in addresses}
        assert {address for address, text in texts.items() if other.search(text)} == set()
        assert {address for address, text in texts.items() if own.search(text)} >= set(addresses[:5])
        for path in ("members/members.csv", f"editions/previews/{preview.pk}/members.csv"):
            response = client.get(f"/console/{path}")
            text = b"".join(response.streaming_content).decode("utf-8-sig")
            assert own.search(text), path
            assert not other.search(text), path


def test_the_preview_tells_tiers_apart_by_name_and_shows_the_english_ones(ada, paid, sue, client):
    paid(ada, 11_000)

    page = opened(client, f"/console/editions/previews/{computed(stricter(), sue).pk}/").text

    assert "Silver → Bronze" in page
    assert "Now ↓ then → BronzeSilverБриллиант Together" in page
    assert "Tier “Silver”: paid sum from 10,000\u00a0₽ 12,000\u00a0₽" in page


def test_the_journal_keeps_both_names(ada, edition, sue, client):
    set_tier(member=ada, position=1, reason="Promised", at=NOON, by=sue)

    record = AuditRecord.objects.get(action="tier_set")

    assert record.facts == {"position": 1, "tier": "Серебро", "tier_en": "Silver"}
    assert "Not below “Silver”" in opened(client, "/console/journal/").text


def test_who_falls_reads_the_names_in_their_language(ada, edition, paid, sue, client):
    paid(ada, 11_000)
    preview = computed(stricter(), sue)

    read = opened(client, f"/console/editions/previews/{preview.pk}/publish/").text

    assert "your tier becomes “Bronze”" in read
    assert "«Бронза»" in read


def test_an_import_says_the_tiers_in_the_language_of_who_looks(upload, edition, sue):
    import_file = upload()
    run = work_on(try_out(import_file, sue).dry_run)

    for language, names in (
        ("en", ["Bronze", "Silver", "Бриллиант"]),
        ("ru", ["Бронза", "Серебро", "Бриллиант"]),
    ):
        with translation.override(language):
            assert [name for name, _count in figures_of(run).tiers] == names

    # Reports of earlier days have no English names.
    run.result.pop("english_tiers")
    with translation.override("en"):
        assert [name for name, _count in figures_of(run).tiers] == ["Бронза", "Серебро", "Бриллиант"]
