"""Drafts that colleagues work on, and editions that are withdrawn before they take effect."""

from datetime import timedelta
from decimal import Decimal
from threading import Event
from time import sleep

import pytest
from django.db import transaction

from loyalty.errors import (
    AlreadyInForce,
    AlreadyPublished,
    AlreadyWithdrawn,
    DraftChanged,
    LifeTooShort,
    LowestThresholdNotZero,
    NumberOutOfRange,
    SettingInvalid,
    ThresholdsNotRising,
    TierNameMissing,
    TierNameRepeated,
)
from loyalty.models import RuleSet
from loyalty.queries.rules import all_editions, drafts, editions, rule_set_in_force, scheduled, tiers_of
from loyalty.services.rules import (
    copy_edition,
    delete_draft,
    draft_problems,
    lock_publishing,
    publish_rule_set,
    specs_of,
    update_draft,
    withdraw_rule_set,
)
from loyalty.services.rules.publishing import WITHDRAWING_TAKES
from loyalty.services.standing import standing_of
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.loyalty.editions import draft_edition, publish_edition, tier_spec
from tests.loyalty.races import race


def publish(draft, *, effective_at=NOON):
    return publish_rule_set(rule_set=draft, effective_at=effective_at, published_at=NOON, reason="A test")


def test_copy_edition_is_a_draft_of_whoever_made_it(db, sue):
    edition = publish_edition(waiting_days=14)

    draft = copy_edition(copy_of=edition, at=NOON, drafted_by=sue)

    assert (draft.copied_from, draft.drafted_by, draft.drafted_at) == (edition, sue, NOON)
    assert (draft.number, draft.revision, draft.waiting_days) == (None, 1, 14)
    assert specs_of(draft) == specs_of(edition)
    assert list(drafts()) == [draft]


def update(draft, *tiers, revision=1, actor_id=None, **settings):
    return update_draft(
        draft=draft,
        revision=revision,
        tiers=[tier_spec(*tier) for tier in tiers],
        settings=settings,
        at=TOMORROW_NOON,
        actor_id=actor_id,
    )


def test_update_draft_puts_tiers_in_the_order_of_their_thresholds(db, sue):
    draft = draft_edition(waiting_days=3)

    changed = update(
        draft, ("Gold", 30_000), ("Basic", 0), ("Silver", "9999.99"), life_months=6, actor_id=sue.pk
    )

    assert [(tier.position, tier.name) for tier in tiers_of(changed)] == [
        (0, "Basic"),
        (1, "Silver"),
        (2, "Gold"),
    ]
    draft.refresh_from_db()
    assert (draft.revision, draft.life_months, draft.waiting_days) == (2, 6, 3)
    assert (draft.drafted_by, draft.drafted_at) == (sue, TOMORROW_NOON)


def test_update_draft_refuses_what_was_read_before_a_colleague_saved(db):
    draft = draft_edition()
    update(draft, ("Hers", 0))

    with pytest.raises(DraftChanged):
        update(draft, ("Mine", 0))

    assert [tier.name for tier in tiers_of(draft)] == ["Hers"]
    assert [tier.name for tier in tiers_of(update(draft, ("Mine", 0), revision=2))] == ["Mine"]


def test_update_draft_case_45_refuses_a_lowest_threshold_above_0_and_keeps_the_draft(db):
    draft = draft_edition()

    with pytest.raises(LowestThresholdNotZero) as refusal:
        update(draft, ("Gold", 20_000), ("Silver", 10_000), waiting_days=5)

    assert (refusal.value.field, refusal.value.tier_position) == ("threshold_sum", 1)
    draft.refresh_from_db()
    assert (draft.revision, draft.waiting_days, len(tiers_of(draft))) == (1, 0, 3)


def test_update_draft_refuses_an_edition_and_a_draft_that_is_gone(db):
    edition, deleted = publish(draft_edition()), draft_edition()
    delete_draft(draft=deleted)

    for former in (edition, deleted):
        with pytest.raises(AlreadyPublished):
            update(former, ("One", 0))
        with pytest.raises(AlreadyPublished):
            delete_draft(draft=former)


