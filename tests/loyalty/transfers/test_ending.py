"""A transfer goes back: by its sender in time, by staff at any time, whole and once."""

from datetime import date, timedelta

import pytest
from django.core import mail

from accounts.models import AuditRecord, Member, Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.errors import (
    AccountBlocked,
    PointsMovedOn,
    ReasonNeeded,
    TakeBackOver,
    TransferEnded,
)
from loyalty.models import Fund, Posting, Transfer
from loyalty.queries.transfers import can_be_taken_back, moved_by
from loyalty.services import ledger
from loyalty.services.blocking import block_member, unblock_member
from loyalty.services.transfers import reverse_transfer, take_back_transfer
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import (
    Balance,
    balance,
    earn,
    fetch,
    give,
    give_back,
    hold,
    new_key,
    settle,
    spend,
    spendable,
)
from tests.loyalty.points import take_back as points_taken_back
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
def test_points_that_moved_on_stay(given, ada, ben, use):
    use(ben, 6)

    with pytest.raises(PointsMovedOn) as refusal:
        take_back(given)
    assert refusal.value.limit_points == 0
    assert Transfer.objects.get().taken_back_at is None


def refill_by_credit(ada, ben):
    earn(ben, 70, until=SPRING)


def refill_by_waiting_credit(ada, ben):
    earn(ben, 70, until=SPRING, available_at=NOON + timedelta(minutes=1))
    settle(NOON + timedelta(minutes=1))


def refill_by_transfer(ada, ben):
    earn(ada, 70, until=SPRING)
    give(ada, ben, 70)


def refill_by_adjustment(ada, ben):
    ledger.adjust(
        key=new_key(), account_id=ben.pk, points=70, at=NOON, expires_on=SPRING, fund=Fund.PURCHASES
    )


def refill_by_an_earlier_spending(ada, ben):
    """What was paid before the gift comes back: it was Ben's own, and none of the gift."""
    give_back(ben.paid_before_id, 70)


@pytest.mark.parametrize(
    "refill",
    [
        refill_by_credit,
        refill_by_waiting_credit,
        refill_by_transfer,
        refill_by_adjustment,
        refill_by_an_earlier_spending,
    ],
)
def test_points_that_came_later_never_stand_in_for_the_gift(edition, ada, ben, stan, refill):
    earn(ben, 70, until=SPRING)
    ben.paid_before_id = spend(ben, 70)
    earn(ada, 70, until=SPRING)
    made = transfer(ada, ben, 70)
    spend(ben, 70)
    refill(ada, ben)
    at = NOON + timedelta(minutes=1)
    assert spendable(ben, at=at) == {SPRING: 70}

    with pytest.raises(PointsMovedOn) as refusal:
        take_back(made, at=at)

    assert refusal.value.limit_points == 0
    # Staff decide for themselves: the points are there.
    assert reverse_transfer(transfer=made, reason="Fraud", at=at, actor_id=stan.pk).taken_back_at
    assert broken_promises() == []


def own_points_were_spent(ben):
    spend(ben, 50)


def spent_and_given_back(ben):
    give_back(spend(ben, 100), 100)


def spent_and_half_given_back(ben):
    give_back(spend(ben, 100), 50)


def held_and_set_free(ben):
    ledger.release(key=new_key(), hold_id=hold(ben, 100), points=100, at=NOON)


def held_paid_and_given_back(ben):
    paid = ledger.capture(key=new_key(), hold_id=hold(ben, 100), points=100, at=NOON)
    give_back(paid.posting_id, 100)


def given_on_and_returned(ben):
    on = give(ben, MemberFactory(), 100)
    ledger.reverse(key=new_key(), posting_id=on, at=NOON, least_expires_on=TODAY)


def later_credit_was_taken_back(ben):
    own_points_were_spent(ben)
    credited = earn(ben, 30, until=SPRING)
    points_taken_back(credited, 30)


def later_gift_went_back(ben):
    own_points_were_spent(ben)
    friend = MemberFactory()
    earn(friend, 30, until=SPRING)
    on = give(friend, ben, 30)
    ledger.reverse(key=new_key(), posting_id=on, at=NOON, least_expires_on=TODAY)


@pytest.mark.parametrize(
    "use",
    [
        own_points_were_spent,
        spent_and_given_back,
        spent_and_half_given_back,
        held_and_set_free,
        held_paid_and_given_back,
        given_on_and_returned,
        later_credit_was_taken_back,
        later_gift_went_back,
    ],
)
def test_gift_goes_back_while_only_own_points_were_used(edition, ada, ben, use):
    earn(ben, 50, until=SPRING)
    earn(ada, 50, until=SPRING)
    made = transfer(ada, ben, 50)
    use(ben)

    assert take_back(made).ended_by == "sender"
    assert spendable(ada) == {SPRING: 50}
    assert broken_promises() == []


def test_one_point_more_than_the_own_ones_is_one_of_the_gift(edition, ada, ben):
    earn(ben, 50, until=SPRING)
    earn(ada, 50, until=SPRING)
    made = transfer(ada, ben, 50)
    spend(ben, 51)
    earn(ben, 60, until=SPRING)

    with pytest.raises(PointsMovedOn):
        take_back(made)


def test_each_last_day_counts_for_itself(given, ben):
    # 70 until spring were given and none were his; of those until summer he has 5 of his own.
    earn(ben, 100, until=SUMMER)
    spend(ben, 1)
    earn(ben, 1, until=SPRING)

    with pytest.raises(PointsMovedOn):
        take_back(given)


def test_blocked_sender_takes_nothing_back(given, ada, ben, stan):
    block_member(member=ada, at=NOON, actor_id=stan.pk, reason="A stolen phone")

    with pytest.raises(AccountBlocked):
        take_back(given)
    assert spendable(ben) == {SPRING: 70, SUMMER: 35}

    unblock_member(member=ada, at=NOON, actor_id=stan.pk, reason="It was found")
    assert take_back(given).ended_by == "sender"


def test_sender_whose_login_is_switched_off_takes_nothing_back(given, ada):
    ada.user.is_active = False
    ada.user.save()

    with pytest.raises(AccountBlocked):
        take_back(given)


def test_of_a_long_reason_the_first_500_letters_are_kept(given, stan):
    ended = reverse_transfer(transfer=given, reason="x" * 501, at=NOON, actor_id=stan.pk)
    assert ended.end_reason == "x" * 500
    assert AuditRecord.objects.latest("pk").facts["reason"] == ended.end_reason


@pytest.mark.parametrize("has_login", [True, False])
def test_letter_goes_to_the_logins_address_where_no_other_is_verified(edition, ada, has_login):
    cid = MemberFactory(has_login=has_login)
    Member.objects.filter(pk=cid.pk).update(email="unproved@example.com", email_verified_at=None)
    earn(ada, 100)
    take_back(transfer(ada, cid, 10))

    assert Message.objects.filter(member=cid).count() == 2
    send_waiting_letters(at=NOON)
    to_others = [letter.to for letter in mail.outbox if letter.to != [ada.email]]
    assert to_others == ([[cid.user.email]] * 2 if has_login else [])


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
