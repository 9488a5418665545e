"""Long work: asked for in a transaction, done by a worker, watched, cancelled, and how it ends."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditRecord
from loyalty.services.retry import to_outcome
from supervisor import jobs
from supervisor.errors import ConsoleError, JobBeingDone, JobOver
from supervisor.models import JobRun
from supervisor.services import job_runs
from supervisor.services.job_runs import JobCancelled, ask_for_job, ask_to_cancel, carry_out
from tests.clock import NOON
from tests.factories import UserFactory
from tests.loyalty.races import race
from tests.loyalty.test_jobs import work_off

KIND = JobRun.Kind.RECOUNT
# A text of the site that reads otherwise in each language.
STAGE = _("Balance")
IN_BOTH = {"ru": "Баланс", "en": "Balance"}


class TooMuch(ConsoleError):
    """What the work refuses here."""

    def __str__(self):
        return str(STAGE)


@pytest.fixture
def every_report_counts(monkeypatch):
    """Reports are written down however fast they follow each other."""
    monkeypatch.setattr(job_runs, "SECONDS_BETWEEN_REPORTS", 0)


def asked(by=None, **more):
    return ask_for_job(kind=KIND, facts={"edition": 7}, asked_by=by or UserFactory(), at=NOON, **more)


def done(run, handler):
    return carry_out(job_run_id=run.pk, handlers={KIND: handler})


def queued(run):
    return ProcrastinateJob.objects.filter(args__job_run_id=run.pk)


def seen(run):
    return JobRun.objects.get(pk=run.pk)


def elsewhere(ask):
    """What another connection is answered."""
    [answer] = race(ask)
    return answer


def lose_the_connection(run, report):
    backend_id = connection.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", [backend_id])


def test_job_and_row_are_of_one_transaction(sue):
    run = asked(sue)

    assert queued(run).get().task_name == job_runs.CARRY_OUT_TASK
    assert AuditRecord.objects.get(action=AuditRecord.Action.JOB_BEGUN).facts == {
        "job": run.pk,
        "kind": "recount",
    }


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_neither_row_nor_job(sue):
    with transaction.atomic():
        run = asked(sue)
        transaction.set_rollback(True)

    assert not JobRun.objects.exists()
    assert not queued(run).exists()
    assert not AuditRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_worker_does_the_work_and_writes_down_what_came_of_it(monkeypatch):
    monkeypatch.setitem(jobs.HANDLERS, KIND, lambda run, report: {"edition": run.facts["edition"]})
    run = asked()

    work_off()

    ended = seen(run)
    assert (ended.outcome, ended.result, ended.refusal) == ("done", {"edition": 7}, {})
    assert ended.started_at <= ended.finished_at
    assert not queued(run).exists()


@pytest.mark.django_db(transaction=True)
def test_worker_leaves_work_for_later_until_then(monkeypatch):
    monkeypatch.setitem(jobs.HANDLERS, KIND, lambda run, report: {})
    run = asked(begins_at=timezone.now() + timedelta(hours=1))

    work_off()

    assert seen(run).started_at is None
    assert queued(run).get().status == "todo"


@pytest.mark.usefixtures("every_report_counts")
def test_report_is_seen_in_both_languages_with_counts(db):
    seen_then = []

    def work(run, report):
        report(STAGE, 20, 100)
        seen_then.append(seen(run))
        return {}

    done(asked(), work)

    [then] = seen_then
    assert (then.stage, then.done_count, then.total_count) == (IN_BOTH, 20, 100)
    assert then.progressed_at is not None


def test_reports_that_follow_too_fast_are_not_written_but_the_last(db):
    seen_then = []

    def work(run, report):
        for count in (1, 2, 3):
            report(STAGE, count, 3)
            seen_then.append(seen(run).done_count)
        return {}

    done(asked(), work)

    assert seen_then == [1, 1, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("every_report_counts")
def test_report_is_seen_while_the_work_is_in_a_transaction_and_nobody_waits_to_cancel(sue):
    seen_then = []

    def work(run, report):
        with transaction.atomic():
            report(STAGE, 1, 2)
            seen_then.append(elsewhere(lambda: seen(run).done_count))
            elsewhere(lambda: ask_to_cancel(run=run, at=NOON, by=sue))
            report(STAGE, 2, 2)
        return {"reached": "never"}

    ended = done(asked(), work)

    assert seen_then == [1]
    assert (ended.outcome, ended.result) == ("cancelled", {})


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("every_report_counts")
def test_report_without_a_connection_to_spare_leaves_the_transaction_alone(settings):
    settings.DATABASE_CONNECTIONS = 1
    seen_then = []

    def work(run, report):
        with transaction.atomic():
            report(STAGE, 1, 2)
            seen_then.append(elsewhere(lambda: seen(run).done_count))
        return {}

    assert done(asked(), work).outcome == "done"
    assert seen_then == [0]


def test_cancelled_before_it_began_is_over_and_never_begins(sue):
    run = asked(sue)

    cancelled = ask_to_cancel(run=run, at=NOON, by=sue)

    assert (cancelled.outcome, cancelled.finished_at, cancelled.cancel_asked_by) == ("cancelled", NOON, sue)
    assert done(run, lambda run, report: pytest.fail("It has begun.")).started_at is None
    assert AuditRecord.objects.get(action=AuditRecord.Action.JOB_CANCELLED).facts["job"] == run.pk


@pytest.mark.django_db(transaction=True)
def test_cancelled_at_the_moment_when_it_begins_is_over(sue, monkeypatch):
    run = asked(sue)
    lock = job_runs.session_lock

    def cancel_first(kind, key):
        ask_to_cancel(run=run, at=NOON, by=sue)
        return lock(kind, key)

    monkeypatch.setattr(job_runs, "session_lock", cancel_first)

    ended = done(run, lambda run, report: pytest.fail("It has begun."))

    assert (ended.outcome, ended.started_at) == ("cancelled", None)


@pytest.mark.usefixtures("every_report_counts")
def test_cancelled_in_the_middle_stops_at_the_next_report_and_says_what_is_done(sue):
    def work(run, report):
        report(STAGE, 1, 3)
        assert ask_to_cancel(run=run, at=NOON, by=sue).outcome == ""
        ask_to_cancel(run=run, at=NOON, by=sue)
        try:
            report(STAGE, 2, 3)
        except JobCancelled as stop:
            raise JobCancelled({"done": 1}) from stop
        return {}

    ended = done(asked(sue), work)

    assert (ended.outcome, ended.result) == ("cancelled", {"done": 1})
    # Asked for twice, it is written down once.
    assert AuditRecord.objects.filter(action=AuditRecord.Action.JOB_CANCELLED).count() == 1


def test_cancelled_too_late_is_done(sue):
    def work(run, report):
        ask_to_cancel(run=run, at=NOON, by=sue)
        return {"all": True}

    ended = done(asked(), work)

    assert (ended.outcome, ended.result) == ("done", {"all": True})


def test_over_stays_over(sue):
    run = done(asked(), lambda run, report: {"first": True})

    again = done(run, lambda run, report: pytest.fail("It was done before."))

    assert (again.result, again.finished_at) == ({"first": True}, run.finished_at)
    with pytest.raises(JobOver):
        ask_to_cancel(run=run, at=NOON, by=sue)


def test_refusal_is_kept_in_both_languages(db):
    def work(run, report):
        raise TooMuch

    ended = done(asked(), work)

    assert (ended.outcome, ended.refusal, ended.result) == ("refused", IN_BOTH, {})


def test_what_fails_unforeseen_is_logged_under_its_number(db, caplog):
    run = asked()

    ended = done(run, lambda run, report: {}["nothing"])

    assert (ended.outcome, ended.refusal) == ("failed", {})
    assert f"Job run {run.pk} (recount) failed." in caplog.text


@pytest.mark.django_db(transaction=True)
def test_work_that_loses_its_connection_has_failed_and_says_so(sue):
    run = ask_for_job(kind=JobRun.Kind.PREVIEW, facts={}, asked_by=sue, at=NOON)

    ended = carry_out(job_run_id=run.pk, handlers={JobRun.Kind.PREVIEW: lose_the_connection})

    assert ended.outcome == "failed"


@pytest.mark.django_db(transaction=True)
def test_recount_that_loses_its_connection_goes_on_later(sue, monkeypatch):
    monkeypatch.setitem(jobs.HANDLERS, KIND, lose_the_connection)
    run = asked(sue)

    work_off()

    again = queued(run).get()
    assert (again.status, again.attempts, again.scheduled_at > timezone.now()) == ("todo", 1, True)
    assert not seen(run).is_over
    assert done(run, lambda run, report: {"gone": "on"}).outcome == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("every_report_counts")
def test_work_of_a_killed_worker_goes_on_from_its_cursor(monkeypatch):
    taken = []

    def work(run, report):
        for number in range(run.cursor or 0, 4):
            if number == 2 and not run.cursor:
                raise KeyboardInterrupt
            taken.append(number)
            JobRun.objects.filter(pk=run.pk).update(cursor=number + 1)
            report(STAGE, number + 1, 4)
        return {"taken": len(taken)}

    monkeypatch.setitem(jobs.HANDLERS, KIND, work)
    run = asked()
    with pytest.raises(KeyboardInterrupt):
        done(run, work)
    assert (seen(run).cursor, seen(run).is_over) == (2, False)

    # As `recover_stalled_jobs` queues it again.
    work_off()

    assert taken == [0, 1, 2, 3]
    assert seen(run).outcome == "done"


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_do_one_piece_of_work_at_once(monkeypatch):
    begun = []

    def work(run, report):
        begun.append(run.pk)
        begun.append(elsewhere(lambda: done(run, work)))
        return {}

    run = asked()

    assert done(run, work).outcome == "done"

    assert begun[0] == run.pk
    assert isinstance(begun[1], JobBeingDone)
    assert len(begun) == 2


@pytest.mark.django_db(transaction=True)
def test_worker_looks_later_whether_another_comes_to_its_end(monkeypatch):
    monkeypatch.setitem(jobs.HANDLERS, KIND, lambda run, report: pytest.fail("Two did it."))
    run = asked()

    with job_runs.session_lock(job_runs.JOB_LOCK, str(run.pk)):
        work_off()

    again = queued(run).get()
    assert (again.status, again.attempts) == ("todo", 1)
    assert again.scheduled_at > timezone.now()
    assert not seen(run).is_over


def held_locks() -> int:
    """How many sessions hold the lock of a piece of work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database"
            " where datname = current_database() and classid = %s",
            [job_runs.JOB_LOCK],
        )
        [count] = cursor.fetchone()
    return int(count)


@pytest.mark.django_db(transaction=True)
def test_lock_is_free_again_after_the_work(sue):
    assert done(asked(sue), lambda run, report: {}).outcome == "done"

    assert held_locks() == 0


@pytest.mark.django_db(transaction=True)
def test_lock_ends_with_a_connection_that_a_write_gives_up():
    tries = []

    def write():
        tries.append(connection.connection.info.backend_pid)
        if len(tries) == 1:
            raise OperationalError

    with job_runs.session_lock(job_runs.JOB_LOCK, "1"):
        to_outcome(write)

    # The server takes a moment to notice.
    for _pause in range(50):
        if not held_locks():
            break
        time.sleep(0.05)
    assert (len(tries), held_locks()) == (2, 0)


def test_jobs_of_the_console_have_their_times():
    times = {
        periodic.task.name: periodic.cron
        for periodic in app.periodic_registry.periodic_tasks.values()
        if periodic.task.name.startswith("supervisor.jobs")
    }

    assert times["supervisor.jobs.delete_old_uploads"] == "30 1 * * *"
    assert times["supervisor.jobs.count_months"] == "50 * * * *"


def test_every_kind_of_work_has_somebody_who_does_it():
    assert set(jobs.HANDLERS) == set(JobRun.Kind)
