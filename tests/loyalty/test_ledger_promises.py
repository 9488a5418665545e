"""What the ledger promises whoever asks, L1 to L9, and that the database itself refuses the rest."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.errors import KeyReused, NotEnoughPoints
from loyalty.models import Credit, Entry, Hold, Lot, PointsAccount, Posting, Request, Spending
from loyalty.services import ledger
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import (
    NEW_YEAR,
    TABLES,
    TODAY,
    Balance,
    balance,
    earn,
    every_row,
    execute,
    fetch,
    give,
    give_back,
    hold,
    new_key,
    spend,
    spendable,
    take_back,
)

HISTORY = ("posting", "entry", "request")


def run(sql, *parameters):
    """Run a statement in a transaction of its own, so that a refusal spoils nothing else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)


def as_the_ledger(*statements):
    """Run statements with all the rights that the ledger's own functions have."""
    run(";".join(["set local role ballada_ledger", *statements]))


# L1: sums to zero, append-only


def test_posting_out_of_balance_is_refused_even_to_the_ledger(ada):
    earn(ada, 100)
    with pytest.raises(IntegrityError, match="out of balance by 5 points"):
        as_the_ledger(
            """insert into loyalty_entry (posting_id, line, account_id, bucket, points, recorded_at)
               values (9999999, 1, -1, 'available', -5, now()), (9999999, 2, -2, 'available', 10, now())"""
        )


def test_posting_without_entries_is_refused(ada, ben):
    earn(ada, 100)
    # A transfer of a negative number would draw nothing; Python refuses it before, the ledger too.
    with pytest.raises(IntegrityError, match="moves none"):
        run("select ledger.transfer(gen_random_uuid(), %s, %s, -5, now(), 'Europe/Moscow')", ada.pk, ben.pk)


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize(
    "statement", ["update {} set recorded_at = now()", "delete from {}", "truncate {} cascade"]
)
@pytest.mark.parametrize("by_the_ledger_itself", [True, False])
def test_history_refuses_every_change(ada, table, statement, by_the_ledger_itself):
    earn(ada, 100)
    before = every_row()

    with pytest.raises(DatabaseError) as refusal:
        (as_the_ledger if by_the_ledger_itself else run)(statement.format(f"loyalty_{table}"))

    assert refusal.value.__cause__.sqlstate == "42501"
    assert every_row() == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["delete from {}", "truncate {} cascade", "insert into {} default values"]
)
def test_ledger_is_written_by_nobody_else_not_even_its_owner(ada, table, statement):
    earn(ada, 100)
    before = every_row()

    with pytest.raises(DatabaseError) as refusal:
        run(statement.format(f"loyalty_{table}"))

    assert refusal.value.__cause__.sqlstate == "42501"
    assert every_row() == before


def test_orm_cannot_write_the_ledger(ada):
    hold_id = earn(ada, 100) and hold(ada, 10)
    spend(ada, 10)
    for change in (
        lambda: PointsAccount.objects.filter(pk=ada.pk).update(available_points=1_000_000),
        lambda: Lot.objects.update(points=5),
        lambda: Credit.objects.update(points=5),
        lambda: Hold.objects.get(pk=hold_id).delete(),
        lambda: Spending.objects.all().delete(),
        lambda: Entry.objects.all().delete(),
        lambda: Posting.objects.bulk_create([Posting(kind="credit", effective_at=NOON, recorded_at=NOON)]),
        lambda: Request.objects.all().delete(),
    ):
        with (
            pytest.raises(DatabaseError, match=r"written by its own functions|stays as it was"),
            transaction.atomic(),
        ):
            change()


# L2: the account equals entries and lots, also when no job has run; L3 is in test_ledger_races


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("update loyalty_points_account set available_points = -1 where id > 0", "never_below_zero"),
        ("update loyalty_points_account set debt_points = 1 where id > 0", "settles_debt_first"),
        ("update loyalty_points_account set version = 1 where id = -1", "is_summed"),
        ("update loyalty_lot set held_points = points + 1", "holds_what_it_has"),
        ("update loyalty_credit set taken_back_points = points + 1", "taken_back_once"),
        ("update loyalty_spending set given_back_points = points + 1", "given_back_once"),
        ("update loyalty_hold set captured_points = 6, released_points = 5", "settled_once"),
    ],
)
def test_impossible_numbers_are_refused_even_to_the_ledger(ada, change, constraint):
    earn(ada, 100)
    spend(ada, 10)
    hold(ada, 10)

    with pytest.raises(IntegrityError, match=constraint):
        as_the_ledger(change)


# L4: one key, one effect, one answer


def test_same_key_gets_the_same_posting(ada):
    key = new_key()
    answers = [
        ledger.credit(
            key=key, account_id=ada.pk, points=100, at=NOON + timedelta(hours=hours), expires_on=NEW_YEAR
        )
        for hours in range(3)
    ]

    assert len({answer.posting_id for answer in answers}) == 1
    assert [answer.is_repeat for answer in answers] == [False, True, True]
    assert balance(ada) == Balance(available=100)


def test_same_key_gets_the_same_refusal_although_there_would_be_enough_now(ada):
    earn(ada, 90)
    key = new_key()
    with pytest.raises(NotEnoughPoints):
        ledger.spend(key=key, account_id=ada.pk, points=100, at=NOON)
    earn(ada, 900)

    with pytest.raises(NotEnoughPoints) as refusal:
        ledger.spend(key=key, account_id=ada.pk, points=100, at=NOON)

    assert refusal.value.limit_points == 90
    assert balance(ada) == Balance(available=990)


