"""Where a member stands after orders, refunds, new rules and tiers set by hand."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from loyalty.errors import FloorIgnored, TierUnknown
from loyalty.models import PaidSumEntry, RuleSet, Standing, TierChange
from loyalty.queries.rules import leaves_period_at, paid_sum_since_at, tiers_of
from loyalty.queries.standing import standing_card, tier_since_at
from loyalty.services.recount import Recounted, recount_standings
from loyalty.services.standing import earning_tier, set_floor, standing_of
from tests.clock import AN_HOUR_LATER, MOSCOW, NOON, TOMORROW_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.standings import changes_of, count

AT_ONCE = RuleSet.TierLowering.AT_ONCE
Cause = TierChange.Cause


def test_standing_case_47_a_new_member_is_in_the_lowest_tier_at_once(ada):
    publish_edition()

    standing = standing_of(member=ada, at=NOON)

    assert (standing.tier.name, standing.paid_sum, standing.since_at) == ("Bronze", 0, NOON)
    assert standing_of(member=ada, at=TOMORROW_NOON) == standing
    assert changes_of(ada) == [("joined", None, "Bronze")]


@pytest.mark.parametrize(
    ("paid_before", "order_sum", "expected", "steps"),
    [
        pytest.param(0, 6_000, "Bronze", [], id="case-37"),
        pytest.param(0, 25_000, "Gold", [("order", "Bronze", "Gold")], id="case-39"),
        pytest.param(8_000, 3_000, "Silver", [("order", "Bronze", "Silver")], id="case-41"),
        pytest.param(22_000, 5_000, "Gold", [], id="case-43"),
    ],
)
def test_count_paid_sum_moves_the_tier_with_one_change(ada, paid_before, order_sum, expected, steps):
    publish_edition()
    count(ada, paid_before)
    known = len(changes_of(ada))

    move = count(ada, order_sum, at=AN_HOUR_LATER, order_id=2)

    assert move.tier_after.name == expected
    assert changes_of(ada)[known:] == steps
    assert (move.change is not None) == bool(steps)
    standing = Standing.objects.get(member=ada)
    assert (standing.tier.name, standing.paid_sum) == (expected, paid_before + order_sum)
    assert standing.since_at == (AN_HOUR_LATER if steps else NOON)


def test_count_paid_sum_keeps_what_each_step_added(ada):
    publish_edition()
    count(ada, 12_000)

    move = count(ada, "-2000.01", at=TOMORROW_NOON, counted_at=NOON, cause=Cause.REFUND)

    assert (move.tier_before.name, move.tier_after.name) == ("Silver", "Bronze")
    assert (move.change.order_id, move.change.changed_at) == (1, TOMORROW_NOON)
    assert list(PaidSumEntry.objects.order_by("pk").values_list("paid_sum", "counted_at", "recorded_at")) == [
        (12_000, NOON, NOON),
        (Decimal("-2000.01"), NOON, TOMORROW_NOON),
    ]
    assert changes_of(ada)[1:] == [("order", "Bronze", "Silver"), ("refund", "Silver", "Bronze")]


def test_earning_tier_is_the_new_one_unless_the_edition_says_otherwise(ada, ben):
    crossing = publish_edition()
    assert earning_tier(rule_set=crossing, move=count(ada, 10_000)).name == "Silver"

    waiting = publish_edition(crossing_order_earns_new_tier=False)
    assert earning_tier(rule_set=waiting, move=count(ben, 10_000)).name == "Bronze"
    assert Standing.objects.get(member=ben).tier.name == "Silver"


def test_floor_case_49_a_tier_set_by_hand_stays_when_the_sum_falls(ada, sue):
    publish_edition(("Zero", 0), ("Twenty", 20), ("Thirty", 30))
    count(ada, 30)
    set_floor(member=ada, position=1, actor_id=sue.pk, reason="A promise", at=NOON)

    move = count(ada, -30, at=AN_HOUR_LATER, counted_at=NOON, cause=Cause.REFUND)

    assert move.tier_after.name == "Twenty"
    assert changes_of(ada)[1:] == [
        ("order", "Zero", "Thirty"),
        ("by_hand", "Thirty", "Thirty"),
        ("refund", "Thirty", "Twenty"),
    ]
    assert standing_card(ada, AN_HOUR_LATER).is_held_by_hand


def test_set_floor_lifts_the_member_and_taking_it_back_lets_them_fall(ada, sue):
    publish_edition()

    lifted = set_floor(member=ada, position=2, actor_id=sue.pk, reason="A guest of honour", at=NOON)
    assert (lifted.tier.name, lifted.since_at) == ("Gold", NOON)

    fallen = set_floor(member=ada, position=None, actor_id=sue.pk, reason="", at=AN_HOUR_LATER)
    assert fallen.tier.name == "Bronze"
    assert changes_of(ada)[1:] == [("by_hand", "Bronze", "Gold"), ("by_hand", "Gold", "Bronze")]
    first = TierChange.objects.filter(cause=Cause.BY_HAND).earliest("pk")
    assert (first.actor_id, first.reason) == (sue.pk, "A guest of honour")


def test_set_floor_refuses_a_tier_that_is_not_there_and_rules_that_ignore_it(ada):
    publish_edition()
    with pytest.raises(TierUnknown):
        set_floor(member=ada, position=3, actor_id=None, reason="", at=NOON)

    publish_edition(tier_lowering=AT_ONCE)
    with pytest.raises(FloorIgnored):
        set_floor(member=ada, position=1, actor_id=None, reason="", at=NOON)
    assert set_floor(member=ada, position=None, actor_id=None, reason="", at=NOON).floor_position is None


def test_new_rules_move_a_member_without_a_change_where_the_tier_is_the_same(ada):
    publish_edition()
    count(ada, 12_000)
    renamed = publish_edition(("Bronze", 0), ("Argent", 5_000), ("Gold", 20_000), effective_at=AN_HOUR_LATER)

    assert standing_of(member=ada, at=AN_HOUR_LATER).tier == tiers_of(renamed)[1]
    with_one_more = publish_edition(
        ("Bronze", 0), ("Copper", 5_000), ("Argent", 10_000), ("Gold", 20_000), effective_at=TOMORROW_NOON
    )
    standing = standing_of(member=ada, at=TOMORROW_NOON)

    assert standing.tier == tiers_of(with_one_more)[2]
    assert standing.since_at == NOON
    assert changes_of(ada)[1:] == [("order", "Bronze", "Silver")]


def test_new_rules_that_lower_the_tier_are_the_cause_even_if_an_order_comes_first(ada):
    publish_edition()
    count(ada, 12_000)
    publish_edition(("Bronze", 0), ("Silver", 15_000), effective_at=AN_HOUR_LATER)

    move = count(ada, 100, at=AN_HOUR_LATER, order_id=2)

    assert move.tier_before == move.tier_after
    assert changes_of(ada)[2:] == [("recount", "Silver", "Bronze")]


def test_an_order_counted_late_under_old_rules_leaves_the_standing_with_the_new_ones(ada):
    old = publish_edition()
    new = publish_edition(("Bronze", 0), ("Silver", 12_000), effective_at=AN_HOUR_LATER)
    count(ada, 5_000, at=AN_HOUR_LATER)

    move = count(ada, 5_000, at=NOON, order_id=2)

    assert (move.tier_after.rule_set, move.tier_after.name) == (old, "Silver")
    standing = Standing.objects.get(member=ada)
    assert (standing.tier, standing.paid_sum) == (tiers_of(new)[0], 10_000)
    assert standing_of(member=ada, at=NOON).tier == tiers_of(new)[0]


def test_a_rolling_period_counts_the_last_months_and_forgets_the_order_with_its_refund(ada):
    publish_edition(paid_sum_months=3)
    count(ada, 15_000, at=datetime(2026, 1, 30, 12, tzinfo=MOSCOW))
    count(ada, 6_000, at=datetime(2026, 3, 1, 12, tzinfo=MOSCOW), order_id=2)
    refund_at = datetime(2026, 3, 2, 12, tzinfo=MOSCOW)
    refunded_from = datetime(2026, 1, 30, 12, tzinfo=MOSCOW)
    count(ada, -1_000, at=refund_at, counted_at=refunded_from, cause=Cause.REFUND)

    def seen(at):
        card = standing_card(ada, at)
        return card.tier.name, card.paid_sum

    assert seen(refund_at) == ("Gold", 20_000)
    assert seen(datetime(2026, 4, 30, 11, 59, tzinfo=MOSCOW)) == ("Gold", 20_000)
    assert seen(datetime(2026, 4, 30, 12, tzinfo=MOSCOW)) == ("Bronze", 6_000)

    standing = standing_of(member=ada, at=datetime(2026, 4, 30, 12, tzinfo=MOSCOW))
    assert (standing.tier.name, standing.paid_sum) == ("Bronze", 6_000)
    assert changes_of(ada)[-1] == ("recount", "Gold", "Bronze")


def test_an_old_order_outside_of_the_rolling_period_does_not_count(ada):
    publish_edition(paid_sum_months=3)

    move = count(ada, 15_000, counted_at=NOON - timedelta(days=100))

    assert move.tier_after.name == "Bronze"
    assert Standing.objects.get(member=ada).paid_sum == 0


def test_after_a_rolling_period_all_orders_count_again(ada):
    publish_edition(paid_sum_months=3)
    count(ada, 15_000, at=NOON - timedelta(days=100))
    count(ada, 1_000, at=NOON, order_id=2)
    publish_edition(effective_at=AN_HOUR_LATER)

    assert count(ada, 4_000, at=AN_HOUR_LATER, order_id=3).tier_after.name == "Gold"
    assert Standing.objects.get(member=ada).paid_sum == 20_000


def test_standing_card_shows_the_way_to_the_next_tier(ada):
    publish_edition()
    count(ada, "6789.50")

    card = standing_card(ada, NOON)

    assert (card.tier.name, card.next_tier.name) == ("Bronze", "Silver")
    assert (card.paid_sum, card.to_next_sum) == (Decimal("6789.50"), Decimal("3210.50"))
    assert (card.progress_value, card.progress_max) == (6789, 10_000)
    assert (card.since_at, card.is_held_by_hand) == (NOON, False)


def test_standing_card_at_the_top_and_before_the_first_order(ada, ben):
    publish_edition()
    count(ada, "20000.50")

    top = standing_card(ada, NOON)
    assert (top.tier.name, top.next_tier, top.to_next_sum) == ("Gold", None, 0)
    assert top.progress_value == top.progress_max == 20_001

    begun = standing_card(ben, NOON)
    assert (begun.tier.name, begun.since_at, begun.to_next_sum) == ("Bronze", ben.joined_at, 10_000)
    assert not Standing.objects.filter(member=ben).exists()


def test_standing_card_with_one_tier_that_is_the_top_at_once(ada):
    publish_edition(("Friend", 0))

    card = standing_card(ada, NOON)

    assert (card.progress_value, card.progress_max, card.to_next_sum) == (1, 1, 0)


def test_standing_card_shows_new_rules_once_they_have_reached_the_member(ada, ben):
    old = publish_edition(("Bronze", 0, "0.05"), ("Silver", 10_000, "0.07"), ("Gold", 20_000, "0.1"))
    count(ada, 12_000)
    new = publish_edition(("Bronze", 0, "0.01"), ("Silver", 15_000, "0.02"), effective_at=AN_HOUR_LATER)

    waiting = standing_card(ada, AN_HOUR_LATER)
    assert (waiting.is_being_recounted, waiting.tier, waiting.rule_set) == (True, tiers_of(old)[1], new)
    assert (waiting.tier.coefficient, waiting.since_at) == (Decimal("0.07"), NOON)
    # The way to Gold was a promise of the old rules.
    assert (waiting.next_tier, waiting.to_next_sum, waiting.validity) == (None, 0, None)
    assert not standing_card(ben, AN_HOUR_LATER).is_being_recounted

    recount_standings(rule_set=new, at=AN_HOUR_LATER)

    reached = standing_card(ada, AN_HOUR_LATER)
    assert (reached.is_being_recounted, reached.tier, reached.since_at) == (
        False,
        tiers_of(new)[0],
        AN_HOUR_LATER,
    )
    assert (reached.next_tier.name, reached.to_next_sum) == ("Silver", 3_000)


def test_an_order_before_the_recount_earns_by_the_edition_in_force_and_brings_the_new_tier(ada):
    publish_edition(("Bronze", 0, "0.05"), ("Silver", 10_000, "0.07"))
    count(ada, 12_000)
    new = publish_edition(("Bronze", 0, "0.01"), ("Silver", 15_000, "0.02"), effective_at=AN_HOUR_LATER)

    move = count(ada, 1_000, at=AN_HOUR_LATER, order_id=2)

    assert earning_tier(rule_set=new, move=move).coefficient == Decimal("0.01")
    card = standing_card(ada, AN_HOUR_LATER)
    assert (card.tier, card.is_being_recounted) == (tiers_of(new)[0], False)
    # The recount finds the member where the order has brought them, and tells nobody twice.
    assert recount_standings(rule_set=new, at=TOMORROW_NOON) == Recounted(0, 0)
    assert changes_of(ada)[2:] == [("recount", "Silver", "Bronze")]


def test_standing_card_of_the_past_is_of_the_edition_that_was_in_force(ada):
    old = publish_edition()
    publish_edition(("Bronze", 0), ("Silver", 5_000), effective_at=AN_HOUR_LATER)
    count(ada, 6_000, at=AN_HOUR_LATER)

    card = standing_card(ada, NOON)

    assert (card.tier, card.is_being_recounted) == (tiers_of(old)[0], False)


def test_standing_card_takes_at_most_three_queries(ada, django_assert_max_num_queries):
    publish_edition(paid_sum_months=3)
    for order_id in range(30):
        count(ada, 100, order_id=order_id)
    standing_card(ada, NOON)

    with django_assert_max_num_queries(3):
        card = standing_card(ada, NOON)
        assert card.next_tier.name == "Silver"
        assert card.tier.rule_set.number == 2


def lived_through(member, orders, **settings):
    """Count orders, each as days ago and a sum, under an edition of the last six months."""
    publish_edition(paid_sum_months=6, **settings)
    for number, (days, paid_sum) in enumerate(orders):
        at = NOON - timedelta(days=days)
        count(member, paid_sum, at=at, order_id=number)


def test_validity_ends_with_the_first_order_that_the_tier_does_not_survive(ada):
    lived_through(ada, [(100, 4_000), (60, 7_000), (10, 500)])

    card = standing_card(ada, NOON)

    assert card.tier.name == "Silver"
    assert card.validity.until_at == datetime(2026, 5, 30, 12, tzinfo=MOSCOW)
    assert card.validity.to_keep_sum == 2_500


@pytest.mark.parametrize("orders", [[(100, 4_000), (60, 7_000)], [(170, 25_000), (3, 1)], [(31, 10_000)]])
def test_validity_is_the_moment_at_which_the_tier_falls_and_its_sum_keeps_it(ada, orders):
    lived_through(ada, orders)
    card = standing_card(ada, NOON)
    until_at, to_keep_sum = card.validity.until_at, card.validity.to_keep_sum
    before = until_at - timedelta(microseconds=1)

    assert standing_card(ada, before).tier == card.tier
    assert standing_card(ada, until_at).tier.position < card.tier.position

    count(ada, to_keep_sum - Decimal("0.01"), at=before, order_id=98)
    assert standing_card(ada, until_at).tier.position < card.tier.position
    count(ada, "0.01", at=before, order_id=99)
    assert standing_card(ada, until_at).tier == card.tier


def test_validity_counts_a_refund_with_its_order(ada):
    lived_through(ada, [(100, 4_000), (60, 12_000)])
    count(ada, -1_000, at=NOON - timedelta(days=50), counted_at=NOON - timedelta(days=60), cause=Cause.REFUND)

    validity = standing_card(ada, NOON).validity

    assert timedelta(days=120) < validity.until_at - NOON < timedelta(days=125)
    assert validity.to_keep_sum == 10_000


def test_validity_of_the_lowest_tier_of_a_floor_and_of_all_time_has_no_end(ada, ben, sue):
    lived_through(ada, [(100, 4_000)])
    assert standing_card(ada, NOON).validity is None

    count(ben, 12_000, at=NOON - timedelta(days=9))
    assert standing_card(ben, NOON).validity is not None
    set_floor(member=ben, position=1, actor_id=sue.pk, reason="A promise", at=NOON)
    assert standing_card(ben, NOON).validity is None

    publish_edition(effective_at=NOON)
    assert standing_card(ada, AN_HOUR_LATER).validity is None


@pytest.mark.parametrize(
    ("counted_on", "leaves_at"),
    [
        ((2025, 8, 31, 15), (2026, 3, 1, 0)),
        ((2025, 8, 28, 15), (2026, 2, 28, 15)),
        ((2025, 10, 31, 15), (2026, 5, 1, 0)),
        ((2026, 2, 28, 15), (2026, 8, 28, 15)),
    ],
)
def test_order_leaves_the_period_at_the_first_moment_that_no_longer_counts_it(counted_on, leaves_at):
    edition = RuleSet(number=9, paid_sum_months=6)
    counted_at, at = datetime(*counted_on, tzinfo=MOSCOW), datetime(*leaves_at, tzinfo=MOSCOW)

    assert leaves_period_at(edition, counted_at) == at
    assert paid_sum_since_at(edition, at) >= counted_at
    assert paid_sum_since_at(edition, at - timedelta(microseconds=1)) < counted_at


def test_tier_since_is_that_of_the_moment(ada):
    publish_edition()
    count(ada, 12_000)
    count(ada, -5_000, at=AN_HOUR_LATER, cause=Cause.REFUND)
    count(ada, 5_000, at=TOMORROW_NOON)

    def since(name, at):
        return tier_since_at(member_id=ada.pk, tier_name=name, at=at)

    assert since("Silver", NOON) == since("Silver", AN_HOUR_LATER) == NOON
    assert since("Silver", TOMORROW_NOON) == TOMORROW_NOON
    assert since("Bronze", TOMORROW_NOON) == AN_HOUR_LATER
    assert since("Gold", TOMORROW_NOON) is None
    assert since("Silver", NOON - timedelta(seconds=1)) is None
