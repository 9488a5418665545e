"""The settings of an edition in sentences, and what differs between two editions."""

from decimal import Decimal

import pytest

from loyalty.models import RuleSet
from loyalty.rules_wording import (
    SETTING_TEXTS,
    Difference,
    Group,
    difference_in_words,
    groups_in_words,
    rules_in_short,
)
from loyalty.services.rules import SETTING_NAMES, create_draft
from tests.clock import NOON
from tests.loyalty.editions import draft_edition, publish_edition, tier_spec

USUAL = [
    "Paid orders of all time decide the tier.",
    "The order that reaches a tier earns at that tier already.",
    "When the paid sum falls, the tier falls with it, but never below a tier that was set by hand.",
    "What is paid in money earns points; the part that is paid by points does not.",
    "Delivery earns no points.",
    "Earned points are rounded down, once per order.",
    "Points may pay for a whole order.",
    "Earned points can be spent at once.",
    "Points live for 12 months, to the end of the month.",
    "Members can transfer points to each other.",
    "The inviter gets a share of every paid order of a friend.",
]
ALL_ORDERS_SHARED = USUAL[-1]
# Each setting with a value that is not the usual one; some need another one to do anything.
UNUSUAL = {
    "paid_sum_months": {"paid_sum_months": 6},
    "crossing_order_earns_new_tier": {"crossing_order_earns_new_tier": False},
    "tier_lowering": {"tier_lowering": "at_once"},
    "rounding": {"rounding": "up"},
    "earns_on_points_part": {"earns_on_points_part": True},
    "earns_on_delivery": {"earns_on_delivery": True},
    "excluded_categories": {"excluded_categories": ["gift cards"]},
    "redemption_cap_rate": {"redemption_cap_rate": Decimal("0.2")},
    "redemption_minimum_points": {"redemption_minimum_points": 50},
    "waiting_days": {"waiting_days": 14},
    "life_months": {"life_months": 6},
    "life_end": {"life_end": "never"},
    "transfers_allowed": {"transfers_allowed": False},
    "transfer_minimum_points": {"transfer_minimum_points": 10},
    "transfer_limit_points": {"transfer_limit_points": 10},
    "transfer_day_limit_points": {"transfer_day_limit_points": 10},
    "transfer_month_limit_points": {"transfer_month_limit_points": 10},
    "transfer_received_day_limit_points": {"transfer_received_day_limit_points": 10},
    "transfer_received_month_limit_points": {"transfer_received_month_limit_points": 10},
    "transfer_step_up_points": {"transfer_step_up_points": 10},
    "transfer_member_days": {"transfer_member_days": 10},
    "transfer_cooling_hours": {"transfer_cooling_hours": 10},
    "referral_months": {"referral_months": 10},
    "referral_orders": {"referral_orders": 10},
    "referral_least_sum": {"referral_least_sum": Decimal(100)},
    "referral_waiting_days": {"referral_waiting_days": 10},
    "referral_month_limit_points": {"referral_month_limit_points": 10},
    "welcome_points": {"welcome_points": 100},
    "welcome_when": {"welcome_when": "first_order", "welcome_points": 100},
}


def settings_in_words(rule_set: RuleSet) -> list[str]:
    """The sentences of all groups."""
    return [sentence for group in groups_in_words(rule_set) for sentence in group.sentences]


def test_an_edition_without_limits_names_none(in_english):
    assert settings_in_words(RuleSet()) == USUAL


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"transfer_minimum_points": 10}, "The least that can be transferred: 10\u00a0points."),
        ({"transfer_limit_points": 1000}, "The most that can be transferred at once: 1,000\u00a0points."),
        ({"transfer_day_limit_points": 1}, "The most that a member can transfer in a day: 1\u00a0point."),
        (
            {"transfer_month_limit_points": 500},
            "The most that a member can transfer in a month: 500\u00a0points.",
        ),
        (
            {"transfer_received_day_limit_points": 500},
            "The most that a member can get by transfers in a day: 500\u00a0points.",
        ),
        (
            {"transfer_received_month_limit_points": 0},
            "The most that a member can get by transfers in a month: 0\u00a0points.",
        ),
        (
            {"transfer_step_up_points": 300},
            "Whoever transfers more than 300\u00a0points proves again that it is them.",
        ),
        ({"transfer_member_days": 1}, "A member can transfer points 1 day after joining."),
        ({"transfer_cooling_hours": 24}, "The sender can take a transfer back for 24 hours."),
        ({"referral_orders": 3}, "The inviter gets a share of the first 3 paid orders of a friend."),
        ({"referral_months": 1}, "The inviter gets a share for 1 month after a friend has joined."),
        (
            {"referral_least_sum": Decimal("1500.50")},
            "A friend’s order brings the inviter a share from 1,500.50\u00a0₽ on.",
        ),
        ({"referral_waiting_days": 0}, "The inviter’s share can be spent at once."),
        ({"referral_waiting_days": 14}, "The inviter’s share can be spent after 14 days."),
        (
            {"referral_month_limit_points": 5000},
            "The most that an inviter gets for friends in a month: 5,000\u00a0points.",
        ),
        ({"welcome_points": 100}, "An invited friend gets 100\u00a0points at sign-up."),
        (
            {"welcome_points": 100, "welcome_when": "first_order"},
            "An invited friend gets 100\u00a0points with the first paid order.",
        ),
    ],
)
def test_each_limit_has_a_sentence(in_english, limit, sentence):
    said = settings_in_words(RuleSet(**limit))

    assert sentence in said
    # Which orders are shared is said in other words where not all of them are.
    instead = {ALL_ORDERS_SHARED} if {"referral_orders", "referral_months"} & set(limit) else set()
    assert [one for one in said if one != sentence] == [one for one in USUAL if one not in instead]


