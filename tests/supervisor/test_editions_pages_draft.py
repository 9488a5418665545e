"""The form of a draft: rows, numbers as people type them, refusals at their fields, two who save."""

import re
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from loyalty.models import RuleSet
from loyalty.queries.rules import tiers_of
from loyalty.services.rules import SETTING_NAMES, publish_rule_set, specs_of, update_draft
from tests.clock import NOON, YESTERDAY_NOON
from tests.loyalty.editions import draft_edition, publish_edition
from tests.pages import Page
from tests.supervisor.edition_forms import Filled, computed, draft_address, filled, signed_in


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client(sue, client_of) -> Client:
    """The supervisor's browser."""
    publish_edition(effective_at=YESTERDAY_NOON)
    return signed_in(client_of, sue)


@pytest.fixture
def draft(db) -> RuleSet:
    """Bronze from 0, Silver from 10 000, Gold from 20 000."""
    return draft_edition()


def kept(draft: RuleSet) -> list[tuple[str, Decimal, Decimal]]:
    return [
        (tier.name, tier.threshold_sum, tier.coefficient)
        for tier in tiers_of(RuleSet.objects.get(pk=draft.pk))
    ]


BEFORE = [
    ("Bronze", Decimal(0), Decimal("0.05")),
    ("Silver", Decimal(10_000), Decimal("0.05")),
    ("Gold", Decimal(20_000), Decimal("0.05")),
]


def send(client: Client, draft: RuleSet, **changed: str):
    """Send the form with these fields changed; `tier_1_name` stands for “tier-1-name”."""
    sent = filled(client, draft_address(draft))
    sent |= {re.sub(r"^tier_(\d+)_", r"tier-\1-", name): value for name, value in changed.items()}
    return client.post(draft_address(draft), sent)


def focused(response) -> list[str]:
    """What has the focus when the page opens, by its name."""
    return [found["name"] for _tag, found in Page(response).tags if "autofocus" in found]


def test_the_page_leads_to_its_parts_and_tells_first_what_differs(client, draft):
    page = Page(client.get(draft_address(draft)))

    ids = page.values("id")
    parts = [href.removeprefix("#") for href in page.hrefs() if href.startswith("#")]
    assert "tiers" in parts
    assert set(parts) <= set(ids)
    assert page.text.index("What the saved draft changes") < page.text.index("Save the draft")


def test_a_preview_that_no_longer_holds_is_tagged(client, draft, sue):
    computed(draft, sue)
    assert "no longer holds" not in Page(client.get(draft_address(draft))).text
    publish_edition(effective_at=NOON)
    assert "no longer holds" in Page(client.get(draft_address(draft))).text


def test_a_form_sent_unchanged_changes_nothing(client, draft, sue):
    full = draft_edition(
        waiting_days=14,
        excluded_categories=["gift cards", "tobacco"],
        redemption_cap_rate=Decimal("0.205"),
        referral_least_sum=Decimal("1500.50"),
        transfer_limit_points=1_000_000,
        earns_on_delivery=True,
    )

    assert send(client, full).status_code == 302

    after = RuleSet.objects.get(pk=full.pk)
    assert {name: getattr(after, name) for name in SETTING_NAMES} == {
        name: getattr(RuleSet.objects.get(pk=full.pk), name) for name in SETTING_NAMES
    }
    assert (after.waiting_days, after.excluded_categories) == (14, ["gift cards", "tobacco"])
    assert (after.redemption_cap_rate, after.referral_least_sum) == (Decimal("0.205"), Decimal("1500.50"))
    assert (after.transfer_limit_points, after.earns_on_delivery) == (1_000_000, True)
    assert kept(full) == BEFORE
    assert (after.revision, after.drafted_by) == (2, sue)


