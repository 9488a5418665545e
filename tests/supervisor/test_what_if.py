"""What a draft would do to the members, told by small stories; nothing is changed by asking."""

import json
from datetime import timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection, transaction
from django.db.utils import InternalError

from accounts.models import Member
from loyalty.models import RuleSet, Standing
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.recount import Recounted, recount_standings
from loyalty.services.rules import TierSpec, create_draft, publish_rule_set
from supervisor.queries.what_if import (
    FloorLine,
    History,
    Part,
    WhatIf,
    changed_members,
    had_it_been,
    snapshot,
    what_if,
)
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, draft_edition, publish_edition, tier_spec
from tests.loyalty.points import earn


@pytest.fixture
def live(db) -> RuleSet:
    """Bronze from 0, Silver from 10 000 and Gold from 20 000, each at 5 %."""
    return publish_edition()


def ways(found: WhatIf) -> dict[tuple[str, str], int]:
    """The ways that members really go."""
    return {(move.from_name, move.to_name): move.members for move in found.matrix if move.members}


def asked(draft: RuleSet, at=NOON) -> WhatIf:
    """What the draft would do beside the edition in force."""
    return what_if(draft=draft, live=rule_set_in_force(at), at=at)


def test_a_lower_threshold_lifts_those_who_reach_it(live, paid, ada, ben):
    paid(ada, 9_000)
    paid(ben, "8999.99")
    found = asked(draft_edition(("Bronze", 0), ("Silver", 9_000), ("Gold", 20_000)))
    assert ways(found) == {("Bronze", "Bronze"): 1, ("Bronze", "Silver"): 1}
    assert (found.members, found.rising, found.falling, found.staying) == (2, 1, 0, 1)
    assert [(line.name_now, line.name_then, line.members_now, line.members_then) for line in found.tiers] == [
        ("Bronze", "Bronze", 2, 1),
        ("Silver", "Silver", 0, 1),
        ("Gold", "Gold", 0, 0),
    ]
    [example] = found.rising_examples
    assert (example.member_id, example.from_name, example.to_name, example.paid_sum) == (
        ada.pk,
        "Bronze",
        "Silver",
        Decimal("9000.00"),
    )
    assert found.falling_examples == []


def test_the_matrix_has_every_way_and_adds_up(live, paid):
    for total in (0, 5_000, 12_000, 30_000):
        paid(MemberFactory(), total)
    MemberFactory.create_batch(3)
    found = asked(draft_edition(("Bronze", 0), ("Gold", 6_000)))
    assert len(found.matrix) == 6
    assert sum(move.members for move in found.matrix) == found.members == 7
    assert {move.direction for move in found.matrix if move.from_name == move.to_name} == {0}


def test_a_tier_with_a_new_name_in_its_place_is_the_same_tier(live, paid, ada):
    paid(ada, 12_000)
    found = asked(draft_edition(("Bronze", 0), ("Steel", 10_000), ("Gold", 20_000)))
    assert (found.rising, found.falling, found.staying) == (0, 0, 1)
    assert [(line.name_now, line.name_then) for line in found.tiers] == [
        ("Bronze", "Bronze"),
        ("Silver", "Steel"),
        ("Gold", "Gold"),
    ]


@pytest.mark.parametrize(
    ("then", "worse_off"),
    [
        ({}, 0),
        ({"coefficient": "0.0499"}, 1),
        ({"referral_rate": Decimal("0.009")}, 1),
        ({"redemption_cap_rate": Decimal("0.2")}, 1),
        ({"coefficient": "0.06", "referral_rate": Decimal("0.009")}, 1),
        ({"coefficient": "0.06", "redemption_cap_rate": Decimal(1)}, 0),
    ],
)
def test_a_lower_rate_makes_worse_off_whatever_the_tier_is_called(db, paid, ada, then, worse_off):
    rates = {"coefficient": "0.05", "referral_rate": Decimal("0.01")}
    tiers = [tier_spec("Bronze", 0, "0.01"), tier_spec("Silver", 10_000, **rates)]
    publish_rule_set(
        rule_set=create_draft(tiers=tiers, redemption_cap_rate=Decimal("0.5")),
        effective_at=LONG_AGO,
        published_at=NOON,
        reason="A test",
    )
    paid(ada, 12_000)
    # What was Silver is the lowest tier now, and the name of old gives less.
    renamed = [tier_spec("Silver", 0, **{**rates, **then}), tier_spec("Gold", 999_999)]

    found = asked(create_draft(tiers=renamed, redemption_cap_rate=Decimal("0.5")))

    assert (found.falling, found.worse_off) == (0, worse_off)


def test_members_of_a_tier_that_is_gone_fall(live, paid, ada):
    paid(ada, 25_000)
    found = asked(draft_edition(("Bronze", 0), ("Silver", 10_000)))
    assert ways(found) == {("Gold", "Silver"): 1}
    assert found.falling == 1
    assert [(line.name_now, line.name_then, line.members_now, line.members_then) for line in found.tiers] == [
        ("Bronze", "Bronze", 0, 0),
        ("Silver", "Silver", 0, 1),
        ("Gold", None, 1, 0),
    ]