def test_without_transfers_no_limit_of_theirs_is_named(in_english):
    rule_set = RuleSet(transfers_allowed=False, transfer_limit_points=10, transfer_cooling_hours=2)

    assert settings_in_words(rule_set) == [
        *USUAL[:-2],
        "Members cannot transfer points to each other.",
        ALL_ORDERS_SHARED,
    ]


@pytest.mark.parametrize("name", SETTING_NAMES)
def test_every_setting_is_spoken_of(in_english, name):
    without = {other: value for other, value in UNUSUAL[name].items() if other != name}

    assert settings_in_words(RuleSet(**UNUSUAL[name])) != settings_in_words(RuleSet(**without))


@pytest.mark.parametrize("name", SETTING_NAMES)
def test_every_setting_that_differs_is_named(db, in_english, name):
    without = {other: value for other, value in UNUSUAL[name].items() if other != name}

    found = difference_in_words(RuleSet.objects.create(**without), RuleSet.objects.create(**UNUSUAL[name]))

    (difference,) = found
    assert difference.subject == str(SETTING_TEXTS[name].label)
    assert difference.before != difference.after


def test_settings_have_a_text_each_and_none_is_left_over():
    assert set(SETTING_TEXTS) == set(SETTING_NAMES)


def test_groups_follow_each_other_as_people_read_them(in_english):
    assert [group.group for group in groups_in_words(RuleSet())] == list(Group)


def test_tiers_own_caps_are_said(db, in_english):
    draft = draft_edition()
    assert not any("“Gold”" in sentence for sentence in settings_in_words(draft))
    draft.tiers.filter(name="Gold").update(redemption_cap_rate=Decimal("0.5"))

    assert "In the tier “Gold” points may pay for up to 50% of an order." in settings_in_words(draft)


def test_editions_without_shares_say_so(db, in_english):
    said = settings_in_words(publish_edition(("Bronze", 0)))

    assert "An inviter gets no share of friends’ orders." in said
    assert ALL_ORDERS_SHARED not in said


def test_nothing_differs_between_an_edition_and_its_copy(db):
    assert difference_in_words(draft_edition(), draft_edition()) == []


def test_tiers_are_told_as_changed_renamed_new_and_left_out(db, in_english):
    before = draft_edition(("Bronze", 0, "0.03"), ("Silver", 10_000), ("Gold", 20_000))
    after = draft_edition(("Start", 0, "0.03"), ("Silver", 12_000, "0.06"))

    assert difference_in_words(before, after) == [
        Difference("Tier “Bronze”: name", "Bronze", "Start"),
        Difference("Tier “Silver”: paid sum from", "10,000\u00a0₽", "12,000\u00a0₽"),
        Difference("Tier “Silver”: of own orders", "5%", "6%"),
        Difference(
            "Tier “Gold”: left out", "from 20,000\u00a0₽: 5% of own orders, 0% of friends’ orders", ""
        ),
    ]
    assert difference_in_words(after, before)[-1].subject == "Tier “Gold”: new"


def test_a_tier_put_between_others_renames_none_of_them(db, in_english):
    before = draft_edition(("Bronze", 0), ("Gold", 20_000))
    after = draft_edition(("Bronze", 0), ("Silver", 10_000), ("Gold", 20_000))

    (difference,) = difference_in_words(before, after)

    assert difference.subject == "Tier “Silver”: new"


def test_colours_are_for_colleagues_only(db):
    before, after = draft_edition(("Bronze", 0)), draft_edition(("Bronze", 0))
    after.tiers.update(colour="#123456")

    assert [one.after for one in difference_in_words(before, after)] == ["#123456"]
    assert difference_in_words(before, after, is_for_members=True) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"life_end": "never", "life_months": 6}, {"life_end": "never", "life_months": 12}),
        ({"transfers_allowed": False}, {"transfers_allowed": False, "transfer_limit_points": 5}),
        ({"welcome_when": "sign_up"}, {"welcome_when": "first_order"}),
    ],
)
def test_what_does_nothing_in_either_edition_is_no_difference(db, before, after):
    assert difference_in_words(RuleSet.objects.create(**before), RuleSet.objects.create(**after)) == []


@pytest.mark.parametrize(
    ("tier", "fields", "sentence"),
    [
        ({"coefficient": "0"}, {}, "Orders bring no points in the tier “Bronze”."),
        ({}, {"redemption_cap_rate": Decimal(0)}, "Orders cannot be paid with points at present."),
        ({}, {}, "One point pays one ruble, and points may pay for a whole order."),
        ({}, {"life_end": RuleSet.LifeEnd.NEVER}, "Points never expire."),
        ({}, {}, "Invitations bring no points in the tier “Bronze”."),
        ({}, {"welcome_points": 200}, "A friend whom you invite gets 200\u00a0points."),
        (
            {"referral_rate": Decimal("0.01")},
            {},
            "Of what a friend pays whom you invited, 1% comes to you in points.",
        ),
        (
            {"referral_rate": Decimal("0.01")},
            {"welcome_points": 200},
            "A friend whom you invite gets 200\u00a0points, and you get 1% of what they pay, in points.",
        ),
    ],
)
def test_five_lines_say_what_the_edition_sets(db, in_english, tier, fields, sentence):
    draft = create_draft(tiers=[tier_spec("Bronze", 0, **tier)], **fields)
    assert sentence in [line.sentence for line in rules_in_short(draft, at=NOON)]
