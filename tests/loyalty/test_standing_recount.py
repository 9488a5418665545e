"""Everybody is recounted: the same as one by one, told to whom it concerns, and stopped anywhere."""

from datetime import timedelta

import pytest

from accounts.models import Message
from loyalty.models import RuleSet, Standing, TierChange
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.services.recount import Recounted, recount_batch, recount_standings
from loyalty.services.standing import set_floor, standing_of
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.races import race
from tests.loyalty.standings import changes_of, count, told

AT_ONCE = RuleSet.TierLowering.AT_ONCE

# Sums on, below and above the thresholds of before and after, with and without floors.
CROWD = [
    (0, None),
    (4_999, None),
    (5_000, 1),
    (9_999, 2),
    (10_000, None),
    (19_999, 1),
    (20_000, 0),
    (50_000, 2),
]
NEXT_RULES = [
    pytest.param((("Bronze", 0), ("Silver", 5_000), ("Gold", 50_000)), {}, id="other-thresholds"),
    pytest.param((("Bronze", 0), ("Copper", 5_000), ("Silver", 10_000), ("Gold", 20_000)), {}, id="one-more"),
    pytest.param((("Bronze", 0), ("Gold", 12_000)), {}, id="one-less"),
    pytest.param((("Bronze", 0), ("Gold", 10_000), ("Copper", 20_000)), {}, id="one-less-and-a-new-one"),
    pytest.param((("All", 0),), {}, id="one-for-all"),
    pytest.param((("Bronze", 0), ("Silver", 5_000), ("Gold", 20_000)), {"paid_sum_months": 1}, id="rolling"),
    pytest.param((("Bronze", 0), ("Silver", 30_000)), {"tier_lowering": AT_ONCE}, id="floors-ignored"),
]


