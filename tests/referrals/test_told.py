"""What inviters and friends are told beside their points: who joined, and what went back."""

from datetime import timedelta
from uuid import uuid4

from accounts.models import Member, Message
from loyalty.models import Purpose
from orders.services.orders import refund_order
from referrals.models import Flag
from referrals.services import decide_flags, raise_flag
from tests.clock import AN_HOUR_LATER, NOON
from tests.referrals.friends import click_on_link, invite, join, publish


def told(member, kind):
    messages = Message.objects.filter(member=member, kind=kind).order_by("pk")
    return [message.facts for message in messages]


def test_inviter_is_told_that_a_friend_joined_and_nobody_else(ada):
    publish()
    eve = join(click_on_link(ada))

    (facts,) = told(ada, "friend_joined")
    assert facts == {"friend": Member.objects.get(pk=eve.pk).masked_name}
    assert not Message.objects.filter(member=eve).exists()


def test_link_that_does_not_count_tells_nothing(ada):
    publish()
    join(click_on_link(ada, at=NOON - timedelta(days=60)))

    assert told(ada, "friend_joined") == []


def test_both_are_told_when_an_order_goes_back(ada, ben, paid):
    publish(welcome_points=50, welcome_when="first_order")
    invite(ada, ben)
    order = paid(ben, 1_000)
    Message.objects.all().delete()

    refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, is_whole=True)

    assert told(ada, "share_taken_back") == [
        {"points": 10, "is_welcome": False, "friend": "Бен С.", "why": "returned"}
    ]
    assert told(ben, "share_taken_back") == [
        {"points": 50, "is_welcome": True, "friend": "", "why": "returned"}
    ]
    assert [facts["taken_back_points"] for facts in told(ben, "points_returned")] == [30]


def test_part_of_an_order_takes_part_of_the_share(ada, ben, paid):
    publish()
    invite(ada, ben)
    order = paid(ben, 1_000)

    refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, goods_sum=order.total_sum / 2)

    assert [facts["points"] for facts in told(ada, "share_taken_back")] == [5]


def test_decision_that_both_are_one_person_is_told(ada, ben, paid, sue):
    publish(referral_waiting_days=14)
    referral = invite(ada, ben)
    paid(ben, 1_000)
    raise_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=NOON)

    decide_flags(
        referral=referral, decision=Flag.Decision.ONE_PERSON, reason="One phone", at=NOON, actor_id=sue.pk
    )

    (facts,) = told(ada, "share_taken_back")
    assert (facts["points"], facts["why"]) == (10, "one_person")


def test_share_that_waited_for_a_decision_is_told_when_it_is_available(ada, ben, paid, sue):
    publish()
    referral = invite(ada, ben)
    raise_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=NOON)
    paid(ben, 1_000)
    assert told(ada, "points_available") == []

    decide_flags(
        referral=referral, decision=Flag.Decision.FINE, reason="Two people", at=AN_HOUR_LATER, actor_id=sue.pk
    )

    (facts,) = told(ada, "points_available")
    assert (facts["points"], facts["purpose"]) == (10, Purpose.REFERRAL)
