"""What the role that web and worker connect as can do, and what it cannot."""

import os
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import jobs
from loyalty.models import LedgerAudit
from loyalty.queries.audit import CHECKS, findings
from loyalty.services import ledger
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import (
    NEW_YEAR,
    TABLES,
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
    settle,
    spend,
    take_back,
)

# Roles belong to the whole server, and tests may run side by side.
ROLE = f"ballada_test_app_{os.getpid()}"


@pytest.fixture
def app_role(db):
    """A role with the rights of the app; it is gone with the test's transaction."""
    execute(f"create role {ROLE}")
    # Whoever runs the tests has to become that role, and need not be a superuser.
    execute(f"grant {ROLE} to current_user")
    call_command("grant_rights", "--to", ROLE, verbosity=0)


@contextmanager
def as_app():
    with connection.cursor() as cursor:
        cursor.execute(f"set role {ROLE}")
        try:
            yield
        finally:
            cursor.execute("reset role")


def refused(sql):
    """Try what the app must not do; what comes back is the SQLSTATE of the refusal, or None."""
    try:
        with transaction.atomic():
            execute(f"set local role {ROLE}")
            execute(sql)
    except DatabaseError as refusal:
        return refusal.__cause__.sqlstate
    return None


def test_app_moves_points_by_every_operation(app_role, ada, ben):
    with as_app():
        credit_id = earn(ada, 100)
        earn(ada, 10, available_at=TOMORROW_NOON)
        spending_id = spend(ada, 20)
        give_back(spending_id, 5)
        take_back(credit_id, 5)
        hold_id = hold(ada, 20)
        ledger.capture(key=new_key(), hold_id=hold_id, points=5, at=NOON)
        ledger.release(key=new_key(), hold_id=hold_id, points=5, at=NOON)
        ledger.reverse(key=new_key(), posting_id=give(ada, ben, 10), at=NOON, least_expires_on=NEW_YEAR)
        ledger.adjust(key=new_key(), account_id=ada.pk, points=-5, at=NOON)
        ledger.credit_many(
            rows=[ledger.CreditRow(new_key(), ben.pk, 7, NOON, NOON, NEW_YEAR, ledger.NO_NOTE)]
        )
        ledger.block(account_id=ben.pk, is_blocked=True)
        ledger.lock_accounts(ada.pk, ben.pk)
        settle(TOMORROW_NOON)

        assert balance(ada, at=TOMORROW_NOON) == Balance(available=80)
        assert balance(ben) == Balance(available=7)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement",
    ["insert into {} default values", "update {} set {column} = null", "delete from {}", "truncate {}"],
)
def test_app_has_no_right_to_write_the_ledger(app_role, ada, table, statement):
    earn(ada, 100)
    before = every_row()
    column = fetch(
        "select column_name from information_schema.columns where table_name = %s and ordinal_position = 1",
        f"loyalty_{table}",
    )[0][0]

    assert refused(statement.format(f"loyalty_{table}", column=column)) == "42501"
    assert every_row() == before


@pytest.mark.parametrize(
    "sql",
    [
        "select ledger.post('credit', '{}'::ledger.line[], now())",
        "select ledger.keep(gen_random_uuid(), 'x', null)",
        "alter table loyalty_entry disable trigger user",
        "select setval('loyalty_posting_id_seq', 1)",
        "drop function ledger.refuse_change() cascade",
        "delete from loyalty_tier_change",
        "update loyalty_paid_sum_entry set paid_sum = 0",
        "update django_migrations set name = 'x'",
        "create table public.mine (id int)",
    ],
)
def test_app_has_no_way_around(app_role, ada, sql):
    assert refused(sql) == "42501"


def test_app_cannot_become_the_ledger(app_role):
    assert fetch(f"select pg_has_role('{ROLE}', 'ballada_ledger', 'member')") == [(False,)]


def test_nobody_without_rights_can_call_the_ledger(db, ada):
    execute(f"create role {ROLE}")
    call = f"select ledger.adjust(gen_random_uuid(), {ada.pk}, 5, now(), null, 'promotions', true, 'UTC')"

    assert refused(call) == "42501"


def test_app_does_everything_else(app_role, client_of, ada, sue):
    with as_app():
        client_of(ada)
        assert MemberFactory().pk
        cache.set("limit", 1)
        jobs.audit_ledger.defer(timestamp=0)
        assert ProcrastinateJob.objects.filter(task_name="loyalty.jobs.audit_ledger").exists()
        found = [finding.check.name for finding in findings(CHECKS) if finding.found_count]
        LedgerAudit.objects.create(ran_at=NOON, duration_seconds=1, rows_count=1, findings=[])

    assert found == []


def test_rights_can_be_granted_again_and_again(app_role):
    before = fetch("select relname, relacl::text from pg_class where relacl is not null order by 1")
    call_command("grant_rights", "--to", ROLE, verbosity=0)
    assert fetch("select relname, relacl::text from pg_class where relacl is not null order by 1") == before


@pytest.fixture
def by_superuser(db):
    """Only a superuser can make another."""
    if not fetch("select rolsuper from pg_roles where rolname = current_user")[0][0]:
        pytest.skip("The tests run as a role that cannot make a superuser.")


def test_rights_are_not_granted_to_nobody_or_to_a_superuser(by_superuser):
    with pytest.raises(CommandError, match="no role"):
        call_command("grant_rights", "--to", "no_such_role")
    execute(f"create role {ROLE} superuser")
    with pytest.raises(CommandError, match="superuser"):
        call_command("grant_rights", "--to", ROLE)
