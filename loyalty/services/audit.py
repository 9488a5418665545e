"""Auditing the whole ledger, and keeping what was found."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import connection, transaction

from loyalty.models import LedgerAudit
from loyalty.queries.audit import Check, Finding, findings

# Sums over millions of entries in memory instead of on disk, for this one transaction.
SORT_MEMORY = "128MB"


def run_audit(
    *, at: datetime, checks: Iterable[Check], report: Callable[[Finding], object] | None = None
) -> LedgerAudit:
    """Run every check over one and the same moment of the database, and keep the result.

    `report` is called with each finding as soon as it is there. Members go on earning and spending
    meanwhile: nothing is locked. Not to be called within a transaction.
    """
    started = time.monotonic()
    found: list[Finding] = []
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET LOCAL work_mem = '{SORT_MEMORY}'")
        for finding in findings(checks):
            found.append(finding)
            if report:
                report(finding)
    return LedgerAudit.objects.create(
        ran_at=at,
        duration_seconds=time.monotonic() - started,
        rows_count=sum(finding.rows_count for finding in found),
        findings=[
            {
                "promise": finding.check.promise,
                "name": finding.check.name,
                "rows_count": finding.rows_count,
                "found_count": finding.found_count,
                "found_rows": finding.found_rows,
            }
            for finding in found
        ],
    )
