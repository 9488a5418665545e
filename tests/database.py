"""Cleans the database after the tests that commit.

Django would flush every table: it would lose what the migrations put in, and the ledger's tables
refuse TRUNCATE and DELETE. So the rows that a test added are deleted with those triggers off.
"""

from functools import cache
from graphlib import TopologicalSorter

from django.db import connection, transaction
from django.test import TransactionTestCase

# What stays of each table; of tables that are not named here, nothing does.
KEPT_ROWS = {
    "django_migrations": "true",
    "django_content_type": "true",
    "auth_permission": "true",
    "auth_group": "true",
    "auth_group_permissions": "true",
    "loyalty_rule_set": "number = 1",
    "loyalty_tier": "rule_set_id IN (SELECT id FROM loyalty_rule_set WHERE number = 1)",
    "loyalty_points_account": "id < 0",
}
# A thread that a test forgot may hold a lock: then fail with a reason, do not wait for ever.
LOCK_TIMEOUT_SECONDS = 10

TABLES_WITH_TRIGGERS = """
    SELECT relation.relname,
           EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = relation.oid AND NOT t.tgisinternal)
    FROM pg_class AS relation
    WHERE relation.relkind = 'r' AND relation.relnamespace = 'public'::regnamespace
    ORDER BY relation.relname
"""
# A table that names itself, such as a posting that reverses another, is in nobody's way.
REFERENCES = """
    SELECT DISTINCT conrelid::regclass::text, confrelid::regclass::text
    FROM pg_constraint
    WHERE contype = 'f' AND conrelid <> confrelid AND connamespace = 'public'::regnamespace
"""


def delete_test_rows() -> None:
    """Delete every row that is not in KEPT_ROWS, past the triggers that forbid it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_any_row_query())
        filled = {table for (table,) in cursor.fetchall()}
        if not filled:
            return
        has_triggers = dict(_tables())
        guarded = [table for table in filled if has_triggers[table]]
        cursor.execute(
            ";".join(
                [
                    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'",
                    *(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in guarded),
                    *(
                        f'DELETE FROM "{table}" WHERE ({_kept(table)}) IS NOT TRUE'
                        for table in _referring_first()
                        if table in filled
                    ),
                    # The checks of the keys are done now: a table that waits for one cannot be altered.
                    "SET CONSTRAINTS ALL IMMEDIATE",
                    *(f'ALTER TABLE "{table}" ENABLE TRIGGER USER' for table in guarded),
                ]
            )
        )


def keep_what_migrations_made() -> None:
    """From now on, clean up after a committing test with `delete_test_rows`."""
    TransactionTestCase._fixture_teardown = lambda self: delete_test_rows()  # type: ignore[method-assign]


def _kept(table: str) -> str:
    return KEPT_ROWS.get(table, "false")


@cache
def _tables() -> tuple[tuple[str, bool], ...]:
    """Each table of the schema, and whether it has triggers of ours."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES_WITH_TRIGGERS)
        return tuple(cursor.fetchall())


@cache
def _any_row_query() -> str:
    """A query for the names of the tables that hold a row to delete."""
    return " UNION ALL ".join(
        f"""SELECT '{table}' WHERE EXISTS (SELECT 1 FROM "{table}" WHERE ({_kept(table)}) IS NOT TRUE)"""
        for table, _has_triggers in _tables()
        if _kept(table) != "true"
    )


@cache
def _referring_first() -> tuple[str, ...]:
    """The tables, each after those that refer to it: in this order no key is left hanging."""
    with connection.cursor() as cursor:
        cursor.execute(REFERENCES)
        references = cursor.fetchall()
    waits_for: dict[str, set[str]] = {table: set() for table, _has_triggers in _tables()}
    for referring, referred in references:
        waits_for[referred.strip('"')].add(referring.strip('"'))
    return tuple(TopologicalSorter(waits_for).static_order())