def test_same_key_with_other_content_is_an_error(ada, ben):
    key = new_key()
    ledger.credit(key=key, account_id=ada.pk, points=100, at=NOON, expires_on=NEW_YEAR)
    before = every_row()

    for other in (
        lambda: ledger.credit(key=key, account_id=ada.pk, points=101, at=NOON, expires_on=NEW_YEAR),
        lambda: ledger.credit(key=key, account_id=ben.pk, points=100, at=NOON, expires_on=NEW_YEAR),
        lambda: ledger.spend(key=key, account_id=ada.pk, points=100, at=NOON),
    ):
        with pytest.raises(KeyReused), transaction.atomic():
            other()

    assert every_row() == before


def test_repeats_of_every_operation_write_nothing(ada, ben):
    keys = {
        name: new_key()
        for name in (
            "credit",
            "spend",
            "hold",
            "capture",
            "release",
            "back",
            "take",
            "give",
            "adjust",
            "undo",
        )
    }
    members = {"account_id": ada.pk, "at": NOON}

    def everything():
        credit_id = ledger.credit(key=keys["credit"], points=100, expires_on=NEW_YEAR, **members).posting_id
        spending_id = ledger.spend(key=keys["spend"], points=10, **members).posting_id
        hold_id = ledger.hold(key=keys["hold"], points=10, expires_at=TOMORROW_NOON, **members).posting_id
        ledger.capture(key=keys["capture"], hold_id=hold_id, points=4, at=NOON)
        ledger.release(key=keys["release"], hold_id=hold_id, points=6, at=NOON)
        ledger.give_back(key=keys["back"], spending_id=spending_id, points=5, at=NOON, least_expires_on=TODAY)
        ledger.take_back(key=keys["take"], credit_id=credit_id, points=5, at=NOON)
        transfer_id = ledger.transfer(
            key=keys["give"], from_account_id=ada.pk, to_account_id=ben.pk, points=5, at=NOON
        ).posting_id
        ledger.adjust(key=keys["adjust"], points=-5, **members)
        ledger.reverse(key=keys["undo"], posting_id=transfer_id, at=NOON, least_expires_on=TODAY)

    everything()
    after_once = every_row()
    everything()

    assert every_row() == after_once


def test_event_key_is_the_same_for_the_same_event_only():
    assert ledger.event_key("till", "A-1", "paid") == ledger.event_key("till", "A-1", "paid")
    assert ledger.event_key("till", "A-1", "paid") != ledger.event_key("till", "A-1", "refunded")
    assert ledger.event_key("till", "A", "1") != ledger.event_key("till", "A1", "")


# L7: giving points away and back lengthens no life


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    earned=st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(0, 5)), min_size=1, max_size=5),
    moves=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2), st.integers(1, 120)), max_size=12),
)
def test_rings_of_transfers_change_nobodys_last_days(db, earned, moves):
    with transaction.atomic():
        members = [MemberFactory() for _ in range(3)]
        for points, days in earned:
            earn(members[0], points, until=None if days is None else TODAY + timedelta(days=days))
        born_with = spendable(members[0])

        for giver, step, points in moves:
            try:
                give(members[giver], members[(giver + step) % 3], points)
            except NotEnoughPoints:
                continue

        now = {}
        for member in members:
            for day, points in spendable(member).items():
                now[day] = now.get(day, 0) + points
        transaction.set_rollback(True)
    assert now == born_with


# L9 and L10: entries carry the account as it stood


def test_entries_are_numbered_without_gaps_and_carry_the_balance_after(ada, ben):
    credit_id = earn(ada, 100)
    earn(ada, 50, available_at=TOMORROW_NOON)
    spending_id = spend(ada, 60)
    hold(ada, 30)
    take_back(credit_id, 100)
    give_back(spending_id, 60)
    give(ada, ben, 20) if balance(ada).available >= 20 else None

    entries = list(
        Entry.objects.filter(account_id=ada.pk)
        .order_by("version")
        .values(
            "version",
            "bucket",
            "points",
            "available_after_points",
            "pending_after_points",
            "held_after_points",
            "debt_after_points",
            "recorded_at",
        )
    )

    assert [entry["version"] for entry in entries] == list(range(1, len(entries) + 1))
    assert all(one["recorded_at"] <= other["recorded_at"] for one, other in pairwise(entries))
    running = {"available": 0, "pending": 0, "held": 0, "debt": 0}
    for entry in entries:
        running[entry["bucket"]] += -entry["points"] if entry["bucket"] == "debt" else entry["points"]
        assert running == {bucket: entry[f"{bucket}_after_points"] for bucket in running}
    assert Balance(*running.values()) == balance(ada)


def test_programme_accounts_add_up_to_what_members_have(ada, ben):
    earn(ada, 100)
    earn(ada, 10, until=TODAY)
    spend(ada, 30)
    give(ada, ben, 40)
    ledger.settle_due(at=TOMORROW_NOON, limit=10)

    totals = dict(
        fetch("select account_id, sum(points)::int from loyalty_entry where account_id < 0 group by 1")
    )
    members = balance(ada, at=TOMORROW_NOON).available + balance(ben, at=TOMORROW_NOON).available
    assert totals == {-1: -110, -2: 30}
    assert -totals[-1] - totals[-2] == members


def test_what_a_hold_still_holds_is_read_by_its_own_postings_only(db):
    # Without the index a capture would read every entry there is, more of them every day.
    execute("set local enable_seqscan = off")

    plan = "\n".join(line for (line,) in fetch("explain select * from ledger.hold_parts(1)"))

    assert "Index Cond: (posting_id = ANY" in plan
