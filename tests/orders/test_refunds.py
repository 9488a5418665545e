"""Any sequence of partial refunds ends where one refund of the same amount would have."""

from decimal import Decimal
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import RuleSet, Standing
from loyalty.services import ledger
from loyalty.services.rules import create_draft, publish_rule_set
from orders.models import Order, Source
from orders.services.orders import LineSpec, refund_order, register_paid_order
from referrals.models import Flag, How, Referral
from referrals.services import attach_inviter, raise_flag
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, tier_spec
from tests.orders.shop import balance_of

NUMBERS = count(1)


@st.composite
def orders_and_refunds(draw):
    """Lines in kopecks with an amount returned of each, cut into parts, in any order."""
    lines = draw(st.lists(st.integers(1, 500_000), min_size=1, max_size=4))
    parts = []
    for position, kopecks in enumerate(lines, start=1):
        left = draw(st.integers(0, kopecks))
        while left:
            part = draw(st.integers(1, left))
            parts.append((position, part))
            left -= part
            if len(parts) > 8:
                break
    delivery = draw(st.integers(0, 50_000))
    return lines, delivery, draw(st.permutations(parts)), draw(st.integers(0, 6_000))


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    case=orders_and_refunds(),
    rounding=st.sampled_from(RuleSet.Rounding.values),
    limit_points=st.sampled_from([None, 1, 40]),
    waiting_days=st.sampled_from([None, 0, 14]),
    is_doubted=st.booleans(),
)
def test_partial_refunds_end_where_one_would(case, rounding, limit_points, waiting_days, is_doubted):
    lines, delivery, parts, points = case
    if not parts:
        return
    publish_rule_set(
        rule_set=create_draft(
            tiers=[tier_spec("Everyone", 0, "0.07", referral_rate=Decimal("0.03"))],
            rounding=rounding,
            excluded_categories=["none"],
            referral_month_limit_points=limit_points,
            referral_waiting_days=waiting_days,
            welcome_points=33,
            welcome_when="first_order",
        ),
        effective_at=LONG_AGO,
        published_at=NOON,
        reason="A test",
    )
    ends = []
    for sequence in (parts, _together(parts)):
        inviter, member = MemberFactory(), MemberFactory()
        referral = attach_inviter(inviter=inviter, invited=member, since_at=NOON, how=How.LINK)
        if is_doubted:
            raise_flag(referral=referral, kind=Flag.Kind.CHAIN, at=NOON)
        ledger.credit(key=uuid4(), account_id=member.pk, points=6_000, at=NOON, expires_on=None)
        order = _order(member, lines, delivery, points)
        brought_points = balance_of(inviter).available_points + balance_of(inviter).pending_points
        assert limit_points is None or brought_points <= limit_points
        before, welcome_before = balance_of(member), welcome_of(referral)
        for position, kopecks in sequence:
            order = refund_order(
                order=order,
                key=uuid4(),
                refunded_at=AN_HOUR_LATER,
                line_sums={position: Decimal(kopecks) / 100},
            )
        after = balance_of(member, AN_HOUR_LATER)
        welcome_taken = welcome_before - welcome_of(referral)
        assert (
            after.available_points + after.pending_points - before.available_points - before.pending_points
            == order.given_back_points - order.taken_back_points - welcome_taken
        )
        ends.append(
            (
                order.given_back_points,
                order.taken_back_points,
                after.available_points,
                after.debt_points,
                balance_of(inviter, AN_HOUR_LATER).available_points,
                balance_of(inviter, AN_HOUR_LATER).pending_points,
                welcome_of(referral),
                Referral.objects.get(pk=referral.pk).orders_count,
                Standing.objects.get(member=member).paid_sum,
                order.status,
            )
        )
    # One refund names all lines at once in life; line by line it is the same to the points.
    assert ends[0] == ends[1]


def welcome_of(referral: Referral) -> int:
    """The welcome points that the friend has by their invitation."""
    return sum(reward.points - reward.taken_back_points for reward in referral.rewards.filter(kind="welcome"))


def _together(parts):
    """The same amounts, each line at once."""
    sums: dict[int, int] = {}
    for position, kopecks in parts:
        sums[position] = sums.get(position, 0) + kopecks
    return sorted(sums.items())


def _order(member, lines, delivery, points) -> Order:
    source, _ = Source.objects.get_or_create(code="noon", name="Полдень")
    categories = ["", "none", "tea", ""]
    return register_paid_order(
        source=source,
        number=str(next(NUMBERS)),
        member=member,
        total_sum=Decimal(sum(lines) + delivery) / 100,
        delivery_sum=Decimal(delivery) / 100,
        paid_at=NOON,
        points=points,
        lines=[
            LineSpec(name=str(index), line_sum=Decimal(kopecks) / 100, category=categories[index])
            for index, kopecks in enumerate(lines)
        ],
    )