@pytest.mark.parametrize(("tiers", "values"), NEXT_RULES)
def test_recount_standings_equals_one_by_one(db, monkeypatch, tiers, values):
    monkeypatch.setattr("loyalty.services.batches.BATCH_MEMBERS", 3)
    publish_edition()
    crowds = ([], [])
    for crowd in crowds:
        for paid_sum, floor in CROWD:
            member = MemberFactory()
            crowd.append(member)
            if floor is not None:
                set_floor(member=member, position=floor, actor_id=None, reason="", at=NOON)
            count(member, paid_sum // 2, at=NOON - timedelta(days=60), order_id=1)
            count(member, paid_sum - paid_sum // 2, at=NOON, order_id=2)
    alone, together = crowds
    rule_set = publish_edition(*tiers, effective_at=AN_HOUR_LATER, **values)

    for member in alone:
        standing_of(member=member, at=TOMORROW_NOON)
    moved_alone = TierChange.objects.filter(changed_at=TOMORROW_NOON).count()
    told_alone = told(*alone)
    found = recount_standings(rule_set=rule_set, at=TOMORROW_NOON)

    def outcome(member):
        standing = Standing.objects.get(member=member)
        return standing.tier_id, standing.paid_sum, standing.since_at, changes_of(member)

    assert [outcome(member) for member in together] == [outcome(member) for member in alone]
    assert found.changed_count == moved_alone
    assert told(*together) == told_alone
    higher = [facts["is_higher"] for facts in told_alone]
    assert found == Recounted(higher.count(True), higher.count(False))


def test_recount_standings_begins_missing_ones_tells_its_progress_and_is_safe_to_repeat(
    ada, ben, monkeypatch
):
    monkeypatch.setattr("loyalty.services.batches.BATCH_MEMBERS", 1)
    rule_set = publish_edition()
    count(ada, 12_000)
    steps = []

    found = recount_standings(rule_set=rule_set, at=NOON, progress=lambda *step: steps.append(step))

    assert (found, steps) == (Recounted(0, 0), [(1, 2), (2, 2)])
    assert changes_of(ben) == [("joined", None, "Bronze")]
    before = list(TierChange.objects.values())
    assert recount_standings(rule_set=rule_set, at=AN_HOUR_LATER) == Recounted(0, 0)
    assert list(TierChange.objects.values()) == before


def test_recount_standings_tells_whose_tier_changed_and_nobody_else(ada, ben):
    publish_edition()
    cat = MemberFactory()
    count(ada, 12_000)
    count(ben, 25_000)
    count(cat, 0)
    Message.objects.all().delete()
    new = publish_edition(
        ("Bronze", 0, "0.01"), ("Argent", 13_000, "0.02"), ("Gold", 20_000, "0.0333"), effective_at=NOON
    )

    assert recount_standings(rule_set=new, at=AN_HOUR_LATER) == Recounted(higher_count=0, lower_count=1)

    # Ben has Gold still, of another edition; only Ada fell, since Silver is called Argent now.
    message = Message.objects.get()
    assert (message.member, message.kind, message.happened_at) == (ada, "tier_changed", AN_HOUR_LATER)
    assert message.facts == {
        "tier": "Bronze",
        "is_higher": False,
        "coefficient": "0.0100",
        "why": "rules",
        "from_tier": "Silver",
        # Silver is called Argent in the new edition, and begins at 13 000.
        "missing_sum": "1000.00",
    }
    assert (message.wants_letter, message.seen_at) == (True, None)


def test_a_higher_place_at_the_same_threshold_is_a_rise(ada, ben):
    publish_edition(("Bronze", 0), ("Silver", 10_000))
    count(ada, 12_000)
    count(ben, 12_000)
    Message.objects.all().delete()
    new = publish_edition(("Bronze", 0), ("Silver", 5_000), ("Gold", 10_000), effective_at=AN_HOUR_LATER)

    standing_of(member=ada, at=AN_HOUR_LATER)
    assert recount_standings(rule_set=new, at=AN_HOUR_LATER) == Recounted(higher_count=1, lower_count=0)

    assert told(ada) == told(ben) == [{"tier": "Gold", "is_higher": True, "coefficient": "0.0500"}]


def test_a_tier_that_is_left_out_is_not_the_one_that_comes_into_its_place(ada, ben):
    publish_edition()
    count(ada, 12_000)
    count(ben, 11_000)
    Message.objects.all().delete()
    new = publish_edition(("Bronze", 0), ("Gold", 12_000), effective_at=AN_HOUR_LATER)

    assert recount_standings(rule_set=new, at=AN_HOUR_LATER) == Recounted(higher_count=1, lower_count=1)

    assert [(facts["tier"], facts["is_higher"]) for facts in told(ada, ben)] == [
        ("Gold", True),
        ("Bronze", False),
    ]


def test_a_recount_counts_orders_that_come_while_it_runs(ada):
    publish_edition(paid_sum_months=3)
    count(ada, 12_000, at=AN_HOUR_LATER)

    recount_standings(rule_set=rule_set_in_force(NOON), at=NOON)

    standing = Standing.objects.get(member=ada)
    assert (standing.paid_sum, standing.tier.name) == (12_000, "Silver")


def test_recount_standings_goes_on_after_a_batch(ada, ben, monkeypatch):
    monkeypatch.setattr("loyalty.services.batches.BATCH_MEMBERS", 1)
    rule_set = publish_edition()

    first = recount_batch(rule_set=rule_set, at=NOON, after_id=0)
    second = recount_batch(rule_set=rule_set, at=NOON, after_id=first.last_id)

    assert (first.last_id, second.last_id) == (ada.pk, ben.pk)
    assert recount_batch(rule_set=rule_set, at=NOON, after_id=second.last_id) is None


def test_recount_standings_run_late_for_an_old_edition_leaves_newer_ones_alone(ada):
    old = publish_edition()
    publish_edition(("Bronze", 0), ("Silver", 12_000), effective_at=NOON)
    count(ada, 11_000)

    assert recount_standings(rule_set=old, at=NOON) == Recounted(0, 0)

    assert changes_of(ada) == [("joined", None, "Bronze")]


@pytest.mark.django_db(transaction=True)
def test_orders_that_race_with_a_recount_are_all_counted(ada, ben):
    old = publish_edition()
    new = publish_edition(("Bronze", 0), ("Silver", 4_000), effective_at=NOON)

    outcomes = race(
        *(
            lambda member=member: count(member, 1_000, rule_set=old)
            for member in (ada, ben)
            for _ in range(4)
        ),
        *(lambda: recount_standings(rule_set=new, at=NOON) for _ in range(4)),
    )

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    recount_standings(rule_set=new, at=NOON)
    for member in (ada, ben):
        standing = Standing.objects.get(member=member)
        assert (standing.paid_sum, standing.tier) == (4_000, tiers_of(new)[1])
        assert [cause for cause, _from, _to in changes_of(member)].count("joined") == 1
        assert len(changes_of(member)) == 2


def test_members_of_a_sandbox_are_recounted_and_not_counted(db):
    publish_edition()
    live, tried_out = MemberFactory(), MemberFactory(is_sandbox=True)
    for member in (live, tried_out):
        count(member, 25_000)
    edition = publish_edition(("Bronze", 0), ("Silver", 30_000), ("Gold", 40_000), effective_at=AN_HOUR_LATER)

    batch = recount_batch(rule_set=edition, at=TOMORROW_NOON, after_id=0)

    assert (batch.members_count, batch.found.lower_count) == (1, 1)
    assert Standing.objects.filter(member__in=[live, tried_out], tier__position=0).count() == 2
