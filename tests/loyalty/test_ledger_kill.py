"""Cut off in the middle of anything, the ledger has done a thing wholly or not at all (L1, L4)."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from uuid import UUID, uuid5

import pytest
from django.db import DatabaseError, connection, transaction

from loyalty.models import Entry
from loyalty.queries.audit import CHECKS, findings
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
    hold,
    new_key,
    spend,
)

OPERATIONS = [
    "credit", "spend", "hold", "capture", "release", "give_back", "take_back",
    "transfer", "adjust", "reverse", "credit_many", "settle_due",
]  # fmt: skip
# The cut happens at the n-th row that is written; a sequence goes on counting after a roll-back.
COUNT_ROWS_SQL = """
    create sequence written_rows;
    create function cut_at_row() returns trigger language plpgsql security definer as $$
    begin
        if nextval('written_rows') = current_setting('test.cut_at')::int then
            %s;
        end if;
        return null;
    end $$
"""
RAISE = "raise exception 'cut here'"
TERMINATE = "perform pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"


def set_the_trap(action):
    execute(COUNT_ROWS_SQL.replace("%s", action))
    for table in TABLES:
        execute(
            f"""create trigger cut_at_row after insert or update on loyalty_{table}
                for each row execute function cut_at_row()"""
        )


def remove_the_trap():
    execute("drop function cut_at_row() cascade; drop sequence written_rows")


@pytest.fixture
def story(db):
    """Two members with something of everything, and each operation with its arguments and one key."""
    ada, ben = MemberFactory(), MemberFactory()
    credit_id = earn(ada, 100)
    earn(ada, 50, until=TODAY)
    earn(ada, 7, available_at=TOMORROW_NOON)
    spending_id = spend(ada, 60)
    hold_id = hold(ada, 30)
    transfer_id = give(ada, ben, 20)
    ledger.adjust(key=new_key(), account_id=ben.pk, points=-50, at=NOON, may_owe=True)
    cid = MemberFactory()
    undo_id = give(ada, cid, 5)
    key, at = {"key": new_key()}, {"at": NOON}
    # Whatever is asked for on the next day also settles what has become due.
    later = {"at": TOMORROW_NOON}
    rows = [
        ledger.CreditRow(new_key(), member.pk, 9, NOON, NOON, NEW_YEAR, ledger.NO_NOTE)
        for member in (ada, ben)
    ]
    assert transfer_id
    return ada, {
        "credit": {**key, **later, "account_id": ben.pk, "points": 40, "expires_on": NEW_YEAR},
        "spend": {**key, **later, "account_id": ada.pk, "points": 30},
        "hold": {**key, **later, "account_id": ada.pk, "points": 30, "expires_at": TOMORROW_NOON},
        "capture": {**key, **at, "hold_id": hold_id, "points": 20},
        "release": {**key, **at, "hold_id": hold_id, "points": 20},
        "give_back": {**key, **at, "spending_id": spending_id, "points": 55, "least_expires_on": NEW_YEAR},
        "take_back": {**key, **at, "credit_id": credit_id, "points": 90},
        "transfer": {**key, **later, "from_account_id": ada.pk, "to_account_id": ben.pk, "points": 40},
        "adjust": {**key, **later, "account_id": ada.pk, "points": -200, "may_owe": True},
        "reverse": {**key, **at, "posting_id": undo_id, "least_expires_on": NEW_YEAR},
        "credit_many": {"rows": rows},
        "settle_due": {**later, "limit": 10},
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_case_127_operation_that_fails_at_any_row_leaves_nothing(story, operation):
    _ada, arguments = story
    before = every_row()
    set_the_trap(RAISE)

    for row in range(1, 60):
        execute(f"set local test.cut_at = {row}; alter sequence written_rows restart")
        try:
            with transaction.atomic():
                getattr(ledger, operation)(**arguments[operation])
        except DatabaseError:
            assert every_row() == before
        else:
            break

    # Each had several rows to be cut at, and then it was done.
    assert row > 4
    assert every_row() != before
    assert [found.check.name for found in findings(CHECKS) if found.found_count] == []


@pytest.mark.django_db(transaction=True)
def test_write_whose_connection_dies_is_sent_again_and_counts_once(ada):
    earn(ada, 1000)
    set_the_trap(TERMINATE)
    try:
        for row in range(1, 8):
            execute("alter sequence written_rows restart")
            execute(f"alter database {connection.settings_dict['NAME']} set test.cut_at = {row}")
            connection.close()
            connection.close_pool()
            before, entries = fetch("select pg_backend_pid()"), Entry.objects.count()

            done = ledger.spend(key=new_key(), account_id=ada.pk, points=10, at=NOON)

            assert fetch("select pg_backend_pid()") != before
            assert not done.is_repeat
            assert Entry.objects.count() == entries + 2
            assert balance(ada) == Balance(available=1000 - 10 * row)
    finally:
        execute(f"alter database {connection.settings_dict['NAME']} reset test.cut_at")
        remove_the_trap()
        connection.close()
        connection.close_pool()


# Stands for a web server: gives points to and fro under numbered keys, and says which are done.
CHILD = """
import json, sys, psycopg
from uuid import UUID, uuid5
parameters, namespace, one, other, first = json.loads(sys.argv[1])
with psycopg.connect(**parameters, autocommit=True) as connection:
    number = first
    while True:
        print(number, "asked", flush=True)
        connection.execute(
            "select ledger.transfer(%s, %s, %s, 3, '2026-03-10 12:00+03', 'Europe/Moscow')",
            [uuid5(UUID(namespace), str(number)), *((one, other) if number % 2 else (other, one))])
        print(number, "done", flush=True)
        number += 1
