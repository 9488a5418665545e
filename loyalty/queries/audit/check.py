"""What a check is, which checks there are, and how they are run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise

from accounts.collected import collected

# Of what is wrong, so many rows are shown; there may be millions.
SHOWN_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise and the query for what breaks it.

    `promise` is its number among the ledger's (L1, L2, …), or R for what the rules promise.
    `broken` is SQL that returns the offending rows, ids first; it may use %(zone)s, the programme's
    time zone. `looks_at` is the table whose rows it goes through, for the number in the report.
    """

    promise: str
    name: str
    sentence: str | Promise
    looks_at: str
    broken: str


@dataclass(frozen=True)
class Finding:
    """What one check saw: rows looked at, rows found, and the first of these as text by column."""

    check: Check
    rows_count: int
    found_count: int
    found_rows: tuple[dict[str, str], ...]


def every_check() -> tuple[Check, ...]:
    """The checks of all installed apps, in the order of their promises."""
    checks: Iterable[Check] = chain.from_iterable(collected("queries.audit", "CHECKS"))
    return tuple(sorted(checks, key=lambda check: (check.promise[0], int(check.promise[1:] or 0))))


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run the checks one after the other. What they see together depends on the transaction."""
    counts: dict[str, int] = {}
    with connection.cursor() as cursor:
        for check in checks:
            if check.looks_at not in counts:
                cursor.execute(f"SELECT count(*) FROM {check.looks_at}")  # noqa: S608, our own names
                counts[check.looks_at] = cursor.fetchone()[0]
            cursor.execute(
                f"SELECT count(*) OVER (), found.* FROM ({check.broken}) AS found LIMIT {SHOWN_ROWS}",  # noqa: S608
                {"zone": settings.TIME_ZONE},
            )
            columns = [column.name for column in cursor.description][1:]
            rows = cursor.fetchall()
            yield Finding(
                check,
                counts[check.looks_at],
                rows[0][0] if rows else 0,
                tuple(dict(zip(columns, map(str, row[1:]), strict=True)) for row in rows),
            )
