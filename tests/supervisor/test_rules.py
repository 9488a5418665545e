"""The settings of an edition in sentences."""

from decimal import Decimal

import pytest

from loyalty.models import RuleSet
from supervisor.queries.rules import settings_in_words

USUAL = [
    "Paid orders of all time decide the tier.",
    "Earned points are rounded down, once per order.",
    "Points may pay for up to 100% of an order.",
    "Earned points can be spent at once.",
    "Points live for 12 months, to the end of the month.",
    "Members can give points to each other.",
]


def test_an_edition_without_limits_names_none(in_english):
    assert settings_in_words(RuleSet()) == USUAL


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"transfer_minimum_points": 10}, "The least that can be given: 10\u00a0points."),
        ({"transfer_limit_points": 1000}, "The most that can be given at once: 1,000\u00a0points."),
        ({"transfer_day_limit_points": 1}, "The most that a member can give in a day: 1\u00a0point."),
        (
            {"transfer_month_limit_points": 500},
            "The most that a member can give in a month: 500\u00a0points.",
        ),
        (
            {"transfer_received_day_limit_points": 500},
            "The most that a member can be given in a day: 500\u00a0points.",
        ),
        (
            {"transfer_received_month_limit_points": 0},
            "The most that a member can be given in a month: 0\u00a0points.",
        ),
        (
            {"transfer_step_up_points": 300},
            "Whoever gives more than 300\u00a0points proves again that it is them.",
        ),
        ({"transfer_member_days": 1}, "A member can give points 1 day after joining."),
        ({"transfer_cooling_hours": 24}, "The sender can take given points back for 24 hours."),
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
    assert settings_in_words(RuleSet(**limit)) == [*USUAL, sentence]


def test_without_transfers_no_limit_of_theirs_is_named(in_english):
    rule_set = RuleSet(transfers_allowed=False, transfer_limit_points=10, transfer_cooling_hours=2)

    assert settings_in_words(rule_set) == [*USUAL[:-1], "Members cannot give points to each other."]
