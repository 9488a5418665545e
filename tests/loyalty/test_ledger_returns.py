"""Points that come back: goods returned, orders cancelled, transfers undone."""

from datetime import date, timedelta

import pytest

from loyalty.errors import AboveCredit, AboveSpending, AlreadyReversed, NotReversible, PointsMovedOn
from loyalty.models import Entry, Fund, Posting
from loyalty.services import ledger
from loyalty.services.ledger import Note
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.points import (
    NEW_YEAR,
    TODAY,
    Balance,
    balance,
    earn,
    give,
    give_back,
    hold,
    lots,
    new_key,
    spend,
    spendable,
    take_back,
)

JANUARY, JUNE = date(2027, 1, 31), date(2027, 6, 30)
IN_30_DAYS = TODAY + timedelta(days=30)


def reverse(posting_id, *, at=NOON, note=None):
    return ledger.reverse(
        key=new_key(), posting_id=posting_id, at=at, least_expires_on=IN_30_DAYS, note=note or Note()
    ).posting_id


# Earnings taken back


def test_case_103_take_back_of_spent_points_becomes_a_debt_that_the_next_credit_settles(ada):
    credit_id = earn(ada, 150)
    spend(ada, 100)

    take_back(credit_id, 150)
    assert balance(ada) == Balance(debt=100)

    earn(ada, 120)
    assert balance(ada) == Balance(available=20)
    assert spendable(ada) == {NEW_YEAR: 20}


def test_case_63_more_is_taken_than_there_is_and_the_next_credit_pays_the_rest(ada):
    earn(ada, 50)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-80, at=NOON, may_owe=True)

    earn(ada, 100)

    assert balance(ada) == Balance(available=70)
    assert spendable(ada) == {NEW_YEAR: 70}


def test_take_back_and_later_credits_settle_debt_in_turn(ada):
    credit_id = earn(ada, 80)
    spend(ada, 80)
    take_back(credit_id, 80)

    earn(ada, 50)
    earn(ada, 100, available_at=TOMORROW_NOON)

    assert balance(ada) == Balance(pending=100, debt=30)
    assert balance(ada, at=TOMORROW_NOON) == Balance(available=70)


def test_take_back_takes_pending_points_first(ada):
    earn(ada, 10)
    credit_id = earn(ada, 100, available_at=TOMORROW_NOON)

    take_back(credit_id, 30)

    assert balance(ada) == Balance(available=10, pending=70)
    assert balance(ada, at=TOMORROW_NOON) == Balance(available=80)
    take_back(credit_id, 70)
    assert balance(ada, at=TOMORROW_NOON) == Balance(available=10)


def test_take_back_takes_its_own_lot_and_then_the_soonest_expiring(ada):
    earn(ada, 50, until=JANUARY)
    credit_id = earn(ada, 50, until=JUNE)
    earn(ada, 50, until=None)
    spend(ada, 70)
    assert spendable(ada) == {JUNE: 30, None: 50}
    earn(ada, 5, until=JANUARY)

    take_back(credit_id, 40)

    # 30 from June, which is its own, 5 from January, 5 from those that never expire.
    assert spendable(ada) == {None: 45}


def test_take_back_leaves_held_points_to_their_order(ada):
    credit_id = earn(ada, 100)
    hold_id = hold(ada, 80)

    take_back(credit_id, 100)
    assert balance(ada) == Balance(held=80, debt=80)

    ledger.release(key=new_key(), hold_id=hold_id, points=50, at=NOON)
    assert balance(ada) == Balance(held=30, debt=30)
    ledger.capture(key=new_key(), hold_id=hold_id, points=30, at=NOON)
    assert balance(ada) == Balance(debt=30)


def test_take_back_in_parts_stops_at_what_was_credited(ada):
    credit_id = earn(ada, 100)
    take_back(credit_id, 60)

    with pytest.raises(AboveCredit) as refusal:
        take_back(credit_id, 41)
    assert refusal.value.limit_points == 40

    take_back(credit_id, 40)
    assert balance(ada) == Balance()


# Spent points given back


def test_give_back_returns_points_to_their_lots_latest_first(ada):
    earn(ada, 100, until=JANUARY)
    earn(ada, 100, until=JUNE)
    spending_id = spend(ada, 150)

    give_back(spending_id, 70)

    assert spendable(ada) == {JANUARY: 20, JUNE: 100}


@pytest.mark.parametrize("parts", [(150,), (1, 149), (50, 50, 50), (120, 29, 1)])
def test_give_back_in_parts_ends_as_one_would(ada, parts):
    earn(ada, 60, until=JANUARY)
    earn(ada, 60, until=JUNE)
    earn(ada, 60, until=None)
    spending_id = spend(ada, 150)

    for points in parts:
        give_back(spending_id, points)

    assert spendable(ada) == {JANUARY: 60, JUNE: 60, None: 60}


def test_give_back_keeps_the_last_day_but_for_30_days_at_least(ada):
    earn(ada, 10, until=TODAY)
    earn(ada, 10, until=TODAY + timedelta(days=29))
    earn(ada, 10, until=TODAY + timedelta(days=31))
    earn(ada, 10, until=None)
    spending_id = spend(ada, 40)
    later = NOON + timedelta(days=1)

    give_back(spending_id, 40, at=later)

    assert spendable(ada, at=later) == {TODAY + timedelta(days=31): 30, None: 10}


