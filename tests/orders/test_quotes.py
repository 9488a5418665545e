"""A quote is what placing and paying the order then gives: the same numbers and the same refusals.

QUOTE_EXAMPLES=2000 tries for longer.
"""

import os
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from accounts.models import Member
from loyalty.errors import AccountBlocked, LoyaltyError, NotEnoughPoints
from loyalty.models import Credit, Posting, RuleSet, Standing
from loyalty.queries.rules import same_tier, tiers_of
from loyalty.services import ledger
from loyalty.services.rules import TierSpec, create_draft, publish_rule_set
from loyalty.services.standing import set_floor
from orders.errors import BadSum, BelowMinimum, LinesDoNotAddUp, NotAMember
from orders.models import Order, Source
from orders.queries.figures import LineSpec
from orders.queries.quotes import Limit, Quote, quote
from orders.services.orders import add_points, pay_order, place_order, register_paid_order
from tests.clock import NOON, YESTERDAY_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, publish_edition
from tests.loyalty.points import earn, every_row, hold
from tests.orders.shop import balance_of

EXAMPLES = int(os.environ.get("QUOTE_EXAMPLES", "60"))
MOST_QUERIES = 4
NUMBERS = count(1)
GIFT_CARDS = "gift cards"
KOPECK = Decimal("0.01")
CAPS = st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("0.2"), Decimal("0.3333"), Decimal(0)])


def shares(most: str) -> st.SearchStrategy[Decimal]:
    """Shares as a supervisor may set them."""
    return st.decimals(0, most, places=4)


def sums(most_kopecks: int) -> st.SearchStrategy[Decimal]:
    """Sums to the kopeck; some in whole rubles, where caps and thresholds meet them exactly."""
    kopecks = st.integers(0, most_kopecks) | st.integers(0, most_kopecks // 100).map(
        lambda whole: whole * 100
    )
    return kopecks.map(lambda number: number * KOPECK)


@st.composite
def editions(draw) -> dict[str, Any]:
    """Everything of an edition that an order's numbers depend on."""
    thresholds = [0, *sorted(draw(st.sets(st.integers(1, 3_000), max_size=2)))]
    return {
        "tiers": [
            TierSpec(
                name=f"Tier {place}",
                threshold_sum=Decimal(threshold),
                coefficient=draw(shares("0.4")),
                redemption_cap_rate=draw(st.none() | CAPS),
            )
            for place, threshold in enumerate(thresholds)
        ],
        "rounding": draw(st.sampled_from(RuleSet.Rounding.values)),
        "tier_lowering": draw(st.sampled_from(RuleSet.TierLowering.values)),
        "crossing_order_earns_new_tier": draw(st.booleans()),
        "paid_sum_months": draw(st.sampled_from([None, 1, 6])),
        "earns_on_points_part": draw(st.booleans()),
        "earns_on_delivery": draw(st.booleans()),
        "excluded_categories": draw(st.sampled_from([[], [GIFT_CARDS]])),
        "redemption_cap_rate": draw(CAPS),
        "redemption_minimum_points": draw(st.sampled_from([0, 1, 50, 300])),
        "waiting_days": draw(st.sampled_from([0, 14])),
        "life_end": draw(st.sampled_from(RuleSet.LifeEnd.values)),
    }


class Asked(NamedTuple):
    """An order as it is quoted, and what is set aside for it before the quote is asked for."""

    total_sum: Decimal
    delivery_sum: Decimal
    lines: list[LineSpec]
    points: int
    points_before: int

    @property
    def sums(self) -> dict[str, Any]:
        return {"total_sum": self.total_sum, "delivery_sum": self.delivery_sum, "lines": self.lines}


@st.composite
def orders(draw) -> Asked:
    delivery = draw(st.just(Decimal(0)) | sums(30_000))
    lines = [
        LineSpec(name="Item", line_sum=draw(sums(150_000)), category=draw(st.sampled_from(["", GIFT_CARDS])))
        for _ in range(draw(st.integers(0, 3)))
    ]
    goods = sum((line.line_sum for line in lines), Decimal(0)) if lines else draw(sums(300_000))
    points = st.just(0) | st.integers(1, 3_000)
    return Asked(goods + delivery, delivery, lines, draw(points), draw(st.just(0) | points))


