"""Files of orders as a supervisor uploads them, and short words for what becomes of them."""

from accounts.models import User
from orders.imports.mapping import ColumnMapping
from supervisor import jobs
from supervisor.models import ImportFile, JobRun
from supervisor.services.imports import begin_import, try_columns
from supervisor.services.job_runs import carry_out
from tests.clock import NOON

NUMBERED = """Order;Date;Client;Sum
A-1;01.02.2026;007;100,50
A-2;02.02.2026;008;20,00
A-3;03.02.2026;007;5,00
"""
# The third row has a date that is to come, the fourth a sum that a spreadsheet would reckon.
WITH_BAD_ROWS = """Order;Date;Client;Sum
A-1;01.02.2026;007;100,50
A-2;02.02.2099;008;20,00
A-3;03.02.2026;007;=1+1
"""


def try_out(import_file: ImportFile, by: User, **settings: object) -> ImportFile:
    """Ask for a dry run by what was guessed, and by `settings`."""
    mapping = ColumnMapping(**{**import_file.mapping, "source": "noon", "source_name": "Полдень", **settings})
    return try_columns(import_file=import_file, mapping=mapping, language="en", at=NOON, by=by)


def confirm(import_file: ImportFile, by: User, *, skip_bad_rows: bool = False) -> JobRun:
    """Ask for the import that the dry run has foretold."""
    return begin_import(
        import_file=import_file,
        dry_run_id=import_file.dry_run_id,
        skip_bad_rows=skip_bad_rows,
        language="en",
        at=NOON,
        by=by,
    )


def work_on(run: JobRun) -> JobRun:
    """What the worker does with a run."""
    return carry_out(job_run_id=run.pk, handlers=jobs.HANDLERS)
