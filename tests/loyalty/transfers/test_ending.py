"""A transfer goes back: by its sender in time, by staff at any time, whole and once."""

from datetime import date, timedelta

import pytest

from accounts.models import AuditRecord, Message
from loyalty.errors import (
    PointsMovedOn,
    ReasonNeeded,
    TakeBackOver,
    TransferEnded,
)
from loyalty.models import Posting, Transfer
from loyalty.queries.transfers import can_be_taken_back, moved_by
from loyalty.services import ledger
from loyalty.services.transfers import reverse_transfer, take_back_transfer
from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import Balance, balance, earn, fetch, give, hold, new_key, settle, spend, spendable
from tests.loyalty.transfers.giving import (
    broken_promises,
    confirm,
    messages,
    proved_intent,
    recorded,
    transfer,
)

COOLING = timedelta(hours=2)
SPRING, SUMMER = date(2026, 4, 30), date(2026, 7, 31)
TODAY = NOON.date()


@pytest.fixture
def edition(db):
    return publish_edition(transfer_cooling_hours=2)


@pytest.fixture
def given(edition, ada, ben):
    """Ada has given Ben 100 points of two lots, and both had others before."""
    earn(ada, 70, until=SPRING)
    earn(ada, 80, until=SUMMER)
    earn(ben, 5, until=SUMMER)
    return transfer(ada, ben, 100)


def take_back(made, *, at=NOON):
    return take_back_transfer(transfer=made, at=at, actor_id=made.sender.user_id)


def test_case_125_transfer_taken_back_leaves_both_as_before(given, ada, ben):
    ended = take_back(given, at=NOON + COOLING - timedelta(microseconds=1))

    assert spendable(ada) == {SPRING: 70, SUMMER: 80}
    assert spendable(ben) == {SUMMER: 5}
    # Each lot has one entry on both sides, and one back: here of two lots.
    entries = fetch(
        "select account_id, points from loyalty_entry where posting_id in (%s, %s) order by posting_id, line",
        given.posting_id,
        ended.reversal_id,
    )
    there = [(ada.pk, -70), (ben.pk, 70), (ada.pk, -30), (ben.pk, 30)]
    assert entries == [*there, *((account, -points) for account, points in there)]
    reversal = Posting.objects.get(pk=ended.reversal_id)
    assert (reversal.kind, reversal.origin_id) == ("reverse", given.posting_id)
    assert (ended.ended_by, ended.ended_actor_id, ended.end_reason) == ("sender", ada.user_id, "")
    assert broken_promises() == []


def test_case_125_by_staff_keeps_author_and_reason(given, ada, ben, stan):
    ended = reverse_transfer(transfer=given, reason=" The wrong Ben ", at=NOON, actor_id=stan.pk)

    assert (ended.ended_by, ended.ended_actor_id, ended.end_reason) == ("staff", stan.pk, "The wrong Ben")
    reversal = Posting.objects.get(pk=ended.reversal_id)
    assert (reversal.actor_id, reversal.explanation) == (stan.pk, {"reason": "The wrong Ben"})
    [record] = AuditRecord.objects.filter(action=AuditRecord.Action.TRANSFER_REVERSED)
    assert (record.member, record.actor_id) == (ada, stan.pk)
    assert record.facts == {"number": given.number, "points": 100, "reason": "The wrong Ben"}


def test_both_sides_are_told_that_it_went_back(given, ada, ben):
    take_back(given)

    facts = {"number": given.number, "points": 100, "by": "sender", "reason": ""}
    assert messages(ada)[-1] == ("transfer_taken_back", {**facts, "name": "Бен С.", "is_sender": True})
    assert messages(ben)[-1] == ("transfer_taken_back", {**facts, "name": "Ада И.", "is_sender": False})
    assert set(Message.objects.values_list("wants_letter", flat=True)) == {True}


