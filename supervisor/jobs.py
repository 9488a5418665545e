"""What the worker does for the console."""

from django.db import DatabaseError
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from supervisor.errors import JobBeingDone
from supervisor.models import JobRun
from supervisor.services import editions, imports, job_runs, months, previews, tier_warnings
from supervisor.services.job_runs import CARRY_OUT_TASK, Handler
from supervisor.services.tier_warnings import TELL_FALLS_TASK

# Who does which kind of work.
HANDLERS: dict[JobRun.Kind, Handler] = {
    JobRun.Kind.PREVIEW: previews.compute,
    JobRun.Kind.RECOUNT: editions.recount,
    JobRun.Kind.TRY_IMPORT: imports.try_import,
    JobRun.Kind.IMPORT: imports.run_import,
}


# A worker that was taken for dead may still be at it; whether it comes to an end is looked at again.
TRY_AGAIN = RetryStrategy(wait=60, retry_exceptions={JobBeingDone, DatabaseError})


@app.task(name=CARRY_OUT_TASK, retry=TRY_AGAIN)
def carry_out(job_run_id: int) -> str:
    """Do one piece of long work; returns how it ended. It is safe to begin it again."""
    return job_runs.carry_out(job_run_id=job_run_id, handlers=HANDLERS).outcome


# This is half past four at night in Moscow.
@app.periodic(cron="30 1 * * *")
@app.task(queueing_lock="delete_old_uploads")
def delete_old_uploads(timestamp: int) -> int:
    """Delete files of orders some weeks after they were uploaded; returns how many."""
    return imports.delete_old_files(at=timezone.now())


# This is half past nine in the morning in Moscow.
@app.periodic(cron="30 6 * * *")
@app.task(name=TELL_FALLS_TASK)
def tell_falls(timestamp: int) -> int:
    """Tell members who fall by an edition that takes effect soon; returns how many fall."""
    return tier_warnings.tell_falls(at=timezone.now())


# Every hour, so that a new installation with a long ledger does not wait for the night.
@app.periodic(cron="50 * * * *")
@app.task(queueing_lock="count_months")
def count_months(timestamp: int) -> int:
    """Count the points of months as far as nothing can come before; returns how many months changed."""
    return months.count_months(at=timezone.now())
