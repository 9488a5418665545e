"""A what-if says what plain Python finds, member by member and order by order, whatever has happened."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import wraps
from itertools import count
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Member
from loyalty.models import RuleSet, Standing
from loyalty.services import ledger
from loyalty.services.rules import TierSpec, create_draft, publish_rule_set
from orders.models import Order, Source
from orders.services.orders import LineSpec, cancel_order, pay_order, refund_order, register_paid_order
from referrals.models import How
from referrals.services import attach_inviter
from supervisor.queries.what_if import had_it_been, what_if
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO
from tests.supervisor import what_if_model as model

PEOPLE = 3
BEGIN = NOON - timedelta(days=480)
NUMBERS = count(1)
NAMES = ("Bronze", "Silver", "Gold", "Black")


@dataclass(frozen=True)
class Event:
    """A paid order, or what became of one of the orders before it."""

    minute: int
    kind: str
    person: int
    goods: int
    delivery: int
    points_share: int
    is_card: bool
    earlier: int
    returned_share: int


EVENTS = st.lists(
    st.builds(
        Event,
        minute=st.integers(0, 479 * 24 * 60),
        kind=st.sampled_from(["order"] * 4 + ["refund", "refund", "cancel", "pay again"]),
        person=st.integers(0, PEOPLE - 1),
        goods=st.one_of(st.integers(0, 300_000), st.sampled_from([0, 5_000, 10_000, 20_000])),
        delivery=st.sampled_from([0, 0, 30_000]),
        points_share=st.sampled_from([0, 0, 0, 30, 100]),
        is_card=st.booleans(),
        earlier=st.integers(0, 20),
        returned_share=st.sampled_from([1, 33, 50, 100]),
    ),
    max_size=14,
)
RULES = st.fixed_dictionaries(
    {
        "paid_sum_months": st.sampled_from([None, None, 1, 3, 12, 14]),
        "crossing_order_earns_new_tier": st.booleans(),
        "tier_lowering": st.sampled_from(RuleSet.TierLowering.values),
        "rounding": st.sampled_from(RuleSet.Rounding.values),
        "earns_on_points_part": st.booleans(),
        "earns_on_delivery": st.booleans(),
        "excluded_categories": st.sampled_from([[], ["cards"], ["cards", "books"]]),
        "redemption_cap_rate": st.sampled_from([Decimal(1), Decimal("0.2"), Decimal("0.335")]),
        "redemption_minimum_points": st.sampled_from([0, 50]),
        "referral_months": st.sampled_from([None, 1, 6]),
        "referral_orders": st.sampled_from([None, 1, 3]),
        "referral_least_sum": st.sampled_from([Decimal(0), Decimal(500)]),
        "referral_month_limit_points": st.sampled_from([None, None, 15]),
    }
)
TIERS = st.lists(
    st.tuples(
        st.sampled_from(["50", "100", "700.01", "1500", "4000"]),
        st.sampled_from(["0", "0.05", "0.0333", "0.111"]),
        st.sampled_from(["0", "0.01", "0.0275"]),
        st.sampled_from([None, Decimal("0.1")]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda tier: tier[0],
)


def edition(tiers, settings_, names=NAMES) -> RuleSet:
    """A draft with these tiers above one from 0."""
    rows = [("0", "0.03", "0.01", None), *sorted(tiers, key=lambda tier: Decimal(tier[0]))]
    specs = [
        TierSpec(
            name=name,
            threshold_sum=Decimal(threshold),
            coefficient=Decimal(coefficient),
            referral_rate=Decimal(rate),
            redemption_cap_rate=cap,
        )
        for name, (threshold, coefficient, rate, cap) in zip(names, rows, strict=False)
    ]
    return create_draft(tiers=specs, **settings_)


def in_force(rule_set: RuleSet) -> RuleSet:
    """The draft, published and in force for long."""
    return publish_rule_set(rule_set=rule_set, effective_at=LONG_AGO, published_at=LONG_AGO, reason="A test")


def live_through(events, floors) -> list[Member]:
    """People who invited one another in turn, have points to spend, and buy, return and cancel."""
    shop = Source.objects.create(code=f"shop-{next(NUMBERS)}", name="Shop")
    people = MemberFactory.create_batch(PEOPLE, joined_at=BEGIN)
    attach_inviter(inviter=people[0], invited=people[1], since_at=BEGIN, how=How.LINK)
    attach_inviter(inviter=people[0], invited=people[2], since_at=BEGIN + timedelta(days=60), how=How.LINK)
    for member in people:
        ledger.credit(key=uuid4(), account_id=member.pk, points=50_000, at=BEGIN, expires_on=None)
    orders: list[Order] = []
    for turn, event in enumerate(sorted(events, key=lambda one: one.minute)):
        at = BEGIN + timedelta(minutes=event.minute, seconds=turn)
        happen(event, at, shop, people, orders)
    for member, floor in zip(people, floors, strict=True):
        Standing.objects.filter(member=member).update(floor_position=floor)
    return people


def happen(event, at, shop, people, orders) -> None:
    """One thing that a person did."""
    if event.kind == "order":
        total = Decimal(event.goods + event.delivery) / 100
        lines = [LineSpec(name="Thing", line_sum=Decimal(event.goods) / 100, category="books")]
        if event.is_card:
            half = Decimal(event.goods // 2) / 100
            lines = [
                LineSpec(name="Card", line_sum=half, category="cards"),
                LineSpec(name="Thing", line_sum=Decimal(event.goods) / 100 - half),
            ]
        orders.append(
            register_paid_order(
                source=shop,
                number=f"N-{next(NUMBERS)}",
                member=people[event.person],
                total_sum=total,
                delivery_sum=Decimal(event.delivery) / 100,
                lines=lines,
                points=points_to_spend(total, event.points_share),
                paid_at=at,
            )
        )
        return
    if not orders:
        return
    order = orders[event.earlier % len(orders)]
    order.refresh_from_db()
    if event.kind == "refund" and order.status in ("paid", "partly_refunded"):
        sums = {
            line.position: round((line.line_sum - line.refunded_sum) * event.returned_share / 100, 2)
            for line in order.lines.all()
        }
        sums = {position: sum_ for position, sum_ in sums.items() if sum_}
        if sums:
            refund_order(order=order, key=uuid4(), refunded_at=at, line_sums=sums)
    elif event.kind == "cancel":
        cancel_order(order=order, cancelled_at=at)
    elif event.kind == "pay again" and order.status == "cancelled":
        pay_order(order=order, paid_at=at, key=uuid4())


def points_to_spend(total: Decimal, share: int) -> int:
    """How many points are asked for, if any may be: the least that the edition lets be spent is kept to."""
    points = int(total * share / 100)
    return points if points >= 50 else 0


def alone(test):
    """Undo what each example has written, so that the next one begins anew."""

    @wraps(test)
    def run(**drawn):
        with transaction.atomic():
            test(**drawn)
            transaction.set_rollback(True)

    return run


examples_of_lives = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.django_db
@examples_of_lives
@given(
    events=EVENTS,
    live_rules=RULES,
    draft_rules=RULES,
    live_tiers=TIERS,
    draft_tiers=TIERS,
    draft_names=st.lists(st.sampled_from([*NAMES, "Steel", "Tin"]), min_size=4, max_size=4, unique=True),
    floors=st.tuples(*[st.sampled_from([None, None, 1, 3])] * PEOPLE),
)
@alone
def test_everything_is_as_found_one_by_one(
    events, live_rules, draft_rules, live_tiers, draft_tiers, draft_names, floors
):
    live_tiers = [(*tier[:3], None) for tier in live_tiers]
    live = in_force(edition(live_tiers, {**live_rules, "redemption_cap_rate": Decimal(1)}))
    people = live_through(events, floors)
    draft = edition(draft_tiers, draft_rules, draft_names)

    found = what_if(draft=draft, live=live, at=NOON)

    moves = {(move.from_name, move.to_name): move.members for move in found.matrix}
    assert {way: members for way, members in moves.items() if members} == model.ways(live, draft, NOON)
    for move in found.matrix:
        assert move.direction == model.direction(live, draft, move.from_name, move.to_name)
    assert found.rising + found.falling + found.staying == found.members == Member.objects.count()
    assert sum(line.members_now for line in found.tiers) == len(people)
    assert sum(line.members_then for line in found.tiers) == len(people)
    for days, pace, cap in zip((90, 365), found.paces, found.caps, strict=True):
        assert pace == model.pace(live, draft, NOON, days)
        assert cap == model.cap(live, draft, NOON, days)

    history = had_it_been(draft=draft, at=NOON)

    expected = model.replayed(draft, NOON, model.window_begin(NOON))
    assert {
        month.month: (month.earned_replayed, month.shared_replayed)
        for month in history.months
        if month.month in expected or month.replayed
    } == expected


@pytest.mark.django_db
@examples_of_lives
@given(events=EVENTS, rules=RULES, tiers=TIERS)
@alone
def test_the_rules_that_were_in_force_replay_what_really_was(events, rules, tiers):
    # What was taken back frees a month's limit in life, and does not in the replay.
    settings_ = {**rules, "referral_month_limit_points": None, "redemption_cap_rate": Decimal(1)}
    live = in_force(edition([(*tier[:3], None) for tier in tiers], settings_))
    live_through(events, (None, None, None))
    history = had_it_been(draft=live, at=NOON)
    for month in history.months:
        assert (month.earned_replayed, month.shared_replayed) == (month.earned_really, month.shared_really)
    assert history.earned_really == sum(
        order.earned_points - order.taken_back_points
        for order in Order.objects.filter(paid_at__gt=model.window_begin(NOON))
    )
