"""Long work: asked for in a transaction, done by a worker, watched, cancelled, and how it ended."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from procrastinate.contrib.django import app

from accounts.access import main_role
from accounts.errors import AccountsError
from accounts.models import AuditRecord, User
from accounts.services.audit import record
from loyalty.errors import LoyaltyError
from supervisor.errors import JobOver
from supervisor.models import JobRun

logger = logging.getLogger(__name__)

CARRY_OUT_TASK = "supervisor.jobs.carry_out"
SECONDS_BETWEEN_REPORTS = 0.3

Result = dict[str, object]


class JobCancelled(Exception):
    """Somebody asked the work to stop; what is done stays done."""


class Report:
    """What a piece of work says about how far it is; called often, written down now and then.

    Raises:
        JobCancelled: from a call, when somebody has asked for it.
    """

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self.stage: dict[str, str] = {}
        self.written_at = 0.0

    def __call__(
        self, stage: object, done_count: int = 0, total_count: int | None = None, *, cursor: int | None = None
    ) -> None:
        """Say what is being done (a lazy text), how much of it, and where to go on after a stop."""
        now = monotonic()
        is_end = total_count is not None and done_count >= total_count
        if now - self.written_at < SECONDS_BETWEEN_REPORTS and not is_end:
            return
        self.written_at = now
        facts: dict[str, object] = {
            "stage": in_every_language(lambda: str(stage)),
            "done_count": done_count,
            "total_count": total_count,
            "progressed_at": timezone.now(),
        }
        if cursor is not None:
            facts["cursor"] = cursor
        JobRun.objects.filter(pk=self.run.pk).update(**facts)
        if JobRun.objects.filter(pk=self.run.pk, cancel_asked_at__isnull=False).exists():
            raise JobCancelled


Handler = Callable[[JobRun, Report], Result]


@transaction.atomic
def ask_for_job(
    *,
    kind: JobRun.Kind,
    facts: Mapping[str, object],
    asked_by: User | None,
    at: datetime,
    begins_at: datetime | None = None,
) -> JobRun:
    """A piece of work for the worker, which sees it once the caller's transaction is over."""
    run = JobRun.objects.create(
        kind=kind, facts=dict(facts), asked_by=asked_by, asked_at=at, begins_at=begins_at or at
    )
    if asked_by is not None:
        record(
            action=AuditRecord.Action.JOB_BEGUN,
            member=None,
            at=at,
            actor_id=asked_by.pk,
            actor_role=main_role(asked_by),
            job=run.pk,
            kind=kind.value,
        )
    task = app.configure_task(CARRY_OUT_TASK, schedule_at=begins_at)
    task.defer(job_run_id=run.pk)
    return run


@transaction.atomic
def ask_to_cancel(*, run: JobRun, at: datetime, by: User) -> JobRun:
    """Ask the work to stop at the next safe place; what has not begun is over at once.

    Raises:
        JobOver: it has ended already.
    """
    run = JobRun.objects.select_for_update().get(pk=run.pk)
    if run.is_over:
        raise JobOver
    if run.cancel_asked_at is None:
        run.cancel_asked_at, run.cancel_asked_by = at, by
        record(
            action=AuditRecord.Action.JOB_CANCELLED,
            member=None,
            at=at,
            actor_id=by.pk,
            actor_role=main_role(by),
            job=run.pk,
            kind=run.kind,
        )
    if run.started_at is None:
        run.finished_at, run.outcome = at, JobRun.Outcome.CANCELLED
    run.save()
    return run


def carry_out(*, job_run_id: int, handlers: Mapping[JobRun.Kind, Handler]) -> JobRun:
    """Do the work, or go on with it after a worker's death, and write down how it ended.

    Nothing happens to work that is over. What is refused in words is kept in both languages; what
    fails unforeseen is logged under the run's number and may be asked for again.
    """
    run = JobRun.objects.get(pk=job_run_id)
    if run.is_over:
        return run
    JobRun.objects.filter(pk=run.pk, started_at=None).update(started_at=timezone.now())
    run.refresh_from_db()
    refusal: dict[str, str] = {}
    result: Result = {}
    try:
        result = handlers[JobRun.Kind(run.kind)](run, Report(run))
        outcome = JobRun.Outcome.DONE
    except JobCancelled:
        outcome = JobRun.Outcome.CANCELLED
    except (LoyaltyError, AccountsError) as error:
        outcome = JobRun.Outcome.REFUSED
        said = error
        refusal = in_every_language(lambda: str(said))
    except Exception:
        logger.exception("Job run %s (%s) failed.", run.pk, run.kind)
        outcome = JobRun.Outcome.FAILED
    JobRun.objects.filter(pk=run.pk).update(
        outcome=outcome, result=result, refusal=refusal, finished_at=timezone.now()
    )
    run.refresh_from_db()
    return run


def in_every_language(say: Callable[[], str]) -> dict[str, str]:
    """What is said in each language of the site, by its code."""
    sentences = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            sentences[code] = say()
    return sentences