"""


@pytest.mark.django_db(transaction=True)
def test_killed_process_has_done_what_it_said_and_at_most_one_thing_more(ada, ben):
    earn(ada, 500)
    earn(ben, 500)
    namespace, asked, done = new_key(), set(), set()
    parameters = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in ("host", "port", "user", "dbname", "password")
    }
    dice = random.Random(4)

    for turn in range(8):
        first = turn * 1_000_001
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, json.dumps([parameters, str(namespace), ada.pk, ben.pk, first])],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout.readline() == f"{first} asked\n"
        time.sleep(dice.uniform(0.01, 0.15))
        os.kill(child.pid, signal.SIGKILL)
        said = [f"{first} asked", *child.stdout.read().splitlines()]
        child.wait()
        asked |= {int(line.split()[0]) for line in said if line.endswith("asked")}
        done |= {int(line.split()[0]) for line in said if line.endswith("done")}

    # A server that is in the middle of a statement when its client dies may still finish it.
    while fetch(
        """select count(*) from pg_stat_activity
            where state = 'active' and query like 'select ledger.transfer%'"""
    ) != [(0,)]:
        time.sleep(0.01)
    kept = {key for (key,) in fetch("select key from loyalty_request")}
    keys = {number: uuid5(UUID(str(namespace)), str(number)) for number in asked}
    assert len(done) > 20
    assert {keys[number] for number in done} <= kept
    assert len(asked - done) <= 8
    # What is in doubt is asked for again: whether it had been done or not, it is done once.
    for number in asked - done:
        giver, receiver = (ada, ben) if number % 2 else (ben, ada)
        ledger.transfer(
            key=keys[number], from_account_id=giver.pk, to_account_id=receiver.pk, points=3, at=NOON
        )
    assert fetch("select count(*) from loyalty_posting where kind = 'transfer'") == [(len(asked),)]
    odd = sum(number % 2 for number in asked)
    assert balance(ada).available == 500 + 3 * (len(asked) - 2 * odd)
    assert [found.check.name for found in findings(CHECKS) if found.found_count] == []
