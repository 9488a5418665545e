"""What the worker does by the clock. Nobody's points depend on when, or whether, it has run."""

from typing import Any

from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from loyalty.queries.audit import every_check
from loyalty.queries.rules import rule_set_in_force
from loyalty.services import expiries, statements, tier_warnings
from loyalty.services.audit import run_audit
from loyalty.services.ledger import settle_all_due
from loyalty.services.recount import recount_standings
from loyalty.services.transfers import delete_old_intents


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="settle_due_points")
def settle_due_points(timestamp: int) -> int:
    """Post what has matured, run out or expired; returns on how many accounts."""
    return settle_all_due(at=timezone.now())


# Cron counts in UTC: this is just after midnight in Moscow, when a new edition usually begins.
@app.periodic(cron="5 21 * * *")
@app.task(queueing_lock="recount_standings")
def recount_everybody(timestamp: int) -> int:
    """Bring tiers to what the edition in force and the days gone by make them; returns how many moved."""
    now = timezone.now()
    return recount_standings(rule_set=rule_set_in_force(now), at=now).changed_count


# This is half past three at night in Moscow.
@app.periodic(cron="30 0 * * *")
@app.task(queueing_lock="audit_ledger")
def audit_ledger(timestamp: int) -> bool:
    """Check every promise of the ledger; returns whether all hold. The supervisor sees the result."""
    return run_audit(at=timezone.now(), checks=every_check()).is_clean


# At half past each hour, when the points of the day before have expired.
@app.periodic(cron="30 * * * *")
@app.task(queueing_lock="tell_expiries")
def tell_expiries(timestamp: int) -> int:
    """Tell members of points that expire in 30 days, 7 days or 1 day; returns how many were told."""
    return expiries.tell_expiries(at=timezone.now())


# This is nine in the morning in Moscow.
@app.periodic(cron="0 6 * * *")
@app.task(queueing_lock="tell_tiers_at_risk")
def tell_tiers_at_risk(timestamp: int) -> int:
    """Tell members whose tier ends soon; returns how many have such a tier."""
    return tier_warnings.tell_tiers_at_risk(at=timezone.now())


# The programme's clock decides when it is the first of the month; who was told is told nothing again.
@app.periodic(cron="0 * 1,2 * *")
@app.task(queueing_lock="tell_statements")
def tell_statements(timestamp: int) -> int:
    """Tell members of the month before; returns how many were told."""
    return statements.tell_statements(at=timezone.now())


@app.periodic(cron="15 0 * * *")
@app.task(queueing_lock="forget_old_intents")
def forget_old_intents(timestamp: int) -> int:
    """Delete what members were about to give long ago; returns how many times they were."""
    return delete_old_intents(at=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="recover_stalled_jobs", pass_context=True)
async def recover_stalled_jobs(context: JobContext, timestamp: int) -> int:
    """Queue the jobs of killed workers again; returns how many. Every job is safe to run twice."""
    jobs: Any = context.app.job_manager
    stalled = list(await jobs.get_stalled_jobs())
    for job in stalled:
        try:
            await jobs.retry_job(job)
        except UniqueViolation:
            # The same work is waiting under the same lock already, so this one is not needed.
            await jobs.finish_job(job=job, status=Status.FAILED, delete_job=True)
    return len(stalled)
