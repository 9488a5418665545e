"""The rules of the programme as members and everybody else read them."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.services.rules import create_draft, publish_rule_set, withdraw_rule_set
from tests.clock import NOON, TOMORROW_NOON, YESTERDAY_NOON
from tests.loyalty.editions import LONG_AGO, publish_edition
from tests.pages import Page

FIRST = (("Bronze", 0, "0.03"), ("Silver", 10_000, "0.05"))


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


def english() -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    return client


def opened(address: str = "/rules/", client: Client | None = None) -> Page:
    response = (client or english()).get(address)
    assert response.status_code == 200
    return Page(response)


def test_rules_are_public_and_linked_from_every_page(db):
    edition = publish_edition(*FIRST)

    page = opened()

    assert f"Edition {edition.number} of the rules, in force since" in page.text
    assert "/rules/" in Page(english().get("/accounts/login/")).hrefs()
    assert english().post("/rules/").status_code == 405


def test_rules_tell_what_each_tier_asks_and_gives(db):
    publish_edition(*FIRST)

    text = opened().text

    assert "Bronze 0\u00a0₽ 3%" in text
    assert "Silver 10,000\u00a0₽ 5%" in text
    assert "in the tier “Bronze” 3% come back, so an order of 1,000\u00a0₽ brings 30\u00a0points" in text


def test_rules_mark_the_members_own_tier(ada, paid, client_of):
    publish_edition(*FIRST)
    paid(ada, 12_000, at=YESTERDAY_NOON)
    client = client_of(ada)
    client.cookies["django_language"] = "en"

    assert re.search(r"Silver\s+your tier", opened(client=client).text)
    assert "your tier" not in opened().text


def test_rules_begin_with_five_lines_in_the_figures_of_the_reader(ada, paid, client_of):
    publish_edition(*FIRST, redemption_cap_rate=Decimal("0.3"))
    newcomer = opened().text
    assert (
        "You earn: 3% of what you pay comes back: an order of 1,000\u00a0₽ brings you 30\u00a0points."
        in newcomer
    )
    assert "up to 30% of an order: of 1,000\u00a0₽ up to 300\u00a0points." in newcomer
    assert "can be spent until the end of 31 March 2027." in newcomer
    assert "You begin with “Bronze”. Paid orders of 10,000\u00a0₽ bring “Silver”: 5% of each." in newcomer

    paid(ada, 12_000, at=YESTERDAY_NOON)
    client = client_of(ada)
    client.cookies["django_language"] = "en"
    own = opened(client=client).text
    assert "5% of what you pay comes back: an order of 1,000\u00a0₽ brings you 50\u00a0points." in own
    assert "“Silver” is the highest tier: 5% of every order." in own
    assert "in the tier “Silver” 5% come back, so an order of 1,000\u00a0₽ brings 50\u00a0points" in own


@pytest.mark.parametrize("anchor", ["earning", "spending", "expiry", "tiers", "friends", "transfers"])
def test_other_pages_can_point_at_each_part_of_the_rules(db, anchor):
    publish_edition(*FIRST)
    assert opened().values("id").count(anchor) == 1


def test_the_five_lines_lead_to_their_details(db):
    publish_edition(*FIRST)
    page = opened()
    wanted = [href for href in page.hrefs() if href.startswith("#") and href != "#main"]
    assert wanted == ["#earning", "#spending", "#expiry", "#tiers", "#friends"]


def test_a_past_edition_makes_no_promise_in_short(db):
    past = publish_edition(*FIRST, effective_at=NOON - timedelta(days=30))
    publish_edition(("Bronze", 0, "0.02"), effective_at=YESTERDAY_NOON)
    assert "You earn:" not in opened(f"/rules/{past.number}/").text


def test_rules_tell_what_changed_since_the_edition_before(db):
    before = publish_edition(*FIRST, effective_at=LONG_AGO)
    publish_edition(
        ("Bronze", 0, "0.03"), ("Silver", 15_000, "0.06"), effective_at=YESTERDAY_NOON, life_months=6
    )

    text = opened().text

    assert f"What changed since edition {before.number}" in text
    assert "Tier “Silver”: paid sum from 10,000\u00a0₽ 15,000\u00a0₽" in text
    assert "Tier “Silver”: of own orders 5% 6%" in text
    assert "Months that points live 12 months 6 months" in text


def test_rules_announce_what_is_scheduled_and_when(db):
    publish_edition(*FIRST)
    coming = publish_edition(("Bronze", 0, "0.02"), ("Silver", 10_000, "0.05"), effective_at=TOMORROW_NOON)

    page = opened()

    assert "What changes on 11 March 2026, 12:00" in page.text
    assert "Tier “Bronze”: of own orders 3% 2%" in page.text
    assert f"/rules/{coming.number}/" in page.hrefs()
    of_it = opened(f"/rules/{coming.number}/").text
    assert "These rules do not hold yet." in of_it
    assert "in force from 11 March 2026, 12:00 on (Moscow time)" in of_it


def test_each_of_two_scheduled_editions_is_compared_with_the_one_before_it(db):
    publish_edition(*FIRST)
    publish_edition(("Bronze", 0, "0.02"), effective_at=TOMORROW_NOON)
    publish_edition(("Bronze", 0, "0.01"), effective_at=TOMORROW_NOON + timedelta(days=1))

    text = opened().text

    assert "Tier “Bronze”: of own orders 3% 2%" in text
    assert "Tier “Bronze”: of own orders 2% 1%" in text


def test_a_past_edition_says_from_when_to_when_it_held(db):
    past = publish_edition(*FIRST, effective_at=NOON - timedelta(days=30))
    publish_edition(("Bronze", 0, "0.02"), effective_at=YESTERDAY_NOON)

    text = opened(f"/rules/{past.number}/").text

    assert "in force from 8 February 2026 to 9 March 2026" in text
    assert "These rules no longer hold." in text


def test_drafts_unknown_and_withdrawn_editions_are_not_found(sue, db):
    publish_edition(*FIRST)
    draft = create_draft(copy_of=publish_edition(*FIRST))
    coming = publish_rule_set(
        rule_set=draft, effective_at=TOMORROW_NOON, published_at=NOON, reason="For spring"
    )
    withdraw_rule_set(rule_set=coming, at=NOON, by=sue)

    assert english().get("/rules/99999/").status_code == 404
    assert english().get(f"/rules/{coming.number}/").status_code == 404
    assert "What changes on" not in opened().text


def test_rules_of_a_programme_without_shares_name_none(db):
    publish_edition(("Bronze", 0, "0.03"))

    page = opened()

    assert "An inviter gets no share of friends’ orders." in page.text
    assert "Of friends’ orders" not in page.text


def test_rules_take_the_same_queries_however_many_editions_there_are(db):
    publish_edition(*FIRST)
    opened()
    with CaptureQueriesContext(connection) as with_few:
        opened()
    for place in range(30):
        publish_edition(
            ("Bronze", 0, Decimal(place) / 100), effective_at=LONG_AGO + timedelta(days=place + 1)
        )
    opened()

    with CaptureQueriesContext(connection) as with_many:
        opened()

    assert len(with_few) == len(with_many) <= 2


@pytest.mark.parametrize("language", ["ru", "en"])
def test_rules_are_sound_html(db, language):
    publish_edition(*FIRST, welcome_points=1_234_567)
    publish_edition(("Bronze", 0, "0.02"), effective_at=TOMORROW_NOON)
    client = Client()
    client.cookies["django_language"] = language

    page = opened(client=client)

    assert page.count("h1") == 1
    assert page.values("style") == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    read_by_programs = page.values("href", "id", "name", "value", "datetime")
    assert [value for value in read_by_programs if re.search(r"\d[\u00a0\u202f ]\d", value)] == []
    assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)
