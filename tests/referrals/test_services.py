"""The inviter's share of a friend's orders."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from loyalty.services.rules import create_draft, publish_rule_set
from orders.services.orders import refund_order
from referrals.errors import AlreadyInvited, SelfInvitation
from referrals.models import How, Referral
from referrals.services import attach_inviter
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, tier_spec
from tests.orders.shop import balance_of


def invite(inviter, invited) -> Referral:
    return attach_inviter(inviter=inviter, invited=invited, since_at=LONG_AGO, how=How.LINK)


def test_case_143_the_inviter_earns_on_the_first_and_on_the_second_order(ada, ben, paid):
    invite(ada, ben)

    paid(ben, 1_000)
    assert balance_of(ada).available_points == 10
    paid(ben, 2_000)

    assert balance_of(ada).available_points == 30
    assert balance_of(ben).available_points == 90


def test_case_143_the_edition_may_limit_the_orders_and_the_months(ada, ben, paid):
    invite(ada, ben)
    _publish(referral_orders=1)

    paid(ben, 1_000)
    paid(ben, 2_000)
    assert balance_of(ada).available_points == 10

    _publish(referral_months=1)
    paid(ben, 3_000)
    assert balance_of(ada).available_points == 10


def test_the_share_follows_the_inviters_tier_at_that_moment(ada, ben, paid):
    invite(ada, ben)
    paid(ada, 30_000)
    before = balance_of(ada).available_points

    paid(ben, 1_000)

    assert balance_of(ada).available_points == before + 20


def test_a_return_takes_its_share_back(ada, ben, paid):
    invite(ada, ben)
    order = paid(ben, 1_000)

    refund_order(order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(350))
    assert balance_of(ada).available_points == 6
    refund_order(order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(650))

    assert balance_of(ada).available_points == 0


def test_the_first_inviter_stays_and_nobody_invites_themselves(ada, ben):
    invite(ada, ben)
    invite(ada, ben)

    with pytest.raises(AlreadyInvited):
        invite(MemberFactory(), ben)
    with pytest.raises(SelfInvitation):
        invite(ada, ada)


def _publish(**settings) -> None:
    draft = create_draft(tiers=[tier_spec("Everyone", 0, "0.03", referral_rate=Decimal("0.01"))], **settings)
    publish_rule_set(
        rule_set=draft, effective_at=NOON - timedelta(days=1), published_at=NOON, reason="A test"
    )