def test_draft_problems_are_all_told_at_once_where_they_were_entered(db):
    draft = draft_edition()

    problems = draft_problems(
        draft=draft,
        tiers=[
            tier_spec("Gold", 20_000, "-1"),
            tier_spec("Odd", "NaN"),
            tier_spec("", 5),
            tier_spec("gold", 20_000),
        ],
        settings={"life_months": 0, "life_end": "day", "redemption_cap_rate": Decimal(2)},
    )

    assert {(type(problem), problem.field, problem.tier_position) for problem in problems} == {
        (SettingInvalid, "redemption_cap_rate", None),
        (LifeTooShort, "life_months", None),
        (NumberOutOfRange, "coefficient", 0),
        (NumberOutOfRange, "threshold_sum", 1),
        (TierNameMissing, "name", 2),
        (LowestThresholdNotZero, "threshold_sum", 2),
        (TierNameRepeated, "name", 3),
        (ThresholdsNotRising, "threshold_sum", 3),
    }
    assert draft_problems(draft=draft, tiers=specs_of(draft), settings={}) == []


def test_withdrawing_lets_an_edition_never_take_effect_and_keeps_its_number(db, sue):
    withdrawn = publish(draft_edition(), effective_at=TOMORROW_NOON)
    later = publish(draft_edition(), effective_at=TOMORROW_NOON + timedelta(days=1))

    withdraw_rule_set(rule_set=withdrawn, at=AN_HOUR_LATER, by=sue)

    assert rule_set_in_force(TOMORROW_NOON).number == 1
    assert (list(scheduled(NOON)), list(editions())[:1]) == ([later], [later])
    assert [edition.number for edition in all_editions()] == [3, 2, 1]
    assert all_editions()[1].withdrawn_by == sue
    with pytest.raises(AlreadyWithdrawn):
        withdraw_rule_set(rule_set=withdrawn, at=AN_HOUR_LATER, by=sue)

    # The last one that stays no longer holds an earlier one up, and the number is not used again.
    withdraw_rule_set(rule_set=later, at=AN_HOUR_LATER, by=sue)
    assert publish(draft_edition(), effective_at=AN_HOUR_LATER).number == 4


def test_an_edition_in_force_is_not_withdrawn(db, sue):
    edition = publish(draft_edition(), effective_at=AN_HOUR_LATER)

    with pytest.raises(AlreadyInForce):
        withdraw_rule_set(rule_set=edition, at=AN_HOUR_LATER, by=sue)

    assert rule_set_in_force(AN_HOUR_LATER) == edition


def test_an_edition_that_takes_effect_within_seconds_is_not_withdrawn(db, sue):
    edition = publish(draft_edition(), effective_at=AN_HOUR_LATER)

    with pytest.raises(AlreadyInForce):
        withdraw_rule_set(rule_set=edition, at=AN_HOUR_LATER - timedelta(seconds=5), by=sue)

    assert withdraw_rule_set(rule_set=edition, at=AN_HOUR_LATER - timedelta(seconds=6), by=sue).withdrawn_at


def test_an_edition_that_a_member_is_counted_by_is_not_withdrawn(db, ada, sue):
    edition = publish(draft_edition(), effective_at=AN_HOUR_LATER)
    # As by a server whose clock runs ahead.
    standing_of(member=ada, at=AN_HOUR_LATER)

    with pytest.raises(AlreadyInForce):
        withdraw_rule_set(rule_set=edition, at=NOON, by=sue)


@pytest.mark.django_db(transaction=True)
def test_an_edition_that_takes_effect_while_others_publish_is_not_withdrawn(sue):
    edition = publish(draft_edition(), effective_at=NOON + WITHDRAWING_TAKES + timedelta(seconds=1))
    is_locked = Event()

    def keep_it_waiting() -> None:
        with transaction.atomic():
            lock_publishing()
            is_locked.set()
            sleep(1.5)

    def withdraw() -> RuleSet:
        is_locked.wait()
        return withdraw_rule_set(rule_set=edition, at=NOON, by=sue)

    outcomes = race(keep_it_waiting, withdraw)

    assert [type(outcome) for outcome in outcomes] == [type(None), AlreadyInForce]
    assert withdraw_rule_set(rule_set=edition, at=NOON, by=sue).withdrawn_at == NOON


def test_a_withdrawn_edition_can_be_copied(db, sue):
    edition = publish(draft_edition(("Once", 0)), effective_at=TOMORROW_NOON)
    withdraw_rule_set(rule_set=edition, at=NOON, by=sue)

    draft = copy_edition(copy_of=edition, at=AN_HOUR_LATER, drafted_by=sue)

    assert [tier.name for tier in tiers_of(draft)] == ["Once"]


@pytest.mark.django_db(transaction=True)
def test_colleagues_who_save_one_draft_at_once_are_told_but_one():
    draft = draft_edition()

    outcomes = race(*(lambda name=name: update(draft, (name, 0)) for name in ("A", "B", "C", "D")))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DraftChanged"] * 3 + ["RuleSet"]
    draft.refresh_from_db()
    assert (draft.revision, len(tiers_of(draft))) == (2, 1)