def test_sent_twice_it_goes_back_once(given, ada, ben, stan):
    assert take_back(given) == take_back(given, at=NOON + 2 * COOLING)
    assert len(messages(ben)) == 2
    with pytest.raises(TransferEnded):
        reverse_transfer(transfer=given, reason="Too late", at=NOON, actor_id=stan.pk)
    assert recorded(AuditRecord.Action.TRANSFER_REVERSED) == []


def test_staff_reverse_once_and_the_first_reason_stays(given, ada, stan):
    reverse_transfer(transfer=given, reason="First", at=NOON, actor_id=stan.pk)
    again = reverse_transfer(transfer=given, reason="Second", at=NOON, actor_id=stan.pk)

    assert again.end_reason == "First"
    assert len(recorded(AuditRecord.Action.TRANSFER_REVERSED)) == 1
    with pytest.raises(TransferEnded):
        take_back(given)


def test_time_for_taking_back_ends_to_the_moment(given, ada, ben, stan):
    over_at = NOON + COOLING
    assert given.take_back_until_at == over_at
    assert can_be_taken_back(given, over_at - timedelta(microseconds=1))
    assert not can_be_taken_back(given, over_at)
    with pytest.raises(TakeBackOver):
        take_back(given, at=over_at)
    # Staff may at any time.
    assert reverse_transfer(transfer=given, reason="Fraud", at=over_at, actor_id=stan.pk).taken_back_at


def test_edition_of_the_transfer_decides_not_a_later_one(given):
    publish_edition(effective_at=NOON + timedelta(minutes=1), transfer_cooling_hours=0)
    assert take_back(given, at=NOON + timedelta(hours=1)).ended_by == "sender"


def test_without_cooling_off_nothing_can_be_taken_back(ada, ben):
    earn(ada, 100)
    made = transfer(ada, ben)
    assert made.take_back_until_at is None
    with pytest.raises(TakeBackOver):
        take_back(made)


@pytest.mark.parametrize("use", [spend, hold])
def test_points_that_moved_on_stay_and_can_go_back_once_they_are_there_again(given, ada, ben, use):
    use(ben, 6)

    with pytest.raises(PointsMovedOn) as refusal:
        take_back(given)
    assert refusal.value.limit_points == 0
    assert Transfer.objects.get().taken_back_at is None

    # The same points come back to Ben: from a friend, with the same last day.
    earn(ada, 6, until=SPRING)
    give(ada, ben, 6)
    assert take_back(given).ended_by == "sender"
    assert broken_promises() == []


def test_points_that_settled_a_debt_cannot_go_back(edition, ada, ben):
    earn(ada, 100)
    ledger.adjust(key=new_key(), account_id=ben.pk, points=-30, at=NOON, may_owe=True)
    made = transfer(ada, ben)

    with pytest.raises(PointsMovedOn) as refusal:
        take_back(made)

    assert refusal.value.limit_points == 0
    assert broken_promises() == []


def test_points_that_expired_with_the_recipient_do_not_live_again(edition, ada, ben):
    earn(ada, 100, until=TODAY)
    late = NOON.replace(hour=23)
    made = confirm(proved_intent(ada, ben, 100, at=late), at=late)
    next_day = late + timedelta(hours=1, minutes=30)

    with pytest.raises(PointsMovedOn):
        take_back(made, at=next_day)
    settle(next_day)
    with pytest.raises(PointsMovedOn):
        take_back(made, at=next_day)

    assert balance(ada, at=next_day) == balance(ben, at=next_day) == Balance()


def test_staff_need_a_reason(given, stan):
    with pytest.raises(ReasonNeeded):
        reverse_transfer(transfer=given, reason="  ", at=NOON, actor_id=stan.pk)


def test_what_moved_is_told_by_last_day(given):
    assert [(one.expires_on, one.points) for one in moved_by(given)] == [(SPRING, 70), (SUMMER, 30)]
    take_back(given)
    assert [one.points for one in moved_by(given)] == [70, 30]
