"""Making and publishing editions: what is refused, and what stays as it was published."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from loyalty.errors import (
    AlreadyPublished,
    ColourInvalid,
    EffectiveTooEarly,
    LifeTooShort,
    LowestThresholdNotZero,
    NumberOutOfRange,
    PeriodMissing,
    ReasonMissing,
    SettingInvalid,
    ThresholdsNotRising,
    TierNameMissing,
    TierNameRepeated,
    TierNameTooLong,
    TiersMissing,
)
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import paid_sum_since_at, rule_set_in_force, tiers_of
from loyalty.services.rules import create_draft, publish_rule_set, rule_problems
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.editions import draft_edition, publish_edition, tier_spec
from tests.loyalty.races import race


def publish(draft, **fields):
    return publish_rule_set(
        **{"rule_set": draft, "effective_at": NOON, "published_at": NOON, "reason": "A test", **fields}
    )


def test_create_draft_case_45_refuses_a_lowest_threshold_above_0_at_that_field(db, in_english):
    with pytest.raises(LowestThresholdNotZero) as refusal:
        draft_edition(("Bronze", 1), ("Silver", 10_000))

    assert (refusal.value.field, refusal.value.tier_position) == ("threshold_sum", 0)
    assert str(refusal.value) == "The lowest tier must begin at 0, so that every member has a tier."
    assert RuleSet.objects.filter(number=None).count() == 0


@pytest.mark.parametrize(
    ("tier", "error", "field"),
    [
        (tier_spec(" ", 10), TierNameMissing, "name"),
        (tier_spec("bronze", 10), TierNameRepeated, "name"),
        (tier_spec("x" * 51, 10), TierNameTooLong, "name"),
        (tier_spec("Silver", 10, name_en="x" * 51), TierNameTooLong, "name_en"),
        # English pages would show two tiers of one name.
        (tier_spec("Серебро", 10, name_en="bronze"), TierNameRepeated, "name_en"),
        (tier_spec("Silver", 0), ThresholdsNotRising, "threshold_sum"),
        (tier_spec("Silver", "-1"), NumberOutOfRange, "threshold_sum"),
        (tier_spec("Silver", "NaN"), NumberOutOfRange, "threshold_sum"),
        (tier_spec("Silver", "10.005"), NumberOutOfRange, "threshold_sum"),
        (tier_spec("Silver", "1e30"), NumberOutOfRange, "threshold_sum"),
        (tier_spec("Silver", 10, "-0.01"), NumberOutOfRange, "coefficient"),
        (tier_spec("Silver", 10, "100"), NumberOutOfRange, "coefficient"),
        (tier_spec("Silver", 10, referral_rate=Decimal("0.00001")), NumberOutOfRange, "referral_rate"),
        (
            tier_spec("Silver", 10, redemption_cap_rate=Decimal("1.1")),
            NumberOutOfRange,
            "redemption_cap_rate",
        ),
        (tier_spec("Silver", 10, colour="red"), ColourInvalid, "colour"),
    ],
)
def test_create_draft_names_the_tier_and_the_field(db, in_english, tier, error, field):
    with pytest.raises(error) as refusal:
        create_draft(tiers=[tier_spec("Bronze", 0), tier])

    assert (refusal.value.field, refusal.value.tier_position) == (field, 1)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"redemption_cap_rate": Decimal("1.5")}, SettingInvalid, "redemption_cap_rate"),
        ({"rounding": "sideways"}, SettingInvalid, "rounding"),
        ({"waiting_days": -1}, SettingInvalid, "waiting_days"),
        ({"waiting_days": 32_768}, SettingInvalid, "waiting_days"),
        ({"transfer_cooling_hours": 32_768}, SettingInvalid, "transfer_cooling_hours"),
        ({"paid_sum_months": 1_201}, SettingInvalid, "paid_sum_months"),
        ({"life_months": 1_201}, SettingInvalid, "life_months"),
        ({"referral_months": 1_201}, SettingInvalid, "referral_months"),
        ({"paid_sum_months": 0}, PeriodMissing, "paid_sum_months"),
        ({"life_months": 0, "life_end": "day"}, LifeTooShort, "life_months"),
        ({"life_months": 0, "waiting_days": 1}, LifeTooShort, "waiting_days"),
        ({"life_months": 1, "life_end": "day", "waiting_days": 28}, LifeTooShort, "waiting_days"),
    ],
)
def test_create_draft_names_the_setting(db, values, error, field):
    with pytest.raises(error) as refusal:
        draft_edition(**values)

    assert (refusal.value.field, refusal.value.tier_position) == (field, None)


def test_the_longest_period_can_be_counted_back(db, in_english):
    with pytest.raises(SettingInvalid, match="1200"):
        draft_edition(paid_sum_months=32_767)

    edition = publish(draft_edition(paid_sum_months=1_200))

    assert paid_sum_since_at(edition, NOON) == NOON.replace(year=1926)


def test_create_draft_allows_the_coefficient_and_the_waiting_time_at_their_limits(db):
    draft = draft_edition(("One", 0, "99.9999"), waiting_days=27, life_months=1, life_end="day")

    assert publish(draft).number == 2


def test_rule_problems_lists_everything_at_once(db):
    draft = RuleSet(paid_sum_months=0)
    tiers = [
        Tier(name="", threshold_sum=Decimal(5), coefficient=Decimal(-1), referral_rate=Decimal(0)),
        Tier(name="B", threshold_sum=Decimal(5), coefficient=Decimal(0), referral_rate=Decimal(0)),
    ]

    assert [(problem.field, problem.tier_position) for problem in rule_problems(draft, tiers)] == [
        ("paid_sum_months", None),
        ("name", 0),
        ("coefficient", 0),
        ("threshold_sum", 0),
        ("threshold_sum", 1),
    ]


def test_create_draft_copies_an_edition_but_for_what_is_given(db):
    edition = publish_edition(waiting_days=14, excluded_categories=["gift cards"])

    draft = create_draft(copy_of=edition, waiting_days=7)

    assert (draft.number, draft.waiting_days, draft.excluded_categories) == (None, 7, ["gift cards"])
    assert [tier.name for tier in tiers_of(draft)] == ["Bronze", "Silver", "Gold"]
    with pytest.raises(TiersMissing):
        create_draft()


def test_publish_gives_the_next_number_and_puts_the_edition_into_force(db, sue):
    edition = publish(draft_edition(), effective_at=TOMORROW_NOON, published_by=sue, reason=" Spring ")

    assert (edition.number, edition.reason, edition.published_by) == (2, "Spring", sue)
    assert rule_set_in_force(NOON).number == 1
    assert rule_set_in_force(TOMORROW_NOON) == edition


def test_publish_refuses_a_second_time_no_reason_and_an_earlier_moment(db, in_english):
    edition = publish(draft_edition())
    draft = draft_edition()

    with pytest.raises(AlreadyPublished):
        publish(edition)
    with pytest.raises(ReasonMissing):
        publish(draft, reason=" ")
    with pytest.raises(EffectiveTooEarly, match=r"10\.03\.2026 12:00"):
        publish(draft, effective_at=NOON - timedelta(seconds=1))
    assert publish(draft).number == 3


def test_publish_checks_a_draft_that_was_changed_since(db):
    draft = draft_edition()
    draft.tiers.filter(position=1).update(threshold_sum=30_000)

    with pytest.raises(ThresholdsNotRising) as refusal:
        publish(draft)

    assert refusal.value.tier_position == 2


def test_a_draft_may_change_and_be_deleted(db):
    draft = draft_edition()
    draft.tiers.filter(position=2).update(threshold_sum=25_000)
    draft.waiting_days = 3
    draft.save()

    draft.delete()

    assert RuleSet.objects.filter(number=None).count() == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE loyalty_rule_set SET life_months = 1 WHERE number = 1",
        "UPDATE loyalty_rule_set SET number = NULL, effective_at = NULL, published_at = NULL",
        "DELETE FROM loyalty_rule_set WHERE number = 1",
        "UPDATE loyalty_tier SET coefficient = 1 WHERE position = 0",
        "DELETE FROM loyalty_tier WHERE position = 2",
        "INSERT INTO loyalty_tier"
        " (rule_set_id, position, name, threshold_sum, coefficient, referral_rate, colour, gives)"
        " SELECT id, 3, 'Diamond', 900000, 1, 1, '', '' FROM loyalty_rule_set WHERE number = 1",
        "TRUNCATE loyalty_tier CASCADE",
        "TRUNCATE loyalty_rule_set CASCADE",
    ],
)
def test_the_database_refuses_to_change_a_published_edition(db, sql):
    with (
        pytest.raises(DatabaseError, match=r"never change|stays as it was|own functions only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_the_database_refuses_to_move_a_tier_into_or_out_of_a_published_edition(db):
    draft = draft_edition()
    first = rule_set_in_force(NOON)

    for tiers, rule_set in ((draft.tiers, first), (first.tiers, draft)):
        with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
            tiers.filter(position=2).update(rule_set=rule_set, position=9)


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 3},
        {"number": 1},
        {"effective_at": "1969-01-01T00:00:00+00:00"},
    ],
)
def test_the_database_refuses_to_publish_out_of_turn(db, fields):
    draft = draft_edition()

    with pytest.raises(DatabaseError, match="not the next one"), transaction.atomic():
        RuleSet.objects.filter(pk=draft.pk).update(
            **{"number": 2, "effective_at": NOON, "published_at": NOON, **fields}
        )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda draft: draft.tiers.all().delete(),
        lambda draft: draft.tiers.filter(position=1).delete(),
        lambda draft: draft.tiers.filter(position=1).update(threshold_sum=30_000),
    ],
)
def test_the_database_refuses_to_publish_without_rising_tiers(db, spoil):
    draft = draft_edition()
    spoil(draft)

    with pytest.raises(DatabaseError, match="thresholds of an edition rise"), transaction.atomic():
        RuleSet.objects.filter(pk=draft.pk).update(number=2, effective_at=NOON, published_at=NOON)


def test_the_database_refuses_rules_that_begin_published(db):
    with pytest.raises(DatabaseError, match="begin as a draft"), transaction.atomic():
        RuleSet.objects.create(number=2, effective_at=NOON, published_at=NOON)


@pytest.mark.django_db(transaction=True)
def test_publishers_who_race_get_numbers_without_gaps():
    drafts = [draft_edition() for _ in range(6)]

    editions = race(*(lambda draft=draft: publish(draft) for draft in drafts))

    assert sorted(edition.number for edition in editions) == [2, 3, 4, 5, 6, 7]


@pytest.mark.django_db(transaction=True)
def test_one_draft_is_published_once_however_many_race():
    draft = draft_edition()

    outcomes = race(*(lambda: publish(draft) for _ in range(6)))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyPublished"] * 5 + ["RuleSet"]
    assert RuleSet.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(10))
def test_a_tier_added_during_publishing_is_part_of_the_edition_or_refused(turn):
    draft = draft_edition()

    def add_tier():
        return Tier.objects.create(
            rule_set=draft, position=3, name="Late", threshold_sum=1, coefficient=0, referral_rate=0
        )

    outcomes = race(lambda: publish(draft), add_tier)

    # The late tier breaks the order of thresholds, so exactly one of the two may win.
    draft.refresh_from_db()
    assert (draft.number is None) == (draft.tiers.count() == 4)
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
