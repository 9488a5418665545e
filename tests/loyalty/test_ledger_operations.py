"""What each operation does to a member's points."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from loyalty.errors import AboveHold, AccountBlocked, NoSuchAccount, NotEnoughPoints
from loyalty.models import Credit, Entry, Fund, Posting, Purpose
from loyalty.services import ledger
from loyalty.services.ledger import Note
from tests.clock import AN_HOUR_LATER, MOSCOW, NOON, TOMORROW_NOON
from tests.loyalty.points import (
    NEW_YEAR,
    TODAY,
    Balance,
    balance,
    earn,
    every_row,
    fetch,
    give,
    hold,
    lots,
    new_key,
    settle,
    spend,
    spendable,
)

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)
JANUARY, FEBRUARY, JUNE = date(2027, 1, 31), date(2027, 2, 28), date(2027, 6, 30)


def test_case_57_credit_makes_one_open_lot(ada):
    earn(ada, 100)

    assert balance(ada) == Balance(available=100)
    assert lots(ada) == {NEW_YEAR: (100, 0)}


def test_case_33_credit_of_an_event_that_is_told_twice_counts_once(ada):
    for _ in range(2):
        ledger.credit(
            key=ledger.event_key("welcome", ada.number),
            account_id=ada.pk,
            points=250,
            at=NOON,
            expires_on=NEW_YEAR,
        )

    assert balance(ada) == Balance(available=250)


def test_credit_says_why(ada):
    note = Note(
        purpose=Purpose.ORDER,
        order_id=7,
        rule_set_id=3,
        explanation={"base_sum": "1000.00", "coefficient": "0.05"},
    )
    done = ledger.credit(key=new_key(), account_id=ada.pk, points=50, at=NOON, expires_on=NEW_YEAR, note=note)

    posting = Posting.objects.get(pk=done.posting_id)
    assert (posting.purpose, posting.order_id, posting.rule_set_id) == (Purpose.ORDER, 7, 3)
    assert posting.explanation == {"base_sum": "1000.00", "coefficient": "0.05"}
    assert (posting.kind, posting.effective_at) == (Posting.Kind.CREDIT, NOON)


def test_credit_waits_until_it_is_available(ada):
    earn(ada, 100, available_at=TOMORROW_NOON)

    assert balance(ada) == Balance(pending=100)
    assert balance(ada, at=TOMORROW_NOON - timedelta(microseconds=1)) == Balance(pending=100)
    assert balance(ada, at=TOMORROW_NOON) == Balance(available=100)
    with pytest.raises(NotEnoughPoints):
        spend(ada, 1)

    spend(ada, 100, at=TOMORROW_NOON)

    assert balance(ada, at=TOMORROW_NOON) == Balance()
    assert Credit.objects.get().matured_at == TOMORROW_NOON


@pytest.mark.parametrize("account_id", [-1, 0, 2**40])
def test_credit_of_nobody_and_of_the_programme_itself_is_refused(db, account_id):
    with pytest.raises(NoSuchAccount):
        ledger.credit(key=new_key(), account_id=account_id, points=1, at=NOON, expires_on=None)


@pytest.mark.parametrize("points", [0, -1])
def test_operations_move_points_above_zero(ada, ben, points):
    earn(ada, 10)
    before = every_row()

    with pytest.raises(ValueError, match="above 0"):
        spend(ada, points)
    with pytest.raises(ValueError, match="above 0"):
        give(ada, ben, points)

    assert every_row() == before


def test_case_59_spend_takes_the_soonest_expiring_first(ada):
    earn(ada, 100, until=JUNE)
    earn(ada, 100, until=JANUARY)

    spend(ada, 100)

    assert lots(ada) == {JANUARY: (0, 0), JUNE: (100, 0)}


def test_case_61_spend_leaves_the_rest_of_a_lot(ada):
    earn(ada, 50, until=JANUARY)
    earn(ada, 50, until=FEBRUARY)

    spend(ada, 70)

    assert balance(ada) == Balance(available=30)
    assert spendable(ada) == {FEBRUARY: 30}


def test_spend_takes_never_expiring_points_last(ada):
    earn(ada, 10, until=None)
    earn(ada, 10, until=JUNE)

    spend(ada, 15)

    assert spendable(ada) == {None: 5}


def test_case_71_spend_of_two_lots_in_two_goes(ada):
    earn(ada, 100, until=JANUARY)
    earn(ada, 50, until=FEBRUARY)

    spend(ada, 30)
    spend(ada, 80)

    assert lots(ada) == {JANUARY: (0, 0), FEBRUARY: (40, 0)}
    with pytest.raises(NotEnoughPoints):
        spend(ada, 130)


def test_case_65_spend_refuses_more_than_there_is_and_says_how_much_there_is(ada):
    earn(ada, 100)
    spend(ada, 10)
    entries = Entry.objects.count()

    with pytest.raises(NotEnoughPoints) as refusal:
        spend(ada, 100)

    assert refusal.value.limit_points == 90
    with translation.override("en"):
        assert str(refusal.value) == "There are not enough points: 90 points are available."
    assert Entry.objects.count() == entries


def test_case_81_spend_beyond_the_balance_moves_nothing(ada):
    earn(ada, 200)
    before = every_row()

    with pytest.raises(NotEnoughPoints):
        spend(ada, 500)

    after = every_row()
    assert len(after.pop("request")) == len(before.pop("request")) + 1
    assert after == before


def test_case_67_spend_before_the_first_lot_expires_leaves_the_later_one(ada):
    soon, later = TODAY + timedelta(days=10), TODAY + timedelta(days=60)
    earn(ada, 100, until=soon)
    earn(ada, 200, until=later)

    spend(ada, 180, at=NOON + timedelta(days=9))

    assert spendable(ada, at=NOON + timedelta(days=9)) == {later: 120}
    assert balance(ada, at=NOON + timedelta(days=30)) == Balance(available=120)


def test_case_69_two_earnings_of_ninety_days_expire_each_in_its_time(ada):
    ninety_days = timedelta(days=90)
    earn(ada, 575, until=TODAY + ninety_days)
    spend(ada, 500)
    assert balance(ada) == Balance(available=75)

    day_10 = NOON + timedelta(days=10)
    earn(ada, 805, until=day_10.date() + ninety_days, at=day_10)
    spend(ada, 500, at=day_10)

    assert balance(ada, at=day_10) == Balance(available=380)
    assert balance(ada, at=day_10 + timedelta(days=91)) == Balance()


def test_case_117_expiry_takes_only_what_is_past_and_once(ada):
    earn(ada, 100, until=YESTERDAY, at=NOON - timedelta(days=5))
    earn(ada, 50, until=TOMORROW, at=NOON - timedelta(days=5))

    assert [settle(NOON), settle(NOON)] == [1, 0]

    assert balance(ada) == Balance(available=50)
    (expired,) = Entry.objects.filter(account_id=-3)
    assert expired.points == 100
    midnight = datetime(2026, 3, 10, tzinfo=MOSCOW)
    assert Posting.objects.get(kind="expire").effective_at == midnight


def test_case_119_expired_points_cannot_be_spent_although_no_job_has_run(ada):
    earn(ada, 150, until=YESTERDAY, at=NOON - timedelta(days=5))

    assert balance(ada) == Balance()
    with pytest.raises(NotEnoughPoints):
        spend(ada, 1)


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Vladivostok", "America/New_York"])
def test_points_are_usable_through_the_last_second_of_their_day(ada, settings, zone):
    settings.TIME_ZONE = zone
    last_second = datetime(2026, 3, 10, 23, 59, 59, tzinfo=ZoneInfo(zone))
    earn(ada, 100, until=TODAY, at=last_second - timedelta(hours=3))

    spend(ada, 40, at=last_second)
    with pytest.raises(NotEnoughPoints):
        spend(ada, 40, at=last_second + timedelta(seconds=1))


def test_points_last_to_midnight_on_the_days_that_clocks_change(ada, settings):
    # In Chile clocks went back at midnight (a second 23:00) and forward at midnight (no 00:00).
    settings.TIME_ZONE = "America/Santiago"
    santiago = ZoneInfo("America/Santiago")
    back, forward = date(2026, 4, 4), date(2026, 9, 5)
    earn(ada, 10, until=back, at=datetime(2026, 4, 1, tzinfo=santiago))
    earn(ada, 100, until=forward, at=datetime(2026, 4, 1, tzinfo=santiago))

    spend(ada, 1, at=datetime(2026, 4, 4, 23, 59, 59, fold=1, tzinfo=santiago))
    assert settle(datetime(2026, 4, 5, 0, 0, tzinfo=santiago)) == 1
    spend(ada, 1, at=datetime(2026, 9, 5, 23, 59, 59, tzinfo=santiago))
    assert settle(datetime(2026, 9, 6, 1, 0, tzinfo=santiago)) == 1

    spent = fetch("select points from loyalty_spending order by posting_id")
    expired = fetch("select points from loyalty_entry where account_id = -3 order by posting_id")
    assert (spent, expired) == ([(1,), (1,)], [(9,), (99,)])


def test_case_131_hold_and_spending_share_the_balance(ada):
    earn(ada, 100)
    spend(ada, 10)
    hold_id = hold(ada, 15)
    assert balance(ada) == Balance(available=75, held=15)

    with pytest.raises(NotEnoughPoints):
        hold(ada, 76)
    with pytest.raises(AboveHold) as refusal:
        ledger.capture(key=new_key(), hold_id=hold_id, points=16, at=NOON)
    assert refusal.value.limit_points == 15

    ledger.release(key=new_key(), hold_id=hold_id, points=15, at=NOON)

    assert balance(ada) == Balance(available=90)
    assert lots(ada) == {NEW_YEAR: (90, 0)}


def test_hold_is_captured_and_released_in_parts(ada):
    earn(ada, 60, until=JANUARY)
    earn(ada, 60, until=JUNE)
    hold_id = hold(ada, 100)

    ledger.capture(key=new_key(), hold_id=hold_id, points=70, at=NOON)
    assert balance(ada) == Balance(available=20, held=30)
    ledger.release(key=new_key(), hold_id=hold_id, points=10, at=NOON)
    ledger.capture(key=new_key(), hold_id=hold_id, points=20, at=NOON)

    assert balance(ada) == Balance(available=30)
    assert lots(ada) == {JANUARY: (0, 0), JUNE: (30, 0)}
    with pytest.raises(AboveHold):
        ledger.release(key=new_key(), hold_id=hold_id, points=1, at=NOON)


def test_hold_that_runs_out_sets_its_points_free(ada):
    earn(ada, 100)
    hold_id = hold(ada, 40, hours=1)
    a_moment_before = AN_HOUR_LATER - timedelta(microseconds=1)

    assert balance(ada, at=a_moment_before) == Balance(available=60, held=40)
    assert balance(ada, at=AN_HOUR_LATER) == Balance(available=100)
    with pytest.raises(AboveHold):
        ledger.capture(key=new_key(), hold_id=hold_id, points=1, at=AN_HOUR_LATER)
    spend(ada, 100, at=AN_HOUR_LATER)


def test_held_points_outlive_their_day_until_they_are_set_free(ada):
    earn(ada, 100, until=TODAY)
    hold_id = hold(ada, 60, hours=48)
    settle(TOMORROW_NOON)
    assert balance(ada, at=TOMORROW_NOON) == Balance(held=60)

    ledger.capture(key=new_key(), hold_id=hold_id, points=20, at=TOMORROW_NOON)
    ledger.release(key=new_key(), hold_id=hold_id, points=40, at=TOMORROW_NOON)

    assert balance(ada, at=TOMORROW_NOON) == Balance()
    assert fetch("select sum(points)::int from loyalty_entry where account_id = -3") == [(80,)]


def test_transfer_moves_lots_with_their_days_and_funds(ada, ben):
    earn(ada, 30, until=JANUARY)
    earn(ada, 30, until=JUNE, fund=Fund.PARTNERS)
    earn(ada, 30, until=None)

    give(ada, ben, 70)

    assert spendable(ada) == {None: 20}
    assert spendable(ben) == {JANUARY: 30, JUNE: 30, None: 10}
    assert fetch("select fund from loyalty_lot where account_id = %s and expires_on = %s", ben.pk, JUNE) == [
        ("partners",)
    ]


def test_transfer_settles_the_debt_of_who_receives(ada, ben):
    earn(ada, 100)
    ledger.adjust(key=new_key(), account_id=ben.pk, points=-30, at=NOON, may_owe=True)
    assert balance(ben) == Balance(debt=30)

    give(ada, ben, 50)

    assert (balance(ada), balance(ben)) == (Balance(available=50), Balance(available=20))


def test_transfer_refuses_more_than_there_is(ada, ben):
    earn(ada, 100)
    hold(ada, 40)

    with pytest.raises(NotEnoughPoints) as refusal:
        give(ada, ben, 61)

    assert refusal.value.limit_points == 60
    assert balance(ben) == Balance()


def test_transfer_needs_two_accounts(ada):
    earn(ada, 100)
    with pytest.raises(ValueError, match="two accounts"):
        give(ada, ada, 10)


def test_blocked_account_earns_and_receives_but_gives_nothing(ada, ben):
    earn(ada, 100)
    earn(ben, 100)
    hold_id = hold(ada, 30)
    ledger.block(account_id=ada.pk, is_blocked=True)

    for refused in (lambda: spend(ada, 1), lambda: hold(ada, 1), lambda: give(ada, ben, 1)):
        with pytest.raises(AccountBlocked):
            refused()
    earn(ada, 10)
    give(ben, ada, 5)
    ledger.capture(key=new_key(), hold_id=hold_id, points=30, at=NOON)
    assert balance(ada) == Balance(available=85)

    ledger.block(account_id=ada.pk, is_blocked=False)
    spend(ada, 85)


def test_adjustment_downwards_stops_at_what_there_is_unless_debt_is_allowed(ada):
    earn(ada, 50)

    with pytest.raises(NotEnoughPoints):
        ledger.adjust(key=new_key(), account_id=ada.pk, points=-80, at=NOON)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-80, at=NOON, may_owe=True)
    assert balance(ada) == Balance(debt=30)

    earn(ada, 100)

    assert balance(ada) == Balance(available=70)
    assert spendable(ada) == {NEW_YEAR: 70}


def test_adjustment_upwards_settles_a_debt_first(ada):
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-30, at=NOON, may_owe=True)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=100, at=NOON, expires_on=JUNE)

    assert balance(ada) == Balance(available=70)
    assert spendable(ada) == {JUNE: 70}
