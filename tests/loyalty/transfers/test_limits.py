"""Every limit of the edition at its border, on the form and again under the lock."""

from datetime import datetime, timedelta

import pytest

from accounts.models import ContactChange
from loyalty.errors import (
    AccountBlocked,
    DayLimitReached,
    JoinedTooRecently,
    JustChanged,
    MonthLimitReached,
    NotEnoughPoints,
    RecipientUnavailable,
    TooFewToTransfer,
    TooManyAtOnce,
    TransferRefused,
    TransfersOff,
)
from loyalty.queries.balance import Expiry
from loyalty.queries.transfers import allowance, moved_lots
from loyalty.services.blocking import block_member
from loyalty.services.transfers import take_back_transfer
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, publish_edition
from tests.loyalty.points import NEW_YEAR, TODAY, earn
from tests.loyalty.transfers.giving import ask, confirm, proved_intent, transfer

JUST_BEFORE = timedelta(microseconds=1)


def refusals(sender, recipient, points, *, at=NOON):
    """What the form says, and what the button says of an intent that was filled in before."""
    found = []
    for attempt in (
        lambda: ask(sender, recipient, points, at=at),
        lambda: confirm(proved_intent(sender, recipient, points, at=at), at=at),
    ):
        try:
            attempt()
            found.append(None)
        except (TransferRefused, NotEnoughPoints, AccountBlocked) as refusal:
            found.append((type(refusal), *refusal.args))
    return found


def assert_refused(expected, *arguments, at=NOON):
    assert refusals(*arguments, at=at) == [expected, expected]


def test_edition_without_transfers(ada, ben):
    publish_edition(transfers_allowed=False)
    earn(ada, 100)
    assert_refused((TransfersOff,), ada, ben, 1)
    assert isinstance(allowance(member=ada, at=NOON).refusal, TransfersOff)


def test_least_points(ada, ben):
    publish_edition(transfer_minimum_points=50)
    earn(ada, 100)
    assert_refused((TooFewToTransfer, 50), ada, ben, 49)
    assert refusals(ada, ben, 50) == [None, None]


@pytest.mark.parametrize("points", [0, -5])
def test_least_points_are_one_whatever_the_edition_says(ada, ben, points):
    publish_edition(transfer_minimum_points=0)
    with pytest.raises(TooFewToTransfer) as refusal:
        ask(ada, ben, points)
    assert refusal.value.least_points == 1


def test_most_points_at_once(ada, ben):
    publish_edition(transfer_limit_points=50)
    earn(ada, 100)
    assert_refused((TooManyAtOnce, 50), ada, ben, 51)
    assert refusals(ada, ben, 50) == [None, None]


def test_available_points(ada, ben):
    earn(ada, 100)
    earn(ada, 50, available_at=NOON + timedelta(hours=1))
    assert_refused((NotEnoughPoints, 100), ada, ben, 101)
    assert refusals(ada, ben, 100) == [None, None]


def test_points_are_there_through_the_end_of_their_last_day(ada, ben):
    earn(ada, 100, until=TODAY)
    midnight = datetime(2026, 3, 11, tzinfo=MOSCOW)
    assert_refused((NotEnoughPoints, 0), ada, ben, 1, at=midnight)
    assert refusals(ada, ben, 100, at=midnight - JUST_BEFORE) == [None, None]


@pytest.mark.parametrize("period", ["day", "month"])
def test_points_in_a_period(ada, ben, period):
    refusal = {"day": DayLimitReached, "month": MonthLimitReached}[period]
    publish_edition(**{f"transfer_{period}_limit_points": 1000, "transfer_cooling_hours": 1})
    earn(ada, 5000)
    transfer(ada, ben, 500)
    # What was taken back does not count.
    take_back_transfer(transfer=transfer(ada, MemberFactory(), 400), at=NOON, actor_id=None)
    transfer(ada, MemberFactory(), 100)

    assert_refused((refusal, 1000, 400), ada, ben, 401)
    may_give = allowance(member=ada, at=NOON)
    assert getattr(may_give, f"{period}_left_points") == may_give.most_points == 400

    transfer(ada, ben, 400)
    assert_refused((refusal, 1000, 0), ada, ben, 1)
    spent = allowance(member=ada, at=NOON)
    assert (type(spent.refusal), spent.most_points) == (refusal, 0)


def test_intent_filled_in_before_does_not_pass_a_limit_reached_since(ada, ben):
    publish_edition(transfer_day_limit_points=100)
    earn(ada, 500)
    waiting = ask(ada, ben, 60)
    transfer(ada, ben, 41)

    with pytest.raises(DayLimitReached) as refusal:
        confirm(waiting)

    assert refusal.value.left_points == 59


@pytest.mark.parametrize(
    ("period", "last"),
    [
        ("day", datetime(2026, 3, 10, 23, 59, 59, 999999, tzinfo=MOSCOW)),
        ("month", datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=MOSCOW)),
    ],
)
@pytest.mark.parametrize("side", ["", "received_"])
def test_periods_end_at_midnight_of_the_programmes_zone(ada, ben, period, last, side):
    publish_edition(**{f"transfer_{side}{period}_limit_points": 100})
    earn(ada, 500)
    transfer(ada, ben, 100, at=last - timedelta(hours=2))

    assert None not in refusals(ada, ben, 1, at=last)
    assert refusals(ada, ben, 100, at=last + JUST_BEFORE) == [None, None]