def test_members_of_a_tier_that_is_left_out_between_others_rise_or_fall(live, paid, ada, ben):
    paid(ada, 12_000)
    paid(ben, 11_000)
    found = asked(draft_edition(("Bronze", 0), ("Gold", 12_000)))
    assert ways(found) == {("Silver", "Gold"): 1, ("Silver", "Bronze"): 1}
    assert (found.rising, found.falling, found.staying) == (1, 1, 0)
    assert [(line.name_now, line.name_then) for line in found.tiers] == [
        ("Bronze", "Bronze"),
        ("Silver", None),
        ("Gold", "Gold"),
    ]


@pytest.mark.parametrize(
    "tiers",
    [
        pytest.param((("Bronze", 0), ("Silver", 5_000), ("Gold", 30_000)), id="other-thresholds"),
        pytest.param((("Bronze", 0), ("Steel", 5_000), ("Gold", 15_000)), id="renamed"),
        pytest.param((("Bronze", 0), ("Gold", 12_000)), id="one-less"),
        pytest.param((("Gold", 0),), id="the-top-alone"),
        pytest.param((("Silver", 0), ("Steel", 12_000)), id="the-middle-first"),
        pytest.param((("Bronze", 0), ("Gold", 8_000), ("Black", 18_000)), id="one-less-and-a-new-top"),
        pytest.param((("Gold", 0), ("Silver", 10_000), ("Bronze", 20_000)), id="upside-down"),
    ],
)
def test_a_recount_moves_as_many_as_the_preview_has_said(live, paid, tiers):
    for total in (0, 6_000, 11_000, 12_000, 19_000, 25_000):
        paid(MemberFactory(), total)
    draft = draft_edition(*tiers)
    found = asked(draft)
    edition = publish_rule_set(rule_set=draft, effective_at=NOON, published_at=NOON, reason="A test")
    assert recount_standings(rule_set=edition, at=NOON) == Recounted(found.rising, found.falling)
    assert found.rising + found.falling


def test_a_place_set_by_hand_that_gets_another_tier_is_named(live, paid, ada, ben):
    for member, place in ((ada, 1), (ben, 2), (MemberFactory(is_sandbox=True), 1)):
        paid(member, 100)
        Standing.objects.filter(member=member).update(floor_position=place)
    without_silver = draft_edition(("Bronze", 0), ("Gold", 20_000))
    assert asked(without_silver).floors == [FloorLine("Silver", "Gold", 1)]
    one_between = draft_edition(("Bronze", 0), ("Iron", 5_000), ("Silver", 10_000), ("Gold", 20_000))
    assert asked(one_between).floors == [FloorLine("Silver", "Iron", 1), FloorLine("Gold", "Silver", 1)]
    assert asked(draft_edition(("Bronze", 0), ("Steel", 10_000), ("Gold", 20_000))).floors == []
    lowering = draft_edition(("Bronze", 0), ("Gold", 20_000), tier_lowering="at_once")
    assert asked(lowering).floors == []
    kept = asked(without_silver)
    assert WhatIf.from_json(kept.to_json()) == kept


def test_a_tier_set_by_hand_holds_only_where_the_draft_keeps_it(live, paid, ada):
    paid(ada, 100)
    Standing.objects.filter(member=ada).update(floor_position=2)
    assert asked(draft_edition()).floors_kept == 1
    lowered = asked(draft_edition(tier_lowering=RuleSet.TierLowering.AT_ONCE))
    assert (lowered.floors_kept, lowered.falling) == (0, 1)


def test_members_of_sandboxes_are_left_out(live, ada):
    MemberFactory(is_sandbox=True)
    assert asked(draft_edition()).members == 1


def test_a_rolling_period_ends_at_the_moment_that_is_asked_about(live, paid, ada):
    paid(ada, 10_000, at=NOON - timedelta(days=31))
    draft = draft_edition(paid_sum_months=1)
    assert ways(asked(draft, at=NOON - timedelta(days=4))) == {("Silver", "Silver"): 1}
    assert ways(asked(draft)) == {("Silver", "Bronze"): 1}


def test_examples_are_those_with_most_at_stake(live, paid):
    members = MemberFactory.create_batch(12)
    for turn, member in enumerate(members):
        paid(member, 9_000 + turn)
    found = asked(draft_edition(("Bronze", 0), ("Silver", 9_000, "0.07"), ("Gold", 20_000)))
    assert [example.member_id for example in found.rising_examples] == [
        member.pk for member in reversed(members[2:])
    ]


def test_a_pace_is_of_the_days_there_are(live, paid, ada):
    paid(ada, 1_000, at=NOON - timedelta(days=9, hours=1))
    short, long = asked(draft_edition(("Bronze", 0, "0.10"))).paces
    # 50 and 100 points in ten days.
    assert (short.counted_days, short.earned_now, short.earned_then) == (10, 152, 304)
    assert short.is_short
    assert (long.counted_days, long.orders, long.change) == (10, 1, 152)