@pytest.mark.parametrize("typed", ["1,25", "1.25", "1,25 %"])
def test_case_16_a_comma_and_a_full_stop_are_the_same(client, draft, typed):
    assert send(client, draft, tier_1_coefficient=typed).status_code == 302

    assert kept(draft)[1][2] == Decimal("0.0125")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("tier_1_coefficient", "1,2,5", "Enter the number with a single comma or full stop, such as 1,25."),
        ("tier_1_coefficient", "1e3", "Enter the number in digits only, without letters."),
        ("tier_1_coefficient", "", "Enter how many percent of an order come back in points."),
        ("tier_1_threshold_sum", "25.000", "Enter the number with at most 2 decimal places."),
        ("tier_2_threshold_sum", "10000", "This tier must begin at a higher sum than the tier before it."),
        ("tier_1_name", "", "Give this tier a name."),
        ("tier_2_name", "bronze", "Another tier has this name already. Choose a different one."),
        ("tier_1_redemption_cap_rate", "101", "Enter a number of at most 100."),
        ("waiting_days", "999", "Points would expire before they become available."),
        ("paid_sum_months", "0", "Enter at least 1 month, or leave this empty"),
        ("redemption_cap_rate", "ten", "Enter the number in digits only, without letters."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_in_the_summary(client, draft, field, typed, sentence):
    refused = send(client, draft, **{field: typed, "welcome_points": "777"})

    assert refused.status_code == 422
    page = Page(refused)
    assert page.text.count(sentence) == 2
    assert "Error:" in page.text[:40]
    name = re.sub(r"^tier_(\d+)_", r"tier-\1-", field)
    assert f"#id_{name}" in page.hrefs()
    of_field = next(attributes for _tag, attributes in page.tags if attributes.get("name") == name)
    assert of_field["aria-invalid"] == "true"
    assert Filled(refused.content.decode()).sent[name] == typed
    assert Filled(refused.content.decode()).sent["welcome_points"] == "777"
    assert kept(draft) == BEFORE


def test_everything_that_is_wrong_is_said_at_once(client, draft):
    page = Page(send(client, draft, tier_0_coefficient="x", tier_2_referral_rate="y", waiting_days="z"))

    summary = [href for href in page.hrefs() if href.startswith("#id_")]
    assert summary == ["#id_tier-0-coefficient", "#id_tier-2-referral_rate", "#id_waiting_days"]


def test_a_tier_is_added_without_losing_anything_or_saving_it(client, draft):
    added = send(client, draft, tier_1_name="Серебряный", life_months="8", do="add")

    assert added.status_code == 200
    page, sent = Page(added), Filled(added.content.decode()).sent
    assert "A tier was added." in page.text
    assert (sent["tiers"], sent["tier-1-name"], sent["life_months"]) == ("4", "Серебряный", "8")
    assert focused(added) == ["tier-3-name"]
    assert kept(draft) == BEFORE

    sent |= {
        "tier-3-name": "Iron",
        "tier-3-threshold_sum": "5 000,50",
        "tier-3-coefficient": "5,5",
        "tier-3-referral_rate": "0",
    }
    assert client.post(draft_address(draft), sent).status_code == 302

    assert kept(draft) == [
        BEFORE[0],
        ("Iron", Decimal("5000.50"), Decimal("0.055")),
        ("Серебряный", Decimal(10_000), Decimal("0.05")),
        BEFORE[2],
    ]


def test_rows_stand_in_the_order_of_their_sums(client, draft):
    added = send(client, draft, tier_1_threshold_sum="30000", do="add")

    sent = Filled(added.content.decode()).sent
    assert [sent[f"tier-{place}-name"] for place in range(4)] == ["Bronze", "Gold", "Silver", ""]


def test_a_tier_is_left_out_once_the_draft_is_saved_and_says_where_its_members_go(client, draft):
    marked = send(client, draft, do="leave_out-1")

    assert "The tier “Silver” is left out when you save. Its members go to “Bronze”" in Page(marked).text
    assert "whoever was set to “Silver” holds “Gold” from then on." in Page(marked).text
    assert focused(marked) == ["do"]
    assert kept(draft) == BEFORE
    sent = Filled(marked.content.decode()).sent
    back = client.post(draft_address(draft), sent | {"do": "keep-1"})
    assert focused(back) == ["tier-1-name"]
    assert "is left out when you save" not in Page(back).text

    assert client.post(draft_address(draft), sent).status_code == 302
    assert kept(draft) == [BEFORE[0], BEFORE[2]]


def test_a_row_that_was_added_and_not_filled_in_goes_at_once(client, draft):
    sent = Filled(send(client, draft, do="add").content.decode()).sent

    gone = client.post(draft_address(draft), sent | {"do": "leave_out-3"})

    assert Filled(gone.content.decode()).sent["tiers"] == "3"


def test_the_first_tier_begins_at_0_whatever_is_sent(client, draft):
    sent = filled(client, draft_address(draft))
    assert "tier-0-threshold_sum" not in sent

    client.post(draft_address(draft), sent | {"tier-0-threshold_sum": "500", "tier-0-is_left_out": "1"})

    assert kept(draft)[0] == BEFORE[0]


def test_two_who_save_do_not_overwrite_each_other_unknowingly(client, draft):
    mine = filled(client, draft_address(draft))
    update_draft(
        draft=draft, revision=1, tiers=specs_of(draft), settings={"life_months": 6}, at=NOON, actor_id=None
    )

    refused = client.post(draft_address(draft), mine | {"waiting_days": "3"})

    text = Page(refused).text
    assert refused.status_code == 422
    assert "A colleague has saved this draft in the meantime" in text
    assert "Months that points live: saved “6 months”, typed “12 months”" in text
    assert "Days until earned points can be spent: saved “at once”, typed “3 days”" in text
    assert RuleSet.objects.get(pk=draft.pk).waiting_days == 0
    again = Filled(refused.content.decode()).sent
    assert again["waiting_days"] == "3"
    assert client.post(draft_address(draft), again).status_code == 302
    after = RuleSet.objects.get(pk=draft.pk)
    assert (after.waiting_days, after.life_months) == (3, 12)


def test_a_form_sent_twice_is_saved_once_and_said_to_be_saved(client, draft):
    sent = filled(client, draft_address(draft)) | {"waiting_days": "3"}

    assert [client.post(draft_address(draft), sent).status_code for _ in range(2)] == [302, 302]
    assert RuleSet.objects.get(pk=draft.pk).revision == 2


def test_a_draft_that_was_published_meanwhile_takes_no_changes(client, draft):
    sent = filled(client, draft_address(draft))
    edition = publish_rule_set(rule_set=draft, effective_at=NOON, published_at=NOON, reason="Spring")

    refused = client.post(draft_address(draft), sent | {"waiting_days": "3"})

    assert refused.status_code == 422
    assert "These rules are no longer a draft." in Page(refused).text
    assert Filled(refused.content.decode()).sent["waiting_days"] == "3"
    assert RuleSet.objects.get(pk=draft.pk).waiting_days == 0
    assert client.get(draft_address(draft)).headers["Location"] == f"/console/editions/{edition.number}/"


def test_the_draft_says_what_it_changes(client, draft):
    send(client, draft, tier_1_coefficient="6", waiting_days="3")

    text = Page(client.get(draft_address(draft))).text

    assert "Tier “Silver”: of own orders 5% 6%" in text
    assert "Days until earned points can be spent at once 3 days" in text


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_form_is_sound_html(client, draft, language):
    client.cookies["django_language"] = language
    draft.tiers.filter(name="Gold").update(gives="x")

    page = Page(client.get(draft_address(draft)))

    assert page.count("h1") == 1
    assert page.values("style") == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("for")) <= set(ids)
    assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)