@st.composite
def members(draw) -> dict[str, Any]:
    """What a member may have behind them."""
    return {
        "paid": draw(st.lists(st.tuples(st.integers(1, 400), sums(200_000)), max_size=3)),
        "points": draw(st.sampled_from([0, 1, 40]) | st.integers(0, 3_000)),
        "lapsed_points": draw(st.sampled_from([0, 30])),
        "floor": draw(st.sampled_from([None, None, 0, 1])),
        "is_blocked": draw(st.sampled_from([False, False, False, True])),
    }


def publish(settings_: dict[str, Any], effective_at) -> RuleSet:
    return publish_rule_set(
        rule_set=create_draft(**settings_), effective_at=effective_at, published_at=NOON, reason="A test"
    )


def member_with(past: dict[str, Any], source: Source) -> Member:
    """A member who has paid, earned, been raised by hand and been blocked, as `past` says."""
    member = MemberFactory()
    for days, total_sum in sorted(past["paid"], reverse=True):
        register_paid_order(
            source=source,
            number=str(next(NUMBERS)),
            member=member,
            total_sum=total_sum,
            paid_at=NOON - timedelta(days=days),
        )
    if past["points"]:
        earn(member, past["points"], at=YESTERDAY_NOON)
    if past["lapsed_points"] and balance_of(member, YESTERDAY_NOON).available_points >= past["lapsed_points"]:
        hold(member, past["lapsed_points"], at=YESTERDAY_NOON, hours=1)
    if past["floor"] is not None:
        with suppress(LoyaltyError):
            set_floor(member=member, position=past["floor"], actor_id=None, reason="A test", at=NOON)
    ledger.block(account_id=member.pk, is_blocked=past["is_blocked"])
    return member


@pytest.mark.django_db
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(older=editions(), newer=editions(), past=members(), asked=orders())
def test_a_quote_is_what_placing_and_paying_gives(shop, older, newer, past, asked):
    with transaction.atomic():
        publish(older, LONG_AGO)
        # Some of the past, and the standing it left, are of older rules.
        publish(newer, NOON - timedelta(days=40))
        follow(shop, member_with(past, shop), asked)
        transaction.set_rollback(True)


def follow(shop: Source, member: Member, asked: Asked) -> None:
    """Ask for a quote, then do what was quoted, and compare."""
    order = None
    held_points = 0
    if asked.points_before:
        before = quote(member=member, **asked.sums, points=asked.points_before, at=NOON)
        if before.points:
            order = placed(shop, member, asked, before.points)
            held_points = order.held_points
            assert held_points == before.points
    offer = quote(member=member, **asked.sums, points=asked.points, at=NOON, held_points=held_points)
    event(f"limited by {offer.limited_by}, {type(offer.refusal).__name__}")

    if offer.refusal is None:
        order = with_points(shop, member, asked, asked.points, order)
    else:
        assert refusal_of(shop, member, asked, asked.points, order) == describe(offer.refusal)
        order = with_points(shop, member, asked, offer.points, order)
    assert order.held_points == held_points + offer.points
    assert offer.points == min(asked.points, offer.spendable_points) or offer.points == 0
    assert is_most(shop, member, asked, offer)
    compare(offer, pay_order(order=order, paid_at=NOON), member)


def placed(shop: Source, member: Member, asked: Asked, points: int) -> Order:
    return place_order(
        source=shop, number=str(next(NUMBERS)), member=member, **asked.sums, placed_at=NOON, points=points
    )


def with_points(shop: Source, member: Member, asked: Asked, points: int, order: Order | None) -> Order:
    """The order with these points set aside for it: a new one, unless there is one already."""
    if order is None:
        return placed(shop, member, asked, points)
    if not points:
        return order
    return add_points(order=order, member=member, points=points, key=uuid4(), at=NOON)


