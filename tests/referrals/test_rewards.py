"""What a friend's orders bring: the inviter's share, within the edition's limits, and the welcome."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.models import Message
from loyalty.models import Credit, Fund, Posting
from loyalty.queries.operations import operation
from loyalty.services.rules import create_draft, publish_rule_set
from loyalty.services.standing import standing_of
from loyalty.wording import derivation
from orders.services.orders import cancel_order, pay_order, refund_order
from referrals.errors import AlreadyInvited, SelfInvitation
from referrals.models import Invitation, Referral, Reward
from tests.clock import AN_HOUR_LATER, MOSCOW, NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import tier_spec
from tests.orders.shop import balance_of
from tests.referrals.friends import broken_promises, invite, publish

FIRST_ORDER = {"welcome_points": 250, "welcome_when": "first_order"}


def test_case_143_the_inviter_earns_on_the_first_and_on_the_second_order(ada, ben, paid):
    invite(ada, ben)

    paid(ben, 1_000)
    assert balance_of(ada).available_points == 10
    paid(ben, 2_000)

    assert balance_of(ada).available_points == 30
    assert balance_of(ben).available_points == 90


def test_case_143_the_edition_may_limit_the_orders_and_the_months(ada, ben, paid):
    invite(ada, ben)
    publish(referral_orders=1)

    paid(ben, 1_000)
    paid(ben, 2_000)
    assert balance_of(ada).available_points == 10

    publish(referral_months=1)
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
    assert Invitation.objects.get().referral == Referral.objects.get()


def test_orders_from_before_the_click_bring_nothing(ada, ben, paid):
    invite(ada, ben, since_at=NOON)

    early = paid(ben, 1_000, at=NOON - timedelta(seconds=1))
    paid(ben, 2_000, at=NOON)

    assert balance_of(ada).available_points == 20
    assert Referral.objects.get().orders_count == 1
    refund_order(order=early, key=uuid4(), refunded_at=AN_HOUR_LATER, is_whole=True)
    assert Referral.objects.get().orders_count == 1
    assert broken_promises() == set()


def test_an_order_below_the_least_sum_brings_nothing(ada, ben, paid):
    invite(ada, ben)
    publish(referral_least_sum=Decimal(500), **FIRST_ORDER)

    paid(ben, "499.99")
    assert not Reward.objects.exists()
    order = paid(ben, 500)
    assert {reward.kind: reward.points for reward in Reward.objects.all()} == {"share": 5, "welcome": 250}

    # The rest of an order that was large enough keeps its share.
    refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, goods_sum=Decimal(200))
    assert balance_of(ada, AN_HOUR_LATER).available_points == 3
    assert Referral.objects.get().orders_count == 2
    assert broken_promises() == set()


def test_shares_wait_as_long_as_the_edition_says(ada, ben, paid):
    invite(ada, ben)
    publish(waiting_days=3, referral_waiting_days=14)

    paid(ben, 1_000)

    assert balance_of(ada, NOON + timedelta(days=13)).pending_points == 10
    assert balance_of(ada, NOON + timedelta(days=14)).available_points == 10
    assert balance_of(ben, NOON + timedelta(days=3)).available_points == 30


@pytest.mark.parametrize(("days", "pending"), [(None, 10), (0, 0)])
def test_without_a_waiting_time_of_their_own_shares_wait_as_earned_points_do(ada, ben, paid, days, pending):
    invite(ada, ben)
    publish(waiting_days=3, referral_waiting_days=days)

    paid(ben, 1_000)

    assert balance_of(ada).pending_points == pending


def test_a_month_brings_no_more_than_its_limit(ada, ben, paid):
    """The month is the calendar's in the programme's zone; what is taken back makes room again."""
    invite(ada, ben)
    publish(referral_month_limit_points=25)
    last_evening = datetime(2026, 3, 31, 23, 59, tzinfo=MOSCOW)

    first = paid(ben, 1_000)
    paid(ben, 2_000)
    paid(ben, 1_000, at=last_evening)

    assert list(Reward.objects.order_by("pk").values_list("points", flat=True)) == [10, 15]
    paid(ben, 1_000, at=last_evening + timedelta(minutes=1))
    assert balance_of(ada, last_evening + timedelta(minutes=1)).available_points == 35

    refund_order(order=first, key=uuid4(), refunded_at=AN_HOUR_LATER, is_whole=True)
    paid(ben, 3_000, at=last_evening)
    assert Reward.objects.latest("pk").points == 10
    assert broken_promises() == set()


def test_a_share_that_the_limit_has_cut_says_so(ada, ben, paid, in_english):
    invite(ada, ben)
    publish(referral_month_limit_points=25)

    paid(ben, 3_000)

    share = operation(account_id=ada.pk, posting_id=Posting.objects.get(purpose="referral").pk)
    assert [line.replace("\xa0", " ") for line in derivation(share, None)] == [
        "3,000 ₽ × 1% (Everyone, edition 2), rounded down = 30 points",
        "In a month, friends’ orders bring at most 25 points. Left of that: 25 points.",
    ]


def test_what_a_cut_share_loses_is_only_what_the_rest_would_not_bring(ada, ben, paid):
    invite(ada, ben)
    publish(referral_month_limit_points=25)
    order = paid(ben, 3_000)

    for goods_sum, left_points in ((400, 25), (200, 24), (1_200, 12)):
        refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, goods_sum=Decimal(goods_sum))
        assert balance_of(ada, AN_HOUR_LATER).available_points == left_points


def test_case_33_welcome_points_come_once_with_the_first_paid_order(ada, ben, paid):
    invite(ada, ben)
    publish(referral_waiting_days=14, **FIRST_ORDER)

    first = paid(ben, 1_000)
    paid(ben, 1_000)

    welcome = Reward.objects.get(kind=Reward.Kind.WELCOME)
    assert (welcome.order_id, welcome.points) == (first.pk, 250)
    assert Credit.objects.get(pk=welcome.credit_id).fund == Fund.PROMOTIONS
    # They wait as the share does: until the order can no longer be returned.
    assert balance_of(ben).pending_points == 250
    assert balance_of(ben, NOON + timedelta(days=14)).available_points == 250 + 60


def test_welcome_points_go_with_the_order_that_brought_them_and_come_with_the_next(ada, ben, paid):
    invite(ada, ben)
    publish(**FIRST_ORDER)
    first = paid(ben, 1_000)

    refund_order(order=first, key=uuid4(), refunded_at=AN_HOUR_LATER, goods_sum=Decimal(999))
    assert balance_of(ben, AN_HOUR_LATER).available_points == 250
    refund_order(order=first, key=uuid4(), refunded_at=AN_HOUR_LATER, goods_sum=Decimal(1))
    assert balance_of(ben, AN_HOUR_LATER).available_points == 0
    referral = Referral.objects.get()
    assert (referral.orders_count, referral.first_bought_at) == (0, None)

    second = paid(ben, 2_000, at=TOMORROW_NOON)
    cancel_order(order=second, cancelled_at=TOMORROW_NOON)
    pay_order(order=second, paid_at=TOMORROW_NOON)

    assert balance_of(ben, TOMORROW_NOON).available_points == 250 + 60
    assert balance_of(ada, TOMORROW_NOON).available_points == 20
    given = Reward.objects.filter(kind=Reward.Kind.WELCOME).order_by("pk")
    assert [(one.order_id, one.taken_back_points, one.taken_back_for) for one in given] == [
        (first.pk, 250, "returned"),
        (second.pk, 250, "returned"),
        (second.pk, 0, ""),
    ]
    referral.refresh_from_db()
    assert (referral.orders_count, referral.first_bought_at) == (1, TOMORROW_NOON)
    assert broken_promises() == set()


def test_an_order_that_earns_nothing_brings_no_welcome(ada, ben, paid):
    invite(ada, ben)
    publish(excluded_categories=["cards"], **FIRST_ORDER)

    paid(ben, 0)

    assert not Reward.objects.exists()
    assert Referral.objects.get().orders_count == 1


def test_members_are_told_of_what_an_order_brought_in_its_own_words(ada, ben, paid):
    invite(ada, ben)
    publish(referral_waiting_days=14, **FIRST_ORDER)

    paid(ben, 1_000, number="N-1")

    soon = (NOON + timedelta(days=14)).astimezone(MOSCOW).timestamp()
    told = [(message.member, message.kind, message.facts) for message in Message.objects.order_by("pk")]
    for _member, kind, facts in told[1:]:
        assert datetime.fromisoformat(facts.pop("available_at")).timestamp() == soon, kind
    assert told == [
        (ben, "points_earned", {"order": "N-1", "points": 30, "spent_points": 0, "available_at": None}),
        (ada, "share_earned", {"friend": "Бен С.", "points": 10, "is_held": False}),
        (ben, "welcome_points", {"points": 250, "is_held": False}),
    ]
    assert not Message.objects.filter(wants_letter=False).exists()


def tiers_told(member) -> list[tuple[str, bool]]:
    told = Message.objects.filter(member=member, facts__has_key="tier").order_by("pk")
    return [(message.facts["tier"], message.facts["is_higher"]) for message in told]


def test_case_39_two_steps_at_once_are_one_message(ada, paid):
    gold = paid(ada, 150_000)
    assert len(tiers_told(ada)) == 1
    assert tiers_told(ada)[0][1] is True

    # Case 43: the same tier is no news; but a lower one is.
    paid(ada, 5_000)
    assert len(tiers_told(ada)) == 1
    refund_order(order=gold, key=uuid4(), refunded_at=AN_HOUR_LATER, is_whole=True)
    assert [is_higher for _tier, is_higher in tiers_told(ada)] == [True, False]


@pytest.mark.parametrize("months", [None, 12])
def test_an_order_from_before_an_edition_brings_the_share_of_its_own(ada, ben, placed, months):
    def edition(rate: str, effective_at: datetime) -> None:
        tiers = [
            tier_spec("Bronze", 0, referral_rate=Decimal(rate)),
            tier_spec("Silver", 5_000, referral_rate=2 * Decimal(rate)),
        ]
        publish_rule_set(
            rule_set=create_draft(tiers=tiers, paid_sum_months=months),
            effective_at=effective_at,
            published_at=NOON,
            reason="A test",
        )

    invite(ada, ben)
    edition("0.02", NOON)
    order = placed(ben, 1_000)
    edition("0.4", AN_HOUR_LATER)
    standing_of(member=ada, at=AN_HOUR_LATER)

    pay_order(order=order, paid_at=NOON, key=uuid4(), actor_id=None)

    share = Reward.objects.get()
    assert (share.rule_set.number, share.referral_rate, share.points) == (2, Decimal("0.02"), 20)
