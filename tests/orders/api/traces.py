"""What requests leave behind: every row of every table, as one checksum for each."""

from django.db import connection

TABLES = """
    select relname from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname
"""
# Reading is noted at the key: when it was last used, and which places its requests took.
NOTED_AT_KEYS = "{last_used_at,next_place_at}"


def traces(*, without: tuple[str, ...] = ()) -> dict[str, str | None]:
    """A checksum of the rows of each table that has some, but for the tables named in `without`."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [table for (table,) in cursor.fetchall() if table not in without]
        cursor.execute(
            " union all ".join(
                f"""select '{table}', md5(string_agg(row::text, ',' order by row::text)) from
                    (select to_jsonb(t) - '{NOTED_AT_KEYS}'::text[] from "{table}" as t) as one(row)"""
                for table in tables
            )
        )
        return {table: checksum for table, checksum in cursor.fetchall() if checksum}
