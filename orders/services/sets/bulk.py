"""Many rows by one statement."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql


def next_ids(table: str, count: int) -> list[int]:
    """The next ids of a table, rising."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(name) from (select pg_get_serial_sequence(%s, 'id')::regclass as name offset 0)"
            "       as sequence, generate_series(1, %s)",
            (table, count),
        )
        return [row_id for (row_id,) in cursor.fetchall()]


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows into a table as fast as the database takes them."""
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
