"""What looks like one person waits for a person to decide; the system rejects nothing by itself."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from procrastinate.contrib.django import app

from accounts.models import AuditRecord, ContactChange, Device, Message
from loyalty.errors import ReasonNeeded
from loyalty.models import UNDECIDED_AT, Credit
from orders.services.orders import refund_order
from referrals.errors import FlagDecided
from referrals.models import Flag, Referral, Reward
from referrals.queries import flags_of, open_flags
from referrals.services import decide_flags, flag_shared_devices, flag_silent_friends, raise_flag
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.orders.shop import balance_of
from tests.referrals.friends import broken_promises, click_on_link, invite, join, kinds_of, publish

TWO_WEEKS_LATER = NOON + timedelta(days=14)


def decide(referral: Referral, decision: Flag.Decision, at=AN_HOUR_LATER, **seen) -> None:
    decide_flags(referral=referral, decision=decision, reason="They live together", at=at, actor_id=7, **seen)


@pytest.fixture
def doubted(ada, ben):
    """Ada invited Ben, by an edition whose shares wait two weeks, and somebody should have a look."""
    publish(referral_waiting_days=14, welcome_points=250, welcome_when="first_order")
    referral = invite(ada, ben)
    raise_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=NOON)
    return referral


# What is noticed


def test_the_inviters_browser_is_noticed(ada):
    token = uuid4()
    Device.objects.create(member=ada, token=token, seen_at=NOON)
    publish(welcome_points=250)

    eve = join(click_on_link(ada), device_token=token)
    max_ = join(click_on_link(ada), "max@example.com", device_token=uuid4())

    assert kinds_of(eve.referral) == {"same_device"}
    assert kinds_of(max_.referral) == set()
    # The welcome of a doubtful sign-up waits, too.
    assert (balance_of(eve).pending_points, balance_of(max_).available_points) == (250, 250)
    assert Message.objects.filter(kind="welcome_points", facts__is_held=True).get().member == eve
    assert broken_promises() == set()


def test_a_browser_that_another_friend_used_is_noticed(ada, ben):
    token = uuid4()
    first = join(click_on_link(ada), device_token=token)
    Device.objects.create(member=first, token=token, seen_at=NOON)

    second = join(click_on_link(ada), "max@example.com", device_token=token)
    bens = join(click_on_link(ben), "kim@example.com", device_token=token)

    assert [kinds_of(member.referral) for member in (first, second, bens)] == [set(), {"same_device"}, set()]


def test_a_browser_that_both_use_later_is_noticed_at_night(ada, ben, paid, django_assert_num_queries):
    publish(referral_waiting_days=14)
    shared, other, ended, known = (invite(ada, MemberFactory()) for _friend in range(4))
    bens = invite(ben, MemberFactory())
    paid(shared.invited, 1_000)
    ended.ended_at = NOON
    ended.save()
    raise_flag(referral=known, kind=Flag.Kind.SAME_DEVICE, at=NOON)
    decide(known, Flag.Decision.FINE)
    for token in (uuid4(), uuid4()):
        for member in (ada, shared.invited, ended.invited, known.invited, bens.invited):
            Device.objects.create(member=member, token=token, seen_at=NOON)
    for member in (ada, other.invited, ben):
        Device.objects.create(member=member, token=uuid4(), seen_at=NOON)

    assert flag_shared_devices(at=TOMORROW_NOON) == 1

    assert [flag.referral for flag in open_flags()] == [shared]
    assert Reward.objects.get().is_held
    with django_assert_num_queries(1):
        assert flag_shared_devices(at=TOMORROW_NOON) == 0
    assert broken_promises() == set()


def test_a_sign_up_seconds_after_the_click_is_noticed(ada):
    quick = join(click_on_link(ada, NOON - timedelta(seconds=29)))
    slow = join(click_on_link(ada, NOON - timedelta(seconds=30)), "max@example.com")
    # The form is filled in as quickly, and the letter with the link is read an hour later.
    patient = join(
        click_on_link(ada, NOON - timedelta(seconds=29)),
        "kim@example.com",
        AN_HOUR_LATER,
        signed_up_at=NOON,
    )
    # The link is opened after the form was sent, and just before the address is confirmed.
    before = join(
        click_on_link(ada, NOON - timedelta(seconds=5)),
        "ann@example.com",
        signed_up_at=NOON - timedelta(hours=1),
    )

    assert [kinds_of(member.referral) for member in (quick, slow, patient, before)] == [
        {"too_quick"},
        set(),
        {"too_quick"},
        set(),
    ]


def test_a_chain_of_new_members_is_noticed(ada):
    first = join(click_on_link(ada))
    second = join(click_on_link(first), "max@example.com", NOON + timedelta(days=6))
    third = join(click_on_link(first), "kim@example.com", NOON + timedelta(days=7))

    assert [kinds_of(member.referral) for member in (first, second, third)] == [set(), {"chain"}, set()]


@pytest.mark.parametrize("phone", ["+79161234567", "8 (916) 123-45-67"])
def test_an_order_with_the_inviters_phone_is_noticed_before_it_brings_anything(ada, ben, paid, phone):
    referral = invite(ada, ben)
    ContactChange.objects.create(
        member=ada,
        kind=ContactChange.Kind.PHONE,
        current_contact="+79161234567",
        new_contact="+79160000000",
        current_code_hash="",
        asked_at=NOON,
        expires_at=NOON,
        ended_at=NOON,
        outcome=ContactChange.Outcome.CONFIRMED,
    )

    paid(ben, 1_000, customer_phone="+79169999999")
    paid(ben, 2_000, customer_phone=phone)
    paid(ben, 3_000, customer_phone=phone)

    assert kinds_of(referral) == {"same_phone"}
    assert (balance_of(ada).available_points, balance_of(ada).pending_points) == (10, 20 + 30)
    assert Message.objects.filter(kind="share_earned", facts__is_held=True).count() == 2
    assert broken_promises() == set()


def test_friends_of_whom_none_orders_twice_are_noticed(ada, paid):
    friends = [MemberFactory() for _friend in range(3)]
    for friend in friends:
        invite(ada, friend)
        paid(friend, 1_000)
    others = [invite(friends[0], MemberFactory()) for _friend in range(2)]
    for other in others:
        paid(other.invited, 1_000)

    assert flag_silent_friends(at=NOON + timedelta(days=59)) == 0
    assert flag_silent_friends(at=NOON + timedelta(days=60)) == 3
    assert flag_silent_friends(at=NOON + timedelta(days=61)) == 0
    assert {flag.referral.invited for flag in open_flags()} == set(friends)


def test_an_order_that_was_returned_is_no_first_one(ada, paid):
    """The sixty days begin with the first order that stands."""
    friends = [MemberFactory() for _friend in range(3)]
    for friend in friends:
        invite(ada, friend)
        first = paid(friend, 1_000)
        paid(friend, 1_000, at=NOON + timedelta(days=40))
        refund_order(order=first, key=uuid4(), refunded_at=NOON + timedelta(days=41), is_whole=True)

    assert set(Referral.objects.values_list("orders_count", "first_bought_at")) == {
        (1, NOON + timedelta(days=40))
    }
    assert broken_promises() == set()
    assert flag_silent_friends(at=NOON + timedelta(days=61)) == 0
    assert flag_silent_friends(at=NOON + timedelta(days=100)) == 3


def test_the_worker_looks_for_them_every_night():
    times = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert times["referrals.jobs.flag_silent_friends"] == "45 1 * * *"
    assert times["referrals.jobs.flag_shared_devices"] == "30 1 * * *"


def test_one_friend_who_comes_back_speaks_for_all(ada, paid):
    friends = [MemberFactory() for _friend in range(4)]
    for friend in friends:
        invite(ada, friend)
        paid(friend, 1_000)
    paid(friends[0], 1_000)

    assert flag_silent_friends(at=NOON + timedelta(days=100)) == 0


# What waits


def test_what_was_pending_waits_from_the_flag_on_and_what_was_available_stays(ada, ben, paid):
    referral = invite(ada, ben)
    paid(ben, 1_000)
    publish(referral_waiting_days=14)
    paid(ben, 2_000)

    flag = raise_flag(referral=referral, kind=Flag.Kind.SAME_PHONE, at=AN_HOUR_LATER)

    assert raise_flag(referral=referral, kind=Flag.Kind.SAME_PHONE, at=AN_HOUR_LATER) is None
    assert flags_of(referral) == [flag]
    later = balance_of(ada, TWO_WEEKS_LATER + timedelta(days=300))
    assert (later.available_points, later.pending_points) == (10, 20)
    assert [(one.points, one.available_at) for one in later.pending] == [(20, None)]
    assert list(Reward.objects.order_by("pk").values_list("is_held", flat=True)) == [False, True]
    assert broken_promises() == set()


def test_what_a_doubted_invitation_brings_waits_at_once(ada, ben, paid, doubted):
    paid(ben, 1_000)

    assert set(Reward.objects.values_list("kind", "is_held")) == {("share", True), ("welcome", True)}
    assert set(Reward.objects.values_list("available_at", flat=True)) == {TWO_WEEKS_LATER}
    held = Credit.objects.filter(pk__in=Reward.objects.values("credit_id"))
    assert set(held.values_list("available_at", flat=True)) == {UNDECIDED_AT}
    assert broken_promises() == set()


# What is decided


def test_two_people_get_what_waited_at_its_own_moment(ada, ben, paid, doubted):
    paid(ben, 1_000)

    decide(doubted, Flag.Decision.FINE)

    assert (balance_of(ada, AN_HOUR_LATER).pending_points, balance_of(ben, AN_HOUR_LATER).pending_points) == (
        10,
        250,
    )
    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 10
    paid(ben, 1_000, at=AN_HOUR_LATER)
    assert not Reward.objects.filter(is_held=True).exists()
    flag = Flag.objects.get()
    assert (flag.decision, flag.decided_at, flag.decided_by_id) == ("fine", AN_HOUR_LATER, 7)
    record = AuditRecord.objects.get()
    assert (record.action, record.member, record.actor_id) == ("referral_decided", ada, 7)
    assert broken_promises() == set()


def test_two_people_get_what_waited_at_once_if_its_moment_is_over(ada, ben, paid, doubted):
    paid(ben, 1_000)
    late = TWO_WEEKS_LATER + timedelta(days=5)

    decide(doubted, Flag.Decision.FINE, at=late)

    assert balance_of(ada, late).available_points == 10


def test_one_person_keeps_what_was_available_and_gets_nothing_more(ada, ben, paid):
    referral = invite(ada, ben)
    publish(welcome_points=250, welcome_when="first_order")
    paid(ben, 1_000)
    publish(referral_waiting_days=14)
    waiting = paid(ben, 2_000)
    raise_flag(referral=referral, kind=Flag.Kind.CHAIN, at=NOON)
    raise_flag(referral=referral, kind=Flag.Kind.TOO_QUICK, at=NOON)

    decide(referral, Flag.Decision.ONE_PERSON)
    paid(ben, 3_000, at=TOMORROW_NOON)

    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 10
    assert balance_of(ada, TWO_WEEKS_LATER).pending_points == 0
    taken = Reward.objects.get(order_id=waiting.pk)
    assert (taken.taken_back_points, taken.taken_back_for) == (20, "one_person")
    referral.refresh_from_db()
    assert (referral.ended_at, referral.orders_count) == (AN_HOUR_LATER, 3)
    assert raise_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=TOMORROW_NOON) is None
    # A return later finds nothing to take back twice.
    refund_order(order=waiting, key=uuid4(), refunded_at=TOMORROW_NOON, is_whole=True)
    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 10
    assert broken_promises() == set()


def test_a_decision_is_made_once_and_with_a_reason(ada, ben, paid, doubted):
    paid(ben, 1_000)
    with pytest.raises(ReasonNeeded):
        decide_flags(referral=doubted, decision=Flag.Decision.FINE, reason="  ", at=AN_HOUR_LATER, actor_id=7)

    decide(doubted, Flag.Decision.FINE)
    with pytest.raises(FlagDecided):
        decide(doubted, Flag.Decision.ONE_PERSON)

    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 10
    assert AuditRecord.objects.count() == 1
    assert open_flags() == []


def test_what_was_raised_after_the_page_was_shown_stays_open(ada, ben, paid, doubted):
    paid(ben, 1_000)
    shown = [flag.pk for flag in open_flags()]
    later = raise_flag(referral=doubted, kind=Flag.Kind.SAME_PHONE, at=NOON)

    decide(doubted, Flag.Decision.FINE, flag_ids=shown)
    assert open_flags() == [later]
    assert Reward.objects.filter(is_held=True).count() == 2
    assert AuditRecord.objects.get().facts["kinds"] == ["same_device"]
    with pytest.raises(FlagDecided):
        decide(doubted, Flag.Decision.ONE_PERSON, flag_ids=shown)

    decide(doubted, Flag.Decision.FINE, flag_ids=[later.pk])
    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 10
    assert broken_promises() == set()


def test_one_person_decides_about_what_nobody_has_seen_too(ada, ben, paid, doubted):
    paid(ben, 1_000)
    shown = [flag.pk for flag in open_flags()]
    raise_flag(referral=doubted, kind=Flag.Kind.SAME_PHONE, at=NOON)

    decide(doubted, Flag.Decision.ONE_PERSON, flag_ids=shown)

    assert open_flags() == []
    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 0
    assert broken_promises() == set()


def test_a_return_takes_its_part_of_what_waits(ada, ben, paid, doubted):
    order = paid(ben, 1_000)

    refund_order(order=order, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(400))
    assert balance_of(ada).pending_points == 6
    decide(doubted, Flag.Decision.FINE)
    refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, goods_sum=Decimal(600))

    assert balance_of(ada, TWO_WEEKS_LATER).available_points == 0
    assert balance_of(ben, TWO_WEEKS_LATER).available_points == 0
    assert broken_promises() == set()


def test_nothing_waits_any_more_of_what_was_returned_whole(ada, ben, paid, doubted):
    order = paid(ben, 1_000)

    refund_order(order=order, key=uuid4(), refunded_at=NOON, is_whole=True)

    assert not Reward.objects.filter(is_held=True).exists()
    decide(doubted, Flag.Decision.FINE)
    assert broken_promises() == set()