@pytest.mark.parametrize("period", ["day", "month"])
def test_recipient_gets_so_many_in_a_period_and_nobody_is_told_why_not_more(ada, ben, period):
    publish_edition(**{f"transfer_received_{period}_limit_points": 1000, "transfer_cooling_hours": 1})
    other = MemberFactory(has_login=True)
    earn(ada, 5000)
    earn(other, 5000)
    transfer(other, ben, 700)
    take_back_transfer(transfer=transfer(ada, ben, 300), at=NOON, actor_id=None)

    assert_refused((RecipientUnavailable,), ada, ben, 301)
    assert refusals(ada, ben, 300) == [None, None]


def test_days_since_joining_end_at_the_same_hour(ada, ben):
    publish_edition(transfer_member_days=30)
    earn(ada, 100)
    allowed_at = ada.joined_at + timedelta(days=30)
    assert_refused((JoinedTooRecently, allowed_at), ada, ben, 1, at=allowed_at - JUST_BEFORE)
    assert refusals(ada, ben, 1, at=allowed_at) == [None, None]


def test_nothing_leaves_within_a_day_of_a_new_password(ada, ben):
    earn(ada, 100)
    ada.user.password_changed_at = NOON
    ada.user.save()
    allowed_at = NOON + timedelta(hours=24)

    assert_refused((JustChanged, allowed_at), ada, ben, 1, at=allowed_at - JUST_BEFORE)
    assert refusals(ada, ben, 1, at=allowed_at) == [None, None]
    # Whoever has just changed theirs may be given points.
    earn(ben, 1)
    assert refusals(ben, ada, 1) == [None, None]


@pytest.mark.parametrize(
    ("kind", "outcome", "is_stopped"),
    [("email", "confirmed", True), ("email", "cancelled", False), ("phone", "confirmed", False)],
)
def test_nothing_leaves_within_a_day_of_a_new_email(ada, ben, kind, outcome, is_stopped):
    earn(ada, 100)
    ContactChange.objects.create(
        member=ada,
        kind=kind,
        current_contact="ada@example.com",
        new_contact="new@example.com",
        current_code_hash="",
        asked_at=NOON,
        expires_at=NOON,
        ended_at=NOON,
        outcome=outcome,
    )
    allowed_at = NOON + timedelta(hours=24)

    expected = (JustChanged, allowed_at) if is_stopped else None
    assert_refused(expected, ada, ben, 1, at=allowed_at - JUST_BEFORE)
    assert refusals(ada, ben, 1, at=allowed_at) == [None, None]


def test_blocked_account_gives_nothing(ada, ben):
    earn(ada, 100)
    block_member(member=ada, at=NOON, actor_id=None, reason="A test")
    assert_refused((AccountBlocked, None), ada, ben, 1)
    assert isinstance(allowance(member=ada, at=NOON).refusal, AccountBlocked)


def test_edition_in_force_at_the_moment_decides(ada, ben):
    publish_edition(transfer_limit_points=10)
    publish_edition(effective_at=NOON + timedelta(hours=1), transfer_limit_points=20)
    earn(ada, 100)

    assert_refused((TooManyAtOnce, 10), ada, ben, 11)
    assert refusals(ada, ben, 20, at=NOON + timedelta(hours=1)) == [None, None]


def test_allowance_without_limits_is_what_there_is(ada):
    earn(ada, 100, until=TODAY)
    earn(ada, 20, until=None)
    earn(ada, 50, until=NEW_YEAR)

    may_give = allowance(member=ada, at=NOON)

    assert (may_give.available_points, may_give.least_points, may_give.most_points) == (170, 1, 170)
    assert (may_give.limit_points, may_give.day_left_points, may_give.month_left_points) == (None, None, None)
    assert may_give.refusal is None
    assert moved_lots(may_give, 155) == [Expiry(TODAY, 100), Expiry(NEW_YEAR, 50), Expiry(None, 5)]
    assert moved_lots(may_give, 100) == [Expiry(TODAY, 100)]


def test_allowance_is_the_least_of_all_limits(ada):
    publish_edition(transfer_limit_points=90, transfer_day_limit_points=80, transfer_month_limit_points=70)
    earn(ada, 75)
    assert allowance(member=ada, at=NOON).most_points == 70


def test_who_has_fewer_than_the_least_can_give_nothing(ada):
    publish_edition(effective_at=LONG_AGO, transfer_minimum_points=50)
    earn(ada, 49)

    may_give = allowance(member=ada, at=NOON)

    assert (may_give.most_points, type(may_give.refusal)) == (0, NotEnoughPoints)


def test_sentences_name_the_limit_and_what_is_left(in_english):
    assert str(DayLimitReached(1000, 400)) == ("At most 1,000 points can be given in a day. Left today: 400.")
    assert str(JustChanged(NOON)).endswith("none can be given until 10 March 2026, 12:00.")


def test_sender_whose_login_is_switched_off(ada, ben):
    earn(ada, 100)
    ada.user.is_active = False
    ada.user.save()
    assert_refused((AccountBlocked, None), ada, ben, 1)
    assert isinstance(allowance(member=ada, at=NOON).refusal, AccountBlocked)

    ada.user.is_active = True
    ada.user.save()
    assert refusals(ada, ben, 1) == [None, None]
