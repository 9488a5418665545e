"""The audit finds an order that says something else than the ledger."""

from decimal import Decimal
from uuid import uuid4

import pytest

from loyalty.queries.audit import every_check, findings
from orders.queries.audit import CHECKS
from orders.services.orders import LineSpec, cancel_order, pay_order, refund_order
from referrals.models import How
from referrals.services import attach_inviter
from tests.clock import AN_HOUR_LATER, NOON
from tests.loyalty.points import earn, execute

SABOTAGE = {
    "order_equals_its_credits": "update orders_order set earned_points = earned_points + 1",
    "order_equals_its_spendings": "update orders_order set spent_points = spent_points + 1",
    "reward_equals_its_credit": "update referrals_reward set points = points + 1",
    "shares_equal_the_ledger": "update referrals_reward set kind = 'welcome'",
    "held_reward_is_pending": "update referrals_reward set is_held = true",
    "referral_counts_orders": "update referrals_referral set orders_count = orders_count + 1",
    "order_equals_its_lines": "update orders_orderline set line_sum = line_sum + 1",
    "no_order_follows_withdrawn_rules": """alter table loyalty_rule_set disable trigger user;
        update loyalty_rule_set set effective_at = now(), withdrawn_at = published_at""",
    "paid_sum_follows_orders": "update orders_order set total_sum = total_sum + 1",
}


@pytest.fixture
def busy_shop(ada, ben, paid, placed):
    """Orders have gone every way there is."""
    attach_inviter(inviter=ada, invited=ben, since_at=NOON, how=How.LINK)
    earn(ben, 1_000)
    lines = [LineSpec(name="Beans", line_sum=Decimal(700)), LineSpec(name="Cake", line_sum=Decimal(300))]
    part = paid(ben, 1_100, points=333, delivery_sum=Decimal(100), lines=lines)
    refund_order(order=part, key=uuid4(), refunded_at=AN_HOUR_LATER, line_sums={1: Decimal("123.45")})
    again = paid(ben, 2_000, points=100)
    cancel_order(order=again, cancelled_at=AN_HOUR_LATER)
    pay_order(order=again, paid_at=AN_HOUR_LATER)
    cancel_order(order=placed(ben, 500, points=50), cancelled_at=AN_HOUR_LATER)
    placed(ada, 500)
    paid(None, 400, customer_email="eve@example.com")


def broken() -> set[str]:
    return {finding.check.name for finding in findings(every_check()) if finding.found_count}


def test_audit_of_a_busy_shop_finds_nothing(busy_shop):
    assert broken() == set()


def test_every_check_of_orders_has_its_sabotage():
    assert {check.name for check in CHECKS} == set(SABOTAGE)


@pytest.mark.parametrize("name", SABOTAGE)
def test_audit_finds_an_order_that_disagrees(busy_shop, name):
    execute(SABOTAGE[name])

    assert name in broken()
