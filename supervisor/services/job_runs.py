"""Long work: asked for in a transaction, done by a worker, watched, cancelled, and how it ended."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from time import monotonic

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone, translation
from django.utils.functional import Promise
from procrastinate.contrib.django import app
from psycopg.pq import TransactionStatus

from accounts.errors import AccountsError
from accounts.models import AuditRecord, User
from accounts.services.audit import record
from loyalty.errors import LoyaltyError
from loyalty.models import RuleSet
from loyalty.services.locks import session_lock
from supervisor.errors import JobBeingDone, JobOfEdition, JobOver
from supervisor.models import JobRun

logger = logging.getLogger(__name__)

CARRY_OUT_TASK = "supervisor.jobs.carry_out"
SECONDS_BETWEEN_REPORTS = 0.3
# Of PostgreSQL's advisory locks: the first number is ours, the second the run's.
JOB_LOCK = 20_261_122
# The work has one, and its report has another.
CONNECTIONS_OF_A_REPORT = 2
ACTIVE = TransactionStatus.ACTIVE

# What keeps in each transaction how far it is: the database may be restarted in the middle of it.
GOES_ON = (JobRun.Kind.RECOUNT,)

Result = dict[str, object]


class JobCancelled(Exception):
    """Somebody asked the work to stop; what is done stays done, and `result` says what that is."""

    def __init__(self, result: Result | None = None) -> None:
        super().__init__()
        self.result = result or {}


class Report:
    """What a piece of work says about how far it is; called often, written down now and then.

    It is seen at once, also when the work is in the middle of a transaction, so that the work itself
    must not write the row of its run.

    Raises:
        JobCancelled: from a call, when somebody has asked for it.
    """

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self.written_at = 0.0

    def __call__(self, stage: Promise, done_count: int = 0, total_count: int | None = None) -> None:
        """Say what is being done (a lazy text), and how much of it."""
        now = monotonic()
        is_end = total_count is not None and done_count >= total_count
        if self.written_at and now - self.written_at < SECONDS_BETWEEN_REPORTS and not is_end:
            return
        self.written_at = now
        facts: dict[str, object] = {
            "stage": in_every_language(lambda: str(stage)),
            "done_count": done_count,
            "total_count": total_count,
            "progressed_at": timezone.now(),
        }
        if self._write(facts):
            raise JobCancelled

    def _write(self, facts: Mapping[str, object]) -> bool:
        """Write it down; returns whether somebody asked the work to stop."""
        if connection.in_atomic_block:
            # Inside it nobody would see the report until the end, and whoever cancels would wait.
            cancel_asked = _apart(lambda: self._write_here(facts))
            # A connection in the middle of a COPY takes no other statement.
            if cancel_asked is not None or connection.connection.info.transaction_status == ACTIVE:
                return bool(cancel_asked)
        return bool(self._write_here(facts))

    def _write_here(self, facts: Mapping[str, object]) -> bool | None:
        """As `_write`; None where the run is not seen, being of a transaction that is not over."""
        own = JobRun.objects.filter(pk=self.run.pk)
        if not own.update(**facts):
            return None
        return own.filter(cancel_asked_at__isnull=False).exists()


def _apart(write: Callable[[], bool | None]) -> bool | None:
    """What a write returns that has a connection of its own; without one to spare nothing is written."""
    if settings.DATABASE_CONNECTIONS < CONNECTIONS_OF_A_REPORT:
        return False

    def run() -> bool | None:
        try:
            return write()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(run).result()


Handler = Callable[[JobRun, Report], Result]


@transaction.atomic
def ask_for_job(
    *,
    kind: JobRun.Kind,
    facts: Mapping[str, object],
    asked_by: User,
    at: datetime,
    begins_at: datetime | None = None,
) -> JobRun:
    """A piece of work for the worker, which sees it once the caller's transaction is over."""
    run = JobRun.objects.create(
        kind=kind, facts=dict(facts), asked_by=asked_by, asked_at=at, begins_at=begins_at or at
    )
    record(
        action=AuditRecord.Action.JOB_BEGUN,
        member=None,
        at=at,
        actor=asked_by,
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
        JobOfEdition: it is the recount of an edition that is to take effect, and is not withdrawn.
    """
    run = JobRun.objects.select_for_update().get(pk=run.pk)
    if run.is_over:
        raise JobOver
    if run.kind == JobRun.Kind.RECOUNT and run.begins_at > at and not _is_withdrawn(run):
        raise JobOfEdition
    if run.cancel_asked_at is None:
        run.cancel_asked_at, run.cancel_asked_by = at, by
        record(
            action=AuditRecord.Action.JOB_CANCELLED,
            member=None,
            at=at,
            actor=by,
            job=run.pk,
            kind=run.kind,
        )
    if run.started_at is None:
        run.finished_at, run.outcome = at, JobRun.Outcome.CANCELLED
    run.save()
    return run


def _is_withdrawn(recount: JobRun) -> bool:
    editions = RuleSet.objects.filter(pk=recount.facts.get("rule_set_id"))
    return editions.filter(withdrawn_at__isnull=False).exists()


def carry_out(*, job_run_id: int, handlers: Mapping[JobRun.Kind, Handler]) -> JobRun:
    """Do the work, or go on with it after a worker's death, and write down how it ended.

    Nothing happens to work that is over. What is refused in words is kept in both languages; what
    fails unforeseen is logged under the run's number and may be asked for again.

    Raises:
        JobBeingDone: another worker is at it, though it was taken for dead.
        OperationalError: the database broke off a recount, which goes on where it is when asked again.
    """
    with session_lock(JOB_LOCK, str(job_run_id)) as is_ours:
        if not is_ours:
            raise JobBeingDone
        run = JobRun.objects.get(pk=job_run_id)
        if run.is_over:
            return run
        # Whoever cancels it at this very moment, before it has begun, is first.
        JobRun.objects.filter(pk=run.pk, started_at=None, finished_at=None).update(started_at=timezone.now())
        run.refresh_from_db()
        if not run.is_over:
            try:
                ending = _ending(run, handlers)
            finally:
                _drop_lost_connection()
            JobRun.objects.filter(pk=run.pk, finished_at=None).update(**ending, finished_at=timezone.now())
            run.refresh_from_db()
    return run


def _drop_lost_connection() -> None:
    """Let the next query open a connection where the work has lost its own; one that works holds the lock."""
    if not connection.in_atomic_block and connection.connection and not connection.is_usable():
        connection.close()


def _ending(run: JobRun, handlers: Mapping[JobRun.Kind, Handler]) -> dict[str, object]:
    """Do the work; how it ended, and what came of it."""
    try:
        result = handlers[JobRun.Kind(run.kind)](run, Report(run))
    except JobCancelled as stop:
        return {"outcome": JobRun.Outcome.CANCELLED, "result": stop.result}
    except (LoyaltyError, AccountsError) as error:
        said = error
        return {"outcome": JobRun.Outcome.REFUSED, "refusal": in_every_language(lambda: str(said))}
    except Exception as error:
        if isinstance(error, OperationalError) and run.kind in GOES_ON:
            raise
        logger.exception("Job run %s (%s) failed.", run.pk, run.kind)
        return {"outcome": JobRun.Outcome.FAILED}
    return {"outcome": JobRun.Outcome.DONE, "result": result}


def in_every_language(say: Callable[[], str]) -> dict[str, str]:
    """What is said in each language of the site, by its code."""
    sentences = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            sentences[code] = say()
    return sentences