def test_a_base_without_orders_has_a_pace_of_nothing(live, ada):
    found = asked(draft_edition())
    assert [(pace.orders, pace.now, pace.then) for pace in found.paces] == [(0, 0, 0)] * 2
    assert had_it_been(draft=draft_edition(), at=NOON).orders == 0


def test_the_cap_would_have_refused_what_is_above_it(live, paid, ada):
    earn(ada, 1_000)
    paid(ada, 999, points=300)
    found = asked(draft_edition(redemption_cap_rate=Decimal("0.2")))
    cap = found.caps[0]
    assert (cap.orders, cap.orders_now, cap.orders_then) == (1, 0, 1)
    assert (cap.refused_points_now, cap.refused_points_then) == (0, 101)
    below = asked(draft_edition(redemption_minimum_points=301)).caps[0]
    assert below.refused_points_then == 300


def test_outstanding_points_have_their_worth(live, ada):
    earn(ada, 1_234)
    found = asked(draft_edition())
    assert (found.outstanding_points, found.outstanding_worth_sum) == (1_234, Decimal(1_234))


def test_history_counts_by_month_what_was_and_what_would_have_been(live, paid, ada):
    paid(ada, 1_000, at=NOON - timedelta(days=40))
    paid(ada, 2_000, at=NOON - timedelta(days=400))
    history = had_it_been(draft=draft_edition(("Bronze", 0, "0.10")), at=NOON)
    assert (history.orders, history.earned_really, history.earned_replayed) == (1, 50, 100)
    assert len(history.months) == 13
    [january] = [month for month in history.months if month.orders]
    assert (january.month.month, january.really, january.replayed) == (1, 50, 100)


def test_orders_that_wait_for_their_member_bring_nothing_yet(live, paid):
    paid(None, 1_000, customer_email="eve@example.com")
    draft = draft_edition()
    assert had_it_been(draft=draft, at=NOON).orders == 0
    assert asked(draft).paces[0].orders == 0


def test_the_list_has_everybody_who_rises_or_falls(live, paid):
    anna = MemberFactory(first_name="Анна", last_name="Петрова")
    boris = MemberFactory(first_name="Борис", last_name="")
    paid(anna, 9_500)
    paid(boris, 15_000)
    paid(MemberFactory(), 100)
    draft = draft_edition(("Bronze", 0), ("Silver", 9_000), ("Gold", 12_000))
    found = list(changed_members(draft=draft, live=live, at=NOON))
    assert [(row.number, row.masked_name, row.from_name, row.to_name, row.is_rise) for row in found] == [
        (anna.number, "Анна П.", "Bronze", "Silver", True),
        (boris.number, "Борис", "Silver", "Gold", True),
    ]
    assert found[0].paid_sum == Decimal("9500.00")


def test_figures_are_kept_as_json_and_read_again(live, paid, ada):
    paid(ada, "12345.67")
    draft = draft_edition(("Bronze", 0), ("Gold", 20_000))
    figures, history = asked(draft), had_it_been(draft=draft, at=NOON)
    assert WhatIf.from_json(json.loads(json.dumps(figures.to_json()))) == figures
    assert History.from_json(json.loads(json.dumps(history.to_json()))) == history


def test_asking_takes_as_many_queries_for_many_members_as_for_one(
    live, paid, django_assert_num_queries, django_assert_max_num_queries
):
    draft = draft_edition()
    paid(MemberFactory(), 100)
    with django_assert_max_num_queries(50) as first:
        asked(draft)
        had_it_been(draft=draft, at=NOON)
    for total in range(1, 30):
        paid(MemberFactory(), total * 1_000)
    with django_assert_num_queries(len(first)):
        asked(draft)
        had_it_been(draft=draft, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_nobody_can_write_within_the_snapshot():
    MemberFactory()
    with pytest.raises(InternalError, match="read-only"), snapshot():
        Member.objects.update(first_name="Somebody else")
    with transaction.atomic():
        Member.objects.update(first_name="Anna")


@pytest.mark.django_db(transaction=True)
def test_all_figures_are_of_one_moment(shop, paid):
    live = publish_edition()
    ada = MemberFactory()
    paid(ada, 1_000)
    draft = draft_edition(("Bronze", 0, "0.10"))

    def somebody_buys() -> None:
        paid(ada, 5_000)
        connection.close()

    def begin(part: Part) -> None:
        if part is Part.PACES:
            thread = Thread(target=somebody_buys)
            thread.start()
            thread.join()

    with snapshot():
        figures = what_if(draft=draft, live=live, at=NOON, begin=begin)
        history = had_it_been(draft=draft, at=NOON)
    assert figures.paces[0].orders == history.orders == 1
    assert had_it_been(draft=draft, at=NOON).orders == 2


def test_of_a_draft_the_tiers_count_that_it_has_now(live, paid, ada):
    paid(ada, 12_000)
    draft = create_draft(
        tiers=[TierSpec(name="Everyone", threshold_sum=Decimal(0), coefficient=Decimal("0.01"))]
    )
    assert ways(asked(draft)) == {("Silver", "Everyone"): 1}
