"""Members are told some days before their tier ends, once for each end, and how to keep it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core import mail

from accounts.models import Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.models import TierChange
from loyalty.queries.rules import leaves_period_at, rule_set_in_force
from loyalty.queries.standing import standing_card
from loyalty.services.recount import recount_standings
from loyalty.services.standing import set_floor
from loyalty.services.tier_warnings import tell_tiers_at_risk
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.standings import count

LONG_BEFORE = NOON - timedelta(days=160)


@pytest.fixture
def rolling(db):
    return publish_edition(paid_sum_months=6)


def told(member):
    return [
        (message.facts["tier"], message.facts["to_tier"], message.facts["to_keep_sum"])
        for message in Message.objects.filter(member=member, kind="tier_at_risk").order_by("pk")
    ]


def test_tier_that_ends_within_the_days_is_told_once(ada, rolling):
    count(ada, 12_000, at=LONG_BEFORE)
    count(ada, 7_000, at=NOON - timedelta(days=20), order_id=2)
    ends_at = leaves_period_at(rolling, LONG_BEFORE)

    assert tell_tiers_at_risk(at=ends_at - timedelta(days=31)) == 0
    for hours in range(0, 24 * 29, 24):
        assert tell_tiers_at_risk(at=ends_at - timedelta(days=30) + timedelta(hours=hours)) == 1
    assert tell_tiers_at_risk(at=ends_at + timedelta(minutes=1)) == 0

    (message,) = Message.objects.filter(kind="tier_at_risk")
    assert told(ada) == [("Silver", "Bronze", "3000.00")]
    assert datetime.fromisoformat(message.facts["until_at"]) == ends_at
    assert message.key == f"tier_at_risk:{ends_at.astimezone(UTC):%Y-%m-%d}"
    assert message.wants_letter


def test_it_says_what_the_page_says(ada, ben, rolling):
    for member, orders in ((ada, (25_000, 3_000, 9_000)), (ben, (10_000, 500, 400))):
        for turn, paid_sum in enumerate(orders):
            count(member, paid_sum, at=LONG_BEFORE + timedelta(days=turn), order_id=10 * member.pk + turn)
    at = leaves_period_at(rolling, LONG_BEFORE) - timedelta(days=3)

    tell_tiers_at_risk(at=at)

    for member in (ada, ben):
        validity = standing_card(member, at).validity
        message = Message.objects.get(member=member, kind="tier_at_risk")
        assert datetime.fromisoformat(message.facts["until_at"]) == validity.until_at
        assert Decimal(message.facts["to_keep_sum"]) == validity.to_keep_sum


def test_who_keeps_the_tier_is_told_nothing(ada, ben, rolling):
    cat = MemberFactory()
    # Enough is left; the lowest tier; and one that is held by hand.
    count(ada, 5_000, at=LONG_BEFORE)
    count(ada, 12_000, at=NOON - timedelta(days=20), order_id=2)
    count(ben, 9_000, at=LONG_BEFORE, order_id=3)
    count(cat, 12_000, at=LONG_BEFORE, order_id=4)
    set_floor(member=cat, position=1, actor_id=None, reason="A friend of the house", at=LONG_BEFORE)

    assert tell_tiers_at_risk(at=leaves_period_at(rolling, LONG_BEFORE) - timedelta(days=3)) == 0


def test_where_all_orders_count_nothing_ends(ada):
    publish_edition()
    count(ada, 12_000, at=LONG_BEFORE)

    assert tell_tiers_at_risk(at=NOON) == 0


def test_days_are_a_setting(ada, rolling, settings):
    settings.TIER_WARNING_DAYS = 3
    count(ada, 12_000, at=LONG_BEFORE)
    ends_at = leaves_period_at(rolling, LONG_BEFORE)

    assert tell_tiers_at_risk(at=ends_at - timedelta(days=4)) == 0
    assert tell_tiers_at_risk(at=ends_at - timedelta(days=2)) == 1


@pytest.mark.parametrize(("more", "sum_text"), [(4_000, "6\u00a0000"), (11_000, None)])
def test_letter_says_what_is_missing_when_it_leaves(ada, rolling, more, sum_text):
    count(ada, 12_000, at=LONG_BEFORE)
    at = leaves_period_at(rolling, LONG_BEFORE) - timedelta(days=3)
    tell_tiers_at_risk(at=at)
    count(ada, more, at=at, order_id=2)

    send_waiting_letters(at=at)

    letters = [letter for letter in mail.outbox if "Silver" in letter.subject]
    if sum_text is None:
        # What keeps the tier has come meanwhile.
        assert letters == []
    else:
        assert sum_text in letters[0].body


def test_the_fall_itself_says_why_and_what_brings_the_tier_back(ada, rolling):
    count(ada, 12_000, at=LONG_BEFORE)
    count(ada, 7_000, at=NOON - timedelta(days=20), order_id=2)
    at = leaves_period_at(rolling, LONG_BEFORE)

    recount_standings(rule_set=rule_set_in_force(at), at=at)

    fall = Message.objects.filter(kind="tier_changed").latest("pk")
    assert fall.facts == {
        "tier": "Bronze",
        "is_higher": False,
        "coefficient": "0.0500",
        "why": "time",
        "from_tier": "Silver",
        "missing_sum": "3000.00",
    }
    assert TierChange.objects.latest("pk").cause == "recount"
