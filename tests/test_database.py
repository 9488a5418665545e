"""The clean-up after committing tests: what it deletes, what it keeps, and that locks stay on."""

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from tests import database
from tests.factories import UserFactory

LEDGER_LIKE_TABLES = """
    CREATE TABLE cleanup_posting (id int PRIMARY KEY, reverses int REFERENCES cleanup_posting, edition int);
    CREATE TABLE cleanup_entry (id int PRIMARY KEY, posting int NOT NULL REFERENCES cleanup_posting);
    CREATE FUNCTION cleanup_refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
    CREATE TRIGGER cleanup_only_added BEFORE DELETE OR TRUNCATE ON cleanup_entry
        EXECUTE FUNCTION cleanup_refuse();
"""


@pytest.fixture
def ledger_like_tables(transactional_db, monkeypatch):
    def forget_the_schema():
        for cached in (database._tables, database._any_row_query, database._referring_first):
            cached.cache_clear()

    monkeypatch.setitem(database.KEPT_ROWS, "cleanup_posting", "edition = 1")
    forget_the_schema()
    execute(LEDGER_LIKE_TABLES)
    yield
    execute("DROP TABLE cleanup_entry, cleanup_posting; DROP FUNCTION cleanup_refuse")
    forget_the_schema()


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def test_delete_test_rows_empties_append_only_tables_and_locks_them_again(ledger_like_tables):
    execute("INSERT INTO cleanup_posting VALUES (-1, NULL, 1), (1, NULL, 2), (2, 1, NULL)")
    execute("INSERT INTO cleanup_entry VALUES (1, 1), (2, 2)")

    database.delete_test_rows()

    assert execute("SELECT id FROM cleanup_posting") == [(-1,)]
    assert execute("SELECT id FROM cleanup_entry") == []
    with pytest.raises(DatabaseError, match="append only"), transaction.atomic():
        execute("DELETE FROM cleanup_entry")


def test_delete_test_rows_keeps_what_migrations_made(transactional_db):
    UserFactory()

    database.delete_test_rows()

    assert list(User.objects.all()) == []
    assert set(Group.objects.values_list("name", flat=True)) == {"member", "staff", "supervisor"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("visit", [1, 2])
def test_a_committing_test_leaves_nothing_to_the_next(visit):
    assert list(User.objects.all()) == []

    UserFactory()
