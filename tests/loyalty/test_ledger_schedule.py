"""Saying anew when pending points become available."""

from datetime import timedelta

import pytest

from loyalty.errors import KeyReused, NoSuchAccount, NotPending
from loyalty.models import UNDECIDED_AT, Credit
from loyalty.queries.audit import CHECKS, findings
from loyalty.services import ledger
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.loyalty.points import Balance, balance, earn, every_row, new_key, settle, take_back

IN_A_WEEK = NOON + timedelta(days=7)
IN_TEN_YEARS = NOON + timedelta(days=3650)


def schedule(credit_id, available_at, *, at=NOON, key=None):
    return ledger.schedule(key=key or new_key(), credit_id=credit_id, available_at=available_at, at=at)


@pytest.fixture
def waiting(ada):
    """Points of Ada's of which a person has yet to say whether they become available."""
    return earn(ada, 100, available_at=UNDECIDED_AT)


def test_undecided_points_wait_for_ever(ada, waiting):
    for moment in (NOON, IN_TEN_YEARS):
        settle(moment)
        assert balance(ada, at=moment) == Balance(pending=100)


def test_points_become_available_at_the_moment_said_anew(ada, waiting):
    assert schedule(waiting, IN_A_WEEK).posting_id == waiting

    assert balance(ada, at=IN_A_WEEK - timedelta(microseconds=1)) == Balance(pending=100)
    assert balance(ada, at=IN_A_WEEK) == Balance(available=100)
    settle(IN_A_WEEK)
    assert balance(ada, at=IN_A_WEEK) == Balance(available=100)


def test_a_moment_that_is_over_makes_them_available_at_once(ada, waiting):
    schedule(waiting, NOON, at=TOMORROW_NOON)

    credit = Credit.objects.get()
    assert (credit.available_at, credit.matured_at) == (TOMORROW_NOON, TOMORROW_NOON)
    assert balance(ada, at=TOMORROW_NOON) == Balance(available=100)


def test_it_can_be_said_again_and_put_off(ada, waiting):
    schedule(waiting, AN_HOUR_LATER)
    schedule(waiting, UNDECIDED_AT)
    assert balance(ada, at=IN_TEN_YEARS) == Balance(pending=100)


def test_sent_twice_it_counts_once(ada, waiting):
    key = new_key()
    first = schedule(waiting, IN_A_WEEK, key=key)
    schedule(waiting, UNDECIDED_AT)
    before = every_row()

    again = schedule(waiting, IN_A_WEEK, key=key, at=TOMORROW_NOON)

    assert (first.is_repeat, again.is_repeat, again.posting_id) == (False, True, waiting)
    assert every_row() == before


def test_the_same_key_for_another_moment_is_an_error(waiting):
    key = new_key()
    schedule(waiting, IN_A_WEEK, key=key)
    with pytest.raises(KeyReused):
        schedule(waiting, TOMORROW_NOON, key=key)


def test_points_that_do_not_wait_cannot_be_put_off(ada):
    credit_id, key = earn(ada, 100), new_key()
    for _ in range(2):  # the refusal is kept under its key
        with pytest.raises(NotPending):
            schedule(credit_id, IN_A_WEEK, key=key)
    assert balance(ada) == Balance(available=100)


def test_points_that_became_available_meanwhile_cannot_be_put_off(ada):
    credit_id = earn(ada, 100, available_at=AN_HOUR_LATER)
    with pytest.raises(NotPending):
        schedule(credit_id, UNDECIDED_AT, at=TOMORROW_NOON)
    assert balance(ada, at=TOMORROW_NOON) == Balance(available=100)


def test_points_that_were_taken_back_do_not_come_again(ada, waiting):
    take_back(waiting, 100)
    with pytest.raises(NotPending):
        schedule(waiting, NOON)
    assert balance(ada) == Balance()


def test_what_is_left_of_a_credit_becomes_available(ada, waiting):
    take_back(waiting, 30)
    schedule(waiting, NOON)
    assert balance(ada) == Balance(available=70)
    assert [found.check.name for found in findings(CHECKS) if found.found_count] == []


def test_what_is_no_credit_cannot_be_scheduled(db):
    with pytest.raises(NoSuchAccount):
        schedule(999_999, NOON)