def refusal_of(shop: Source, member: Member, asked: Asked, points: int, order: Order | None) -> object:
    try:
        with transaction.atomic():
            with_points(shop, member, asked, points, order)
    except LoyaltyError as refusal:
        return describe(refusal)
    return None


def describe(refusal: LoyaltyError) -> tuple[str, str]:
    return refusal.code, str(refusal)


def is_most(shop: Source, member: Member, asked: Asked, offer: Quote) -> bool:
    """Whether one point more than the quote allows would not be set aside."""
    with transaction.atomic():
        try:
            more = placed(shop, member, asked, offer.held_points + offer.spendable_points + 1)
        except LoyaltyError:
            return True
        finally:
            transaction.set_rollback(True)
    return more.held_points <= offer.held_points + offer.spendable_points


def compare(offer: Quote, order: Order, member: Member) -> None:
    """The paid order is what was quoted, in the order's own words and in the ledger's."""
    assert (offer.rule_set, offer.tier, offer.coefficient) == (order.rule_set, order.tier, order.coefficient)
    assert offer.held_points + offer.points == order.spent_points
    assert offer.earned_points == order.earned_points
    assert offer.to_pay_sum == order.total_sum - order.spent_points
    assert offer.to_pay_sum == order.steps.get(kind="paid").money_sum
    standing = Standing.objects.get(member=member)
    assert offer.tier_after == same_tier(offer.rule_set, standing.tier)
    credit = Posting.objects.filter(order_id=order.pk, kind=Posting.Kind.CREDIT).first()
    assert (credit is not None) == (offer.earned_points > 0)
    if credit:
        said = credit.explanation
        assert (said["base_sum"], said["excluded_sum"], said["points_part_sum"]) == (
            str(offer.base_sum),
            str(offer.excluded_sum),
            str(offer.points_part_sum),
        )
        born = Credit.objects.get(posting_id=credit.pk)
        assert (born.points, born.available_at, born.expires_on) == (
            offer.earned_points,
            offer.available_at,
            offer.expires_on,
        )


# What limits the points, one by one


def offer_of(member: Member | None, total: int | str, points: int | None = None, **more: Any) -> Quote:
    return quote(member=member, total_sum=Decimal(total), points=points, at=NOON, **more)


def test_case_75_the_cap_limits_and_says_so(ada, in_english):
    publish_edition(redemption_cap_rate=Decimal("0.5"))
    earn(ada, 10_000)

    offer = offer_of(ada, 10_000, 10_000)

    assert (offer.points, offer.spendable_points, offer.cap_points) == (5_000, 5_000, 5_000)
    assert (offer.limited_by, offer.refusal) == (Limit.CAP, None)
    assert offer.limit_sentence == "Points can pay for at most 50% of this order: 5,000\u00a0points."
    assert offer.to_pay_sum == 5_000


def test_case_77_the_minimum_refuses_fewer_points(ada, in_english):
    publish_edition(redemption_minimum_points=500)
    earn(ada, 1_000)

    offer = offer_of(ada, 5_000, 400)

    assert (offer.points, offer.spendable_points, offer.least_points) == (0, 1_000, 500)
    assert isinstance(offer.refusal, BelowMinimum)
    assert str(offer.refusal) == "At least 500 points must be spent on an order."
    assert offer_of(ada, 5_000, 500).points == 500


def test_case_77_a_minimum_out_of_reach_is_what_limits(ada, in_english):
    publish_edition(redemption_minimum_points=500, redemption_cap_rate=Decimal("0.2"))
    earn(ada, 1_000)

    offer = offer_of(ada, 1_000)

    assert (offer.limited_by, offer.spendable_points) == (Limit.MINIMUM, 0)
    assert offer.limit_sentence == (
        "At least 500 points must be spent on an order. Possible on this one: 200\u00a0points."
    )


