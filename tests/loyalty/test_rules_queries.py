"""What follows from an edition: points, days, caps, and which edition is in force."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from loyalty.errors import NoRulesInForce
from loyalty.models import RuleSet
from loyalty.queries.rules import (
    available_at,
    expires_on,
    missing_sum,
    next_tier,
    points_for,
    redemption_cap_points,
    rule_set_in_force,
    tier_for,
    tiers_of,
)
from tests.clock import MOSCOW, NOON, TOMORROW_NOON
from tests.loyalty.editions import draft_edition, publish_edition

LifeEnd = RuleSet.LifeEnd


def test_first_edition_is_as_described(db):
    rule_set = rule_set_in_force(NOON)

    assert rule_set.number == 1
    assert [
        (tier.name, tier.threshold_sum, tier.coefficient, tier.referral_rate) for tier in tiers_of(rule_set)
    ] == [
        ("Базовый", 0, Decimal("0.03"), Decimal("0.01")),
        ("Серебро", 30_000, Decimal("0.05"), Decimal("0.02")),
        ("Золото", 100_000, Decimal("0.07"), Decimal("0.03")),
    ]
    assert (rule_set.life_months, rule_set.life_end) == (12, LifeEnd.MONTH)
    assert (rule_set.waiting_days, rule_set.redemption_cap_rate) == (0, 1)


def test_rule_set_in_force_is_the_last_one_that_took_effect(db):
    now = publish_edition(effective_at=NOON)
    later = publish_edition(effective_at=TOMORROW_NOON)

    assert rule_set_in_force(NOON - timedelta(seconds=1)).number == 1
    assert rule_set_in_force(NOON) == now
    assert rule_set_in_force(TOMORROW_NOON) == later
    with pytest.raises(NoRulesInForce):
        rule_set_in_force(datetime(1969, 12, 31, tzinfo=MOSCOW))


def test_rule_set_in_force_takes_one_query_once_it_is_known(db, django_assert_num_queries):
    publish_edition()
    tiers_of(rule_set_in_force(NOON))

    with django_assert_num_queries(1):
        rule_set = rule_set_in_force(NOON)
        assert [tier.name for tier in tiers_of(rule_set)] == ["Bronze", "Silver", "Gold"]
        assert next_tier(rule_set, tier_for(rule_set, Decimal(0))).name == "Silver"


def test_tiers_of_a_draft_are_read_anew(db):
    draft = draft_edition()
    draft.tiers.filter(position=2).delete()

    assert [tier.name for tier in tiers_of(draft)] == ["Bronze", "Silver"]


@pytest.mark.parametrize(
    ("paid_sum", "expected"), [("0", 0), ("9999.99", 0), ("10000", 1), ("19999.99", 1), ("20000", 2)]
)
def test_tier_for_begins_on_the_threshold(db, paid_sum, expected):
    assert tier_for(draft_edition(), Decimal(paid_sum)).position == expected


def test_tier_for_keeps_the_floor_unless_tiers_are_lowered_at_once(db):
    keeping = draft_edition()
    lowering = draft_edition(tier_lowering=RuleSet.TierLowering.AT_ONCE)

    assert tier_for(keeping, Decimal(0), 1).position == 1
    assert tier_for(keeping, Decimal(25_000), 1).position == 2
    assert tier_for(keeping, Decimal(0), 9).position == 2
    assert tier_for(lowering, Decimal(0), 1).position == 0


@pytest.mark.parametrize(
    ("before", "reached", "paid_sum", "missing"),
    [("Gold", "Silver", 12_000, 8_000), ("Gold", "Silver", 20_001, 0), ("Silver", "Silver", 12_000, None)],
)
def test_missing_sum_is_never_below_nothing_and_only_of_a_higher_tier(db, before, reached, paid_sum, missing):
    tiers = {tier.name: tier for tier in tiers_of(publish_edition())}

    assert missing_sum(tiers[before], tiers[reached], Decimal(paid_sum)) == missing
    assert missing_sum(None, tiers[reached], Decimal(paid_sum)) is None


def test_points_for_case_5_a_coefficient_above_one(db):
    assert points_for(draft_edition(), Decimal("40.00"), Decimal("3")) == 120


@pytest.mark.parametrize(("rounding", "expected"), [("down", 28), ("half_up", 29), ("up", 29)])
def test_points_for_case_12a_rounds_as_the_edition_says(db, rounding, expected):
    assert points_for(draft_edition(rounding=rounding), Decimal("570"), Decimal("0.05")) == expected


def test_points_for_case_46a_counts_the_whole_order_at_one_tier(db):
    rule_set = draft_edition(("None", 0, "0"), ("First", 100_000, "0.001"), ("Second", 300_000, "0.0011"))

    def first_order_points(paid_sum):
        return points_for(rule_set, paid_sum, tier_for(rule_set, paid_sum).coefficient)

    assert first_order_points(Decimal(196_000)) == 196
    assert first_order_points(Decimal(20_000)) == 0


def test_points_for_is_exact_where_floats_are_not(db):
    assert points_for(draft_edition(), Decimal("4.35"), Decimal("100")) == 435  # 434 in floats
    assert points_for(draft_edition(), Decimal("999999999999.99"), Decimal("99.9999")) == 99_999_899_999_999


@pytest.mark.parametrize(("total_sum", "expected"), [("333", 66), ("999", 199)])
def test_redemption_cap_case_79_rounds_down(db, total_sum, expected):
    rule_set = draft_edition(redemption_cap_rate=Decimal("0.2"))

    assert redemption_cap_points(rule_set, tiers_of(rule_set)[0], Decimal(total_sum)) == expected


def test_redemption_cap_of_the_tier_comes_first(db):
    rule_set = draft_edition(redemption_cap_rate=Decimal("0.2"))
    tier = tiers_of(rule_set)[0]

    tier.redemption_cap_rate = Decimal("0.5")
    assert redemption_cap_points(rule_set, tier, Decimal("999")) == 499
    tier.redemption_cap_rate = Decimal(0)
    assert redemption_cap_points(rule_set, tier, Decimal("999")) == 0


@pytest.mark.parametrize(
    ("life_end", "expected"), [(LifeEnd.MONTH, date(2026, 1, 31)), (LifeEnd.YEAR, date(2026, 12, 31))]
)
def test_expires_on_case_121_life_to_the_end_of_the_current_month_or_year(db, life_end, expected):
    rule_set = draft_edition(life_months=0, life_end=life_end)

    assert expires_on(rule_set, datetime(2026, 1, 22, 12, tzinfo=MOSCOW)) == expected


@pytest.mark.parametrize(
    ("credited_on", "expected"),
    [
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 2, 28), date(2026, 3, 27)),
        (date(2026, 1, 31), date(2026, 2, 27)),
        (date(2028, 2, 29), date(2028, 3, 28)),
    ],
)
def test_expires_on_case_123_life_of_a_month_by_the_day(db, credited_on, expected):
    rule_set = draft_edition(life_months=1, life_end=LifeEnd.DAY)

    credited_at = datetime(credited_on.year, credited_on.month, credited_on.day, 9, tzinfo=MOSCOW)
    assert expires_on(rule_set, credited_at) == expected


@pytest.mark.parametrize(
    ("life_months", "life_end", "expected"),
    [
        (12, LifeEnd.MONTH, date(2027, 1, 31)),
        (1, LifeEnd.MONTH, date(2026, 2, 28)),
        (12, LifeEnd.YEAR, date(2027, 12, 31)),
        (12, LifeEnd.DAY, date(2027, 1, 21)),
        (0, LifeEnd.NEVER, None),
    ],
)
def test_expires_on_counts_months_from_the_day_of_the_credit(db, life_months, life_end, expected):
    rule_set = draft_edition(life_months=life_months, life_end=life_end)

    assert expires_on(rule_set, datetime(2026, 1, 22, 12, tzinfo=MOSCOW)) == expected


def test_expires_on_goes_by_the_day_of_the_programmes_zone(db):
    rule_set = draft_edition(life_months=0)
    in_utc = datetime.fromisoformat("2026-01-31T21:30:00+00:00")  # 00:30 on 1 February in Moscow

    assert expires_on(rule_set, in_utc) == date(2026, 2, 28)


def test_available_at_is_so_many_days_later_on_the_clock_of_the_programmes_zone(db, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    rule_set = draft_edition(waiting_days=14)
    before_summer_time = datetime.fromisoformat("2026-03-20T12:00:00+01:00")

    assert available_at(rule_set, before_summer_time) == datetime.fromisoformat("2026-04-03T12:00:00+02:00")
    assert available_at(draft_edition(), NOON) == NOON