def test_give_back_settles_a_debt_first(ada):
    credit_id = earn(ada, 100)
    spending_id = spend(ada, 100)
    take_back(credit_id, 70)

    give_back(spending_id, 100)

    assert balance(ada) == Balance(available=30)


def test_give_back_stops_at_what_was_spent(ada):
    earn(ada, 100)
    spending_id = spend(ada, 100)
    give_back(spending_id, 60)

    with pytest.raises(AboveSpending) as refusal:
        give_back(spending_id, 41)

    assert refusal.value.limit_points == 40
    assert balance(ada) == Balance(available=60)


def test_give_back_twice_under_one_key_is_one_giving_back(ada):
    earn(ada, 1000)
    spending_id = spend(ada, 300)
    key = new_key()

    done = [
        ledger.give_back(key=key, spending_id=spending_id, points=300, at=NOON, least_expires_on=IN_30_DAYS)
        for _ in range(2)
    ]

    assert [d.is_repeat for d in done] == [False, True]
    assert balance(ada) == Balance(available=1000)


def test_give_back_of_captured_points(ada):
    earn(ada, 50, until=JANUARY)
    earn(ada, 50, until=JUNE)
    hold_id = hold(ada, 80)
    first = ledger.capture(key=new_key(), hold_id=hold_id, points=30, at=NOON).posting_id
    second = ledger.capture(key=new_key(), hold_id=hold_id, points=50, at=NOON).posting_id

    give_back(first, 30)
    assert spendable(ada) == {JANUARY: 30, JUNE: 20}
    give_back(second, 30)
    assert spendable(ada) == {JANUARY: 30, JUNE: 50}
    give_back(second, 20)

    assert spendable(ada) == {JANUARY: 50, JUNE: 50}
    # What comes back is not held again.
    assert balance(ada) == Balance(available=100)


# Transfers and adjustments undone


def test_case_125_reverse_of_a_transfer_brings_both_sides_back(ada, ben, sue):
    earn(ada, 60, until=JANUARY)
    earn(ada, 100, until=JUNE, fund=Fund.PARTNERS)
    earn(ben, 5, until=JUNE)
    before = (spendable(ada), spendable(ben))
    transfer_id = give(ada, ben, 100)

    note = Note(actor_id=sue.pk, explanation={"reason": "wrong person"})
    posting = Posting.objects.get(pk=reverse(transfer_id, note=note))

    assert (spendable(ada), spendable(ben)) == before
    assert (posting.origin_id, posting.actor_id, posting.explanation) == (
        transfer_id,
        sue.pk,
        {"reason": "wrong person"},
    )


def test_case_125_reverse_of_a_transfer_of_one_lot_makes_four_entries_in_all(ada, ben):
    earn(ada, 100)
    transfer_id = give(ada, ben, 100)
    reverse_id = reverse(transfer_id)

    assert Entry.objects.filter(posting_id__in=[transfer_id, reverse_id]).count() == 4
    assert (balance(ada), balance(ben)) == (Balance(available=100), Balance())


def test_reverse_is_refused_when_the_points_have_moved_on(ada, ben):
    earn(ada, 100)
    earn(ben, 100, until=JUNE)
    transfer_id = give(ada, ben, 100)
    spend(ben, 30)

    with pytest.raises(PointsMovedOn) as refusal:
        reverse(transfer_id)

    assert refusal.value.limit_points == 30
    assert (balance(ada), balance(ben)) == (Balance(), Balance(available=170))


def test_reverse_happens_once(ada, ben):
    earn(ada, 100)
    transfer_id = give(ada, ben, 50)
    reverse(transfer_id)

    with pytest.raises(AlreadyReversed):
        reverse(transfer_id)

    assert balance(ada) == Balance(available=100)


def test_reverse_gives_no_way_around_debt_or_other_kinds(ada, ben):
    credit_id = earn(ada, 100)
    ledger.adjust(key=new_key(), account_id=ben.pk, points=-10, at=NOON, may_owe=True)
    transfer_id = give(ada, ben, 50)

    for posting_id in (credit_id, transfer_id):
        with pytest.raises(NotReversible):
            reverse(posting_id)


@pytest.mark.parametrize("points", [40, -40])
def test_reverse_of_an_adjustment(ada, points):
    earn(ada, 100, until=JUNE)
    done = ledger.adjust(key=new_key(), account_id=ada.pk, points=points, at=NOON, expires_on=JANUARY)

    reverse(done.posting_id)

    assert spendable(ada) == {JUNE: 100}


def test_reverse_of_an_adjustment_whose_lot_has_expired_gives_30_days(ada):
    earn(ada, 100, until=TODAY)
    done = ledger.adjust(key=new_key(), account_id=ada.pk, points=-40, at=NOON)

    reverse(done.posting_id, at=TOMORROW_NOON)

    assert spendable(ada, at=TOMORROW_NOON) == {IN_30_DAYS: 40}
    assert lots(ada)[TODAY] == (0, 0)