@pytest.mark.parametrize(("total", "points"), [(333, 66), (999, 199)])
def test_case_79_the_cap_is_rounded_down(ada, total, points):
    publish_edition(redemption_cap_rate=Decimal("0.2"))
    earn(ada, 1_000)

    assert offer_of(ada, total).spendable_points == points


def test_case_81_more_points_than_there_are(ada, in_english):
    earn(ada, 200)

    offer = offer_of(ada, 5_000, 500)

    assert (offer.points, offer.spendable_points, offer.limited_by) == (200, 200, Limit.BALANCE)
    assert isinstance(offer.refusal, NotEnoughPoints)
    assert offer.refusal.limit_points == 200
    assert offer.limit_sentence == "200 points are available."


def test_no_points_at_all_limit_too(ada, in_english):
    assert offer_of(ada, 100).limit_sentence == "No points are available at present."


def test_points_may_pay_for_a_whole_order(ada, in_english):
    earn(ada, 500)

    offer = offer_of(ada, "333.50", 500)

    assert (offer.points, offer.to_pay_sum, offer.limited_by) == (333, Decimal("0.50"), Limit.NOTHING)
    assert offer.limit_sentence == "Points can pay for the whole order: 333\u00a0points."


def test_a_blocked_member_spends_nothing(ada, in_english):
    earn(ada, 500)
    ledger.block(account_id=ada.pk, is_blocked=True)

    offer = offer_of(ada, 1_000, 100)

    assert (offer.spendable_points, offer.limited_by) == (0, Limit.BLOCKED)
    assert isinstance(offer.refusal, AccountBlocked)
    assert offer.limit_sentence.startswith("This account is blocked")
    assert offer.earned_points == 30


def test_an_order_of_nobody_earns_and_spends_nothing(db, in_english):
    offer = offer_of(None, 1_000, 100)

    assert (offer.earned_points, offer.points, offer.spendable_points) == (0, 0, 0)
    assert (offer.tier, offer.coefficient, offer.available_at) == (None, None, None)
    assert offer.limited_by == Limit.NOT_A_MEMBER
    assert isinstance(offer.refusal, NotAMember)
    assert offer.limit_sentence.startswith("Points can be spent by members only")
    assert (offer.to_pay_sum, offer.base_sum) == (1_000, 1_000)


def test_case_87_what_is_set_aside_already_counts(ada):
    publish_edition(("Everyone", 0, "0.1"), redemption_cap_rate=Decimal("0.5"))
    earn(ada, 1_000)

    offer = offer_of(ada, 1_000, 900, held_points=300)

    assert (offer.points, offer.spendable_points, offer.to_pay_sum) == (200, 200, 500)
    assert offer.earned_points == 50


def test_the_crossing_order_earns_by_the_edition(ada):
    for earns_new_tier, points in [(True, 1_000), (False, 500)]:
        publish_edition(
            ("Low", 0, "0.05"), ("High", 10_000, "0.1"), crossing_order_earns_new_tier=earns_new_tier
        )
        offer = offer_of(ada, 10_000)
        assert (offer.earned_points, offer.tier_after.name) == (points, "High")
        assert offer.tier == tiers_of(offer.rule_set)[earns_new_tier]


def test_sums_that_cannot_be_are_refused_as_when_placing(ada):
    with pytest.raises(BadSum):
        offer_of(ada, "-1")
    with pytest.raises(LinesDoNotAddUp):
        offer_of(ada, 100, lines=[LineSpec(name="a", line_sum=Decimal(99))])


def test_a_quote_writes_nothing_and_asks_little(ada, shop):
    publish_edition(paid_sum_months=6)
    register_paid_order(source=shop, number="1", member=ada, total_sum=Decimal(500), paid_at=YESTERDAY_NOON)
    hold(ada, 5, at=YESTERDAY_NOON, hours=1)
    rows = every_row(), list(Standing.objects.values())

    with CaptureQueriesContext(connection) as captured:
        offer_of(ada, 1_000, 10)

    assert len(captured) == MOST_QUERIES
    assert (every_row(), list(Standing.objects.values())) == rows
