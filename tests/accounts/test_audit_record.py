"""The audit journal: rows are added, and the database refuses everything else."""

import os

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditRecord
from accounts.services.audit import record
from tests.clock import NOON

# Roles belong to the whole server, and tests may run side by side.
ROLE = f"ballada_test_journal_{os.getpid()}"
REFUSED = "42501"


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def refusal(sql: str, *, role: str = "") -> str | None:
    """Try it, as that role or as the owner of the tables; the SQLSTATE of the refusal, or None."""
    try:
        with transaction.atomic():
            if role:
                execute(f"set local role {role}")
            execute(sql)
    except DatabaseError as error:
        return error.__cause__.sqlstate
    return None


@pytest.fixture
def kept(ada) -> AuditRecord:
    return record(
        action=AuditRecord.Action.ACCOUNT_BLOCKED, member=ada, at=NOON, actor=7, reason="a lost phone"
    )


@pytest.fixture
def app_role(db) -> str:
    """A role with the rights of web and worker; it is gone with the test's transaction."""
    execute(f"create role {ROLE}")
    execute(f"grant {ROLE} to current_user")
    call_command("grant_rights", "--to", ROLE, verbosity=0)
    return ROLE


def test_record_says_who_did_what_to_whom_and_when(ada, kept):
    (found,) = AuditRecord.objects.all()

    assert (found.action, found.member, found.happened_at, found.actor_id) == (
        "account_blocked",
        ada,
        NOON,
        7,
    )
    assert found.facts == {"reason": "a lost phone"}


def test_record_says_as_what_somebody_did_it_unless_it_is_their_own_account(ada, stan, sue):
    actors = [sue, stan.pk, ada.user_id, None]

    kept = [
        record(action=AuditRecord.Action.ACCOUNT_BLOCKED, member=ada, at=NOON, actor=actor)
        for actor in actors
    ]

    assert [(one.actor_id, one.actor_role) for one in kept] == [
        (sue.pk, "supervisor"),
        (stan.pk, "staff"),
        (ada.user_id, ""),
        (None, ""),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "update accounts_audit_record set actor_id = 8",
        "update accounts_audit_record set facts = '{}' where false",
        "delete from accounts_audit_record",
        "truncate accounts_audit_record",
        "truncate accounts_audit_record restart identity cascade",
    ],
)
def test_what_was_recorded_stays_even_from_the_owner(kept, sql):
    assert refusal(sql) == REFUSED
    assert AuditRecord.objects.get().actor_id == 7


def test_model_refuses_as_well(kept):
    kept.actor_id = 8
    for change in (kept.save, kept.delete):
        with pytest.raises(DatabaseError, match="What was recorded stays"), transaction.atomic():
            change()


def test_app_may_add_and_read_and_no_more(kept, app_role):
    added = (
        "insert into accounts_audit_record (action, happened_at, member_id, facts)"
        f" values ('proof_failed', now(), {kept.member_id}, '{{}}')"
    )
    assert refusal("select * from accounts_audit_record", role=app_role) is None
    assert refusal(added, role=app_role) is None

    with connection.cursor() as cursor:
        cursor.execute(
            "select array_agg(privilege order by privilege)"
            "  from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege"
            " where has_table_privilege(%s, 'accounts_audit_record', privilege)",
            [app_role],
        )
        assert cursor.fetchone() == (["INSERT", "SELECT"],)
