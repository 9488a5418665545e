"""What the worker does by the clock."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import jobs
from loyalty.models import LedgerAudit, PointsAccount, Standing, TransferIntent
from loyalty.queries.transfers import transfer_by_key
from loyalty.services import ledger
from loyalty.services.standing import standing_of
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import Balance, balance, earn, execute, fetch, lots
from tests.loyalty.transfers.giving import broken_promises, confirm, proved_intent


def work_off():
    """Do what is queued, as `manage.py procrastinate worker` does, and come back."""
    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
        # One at a time: a worker of several leaves when nothing is queued, though a job may yet queue more.
        worker_app.run_worker(wait=False, concurrency=1, install_signal_handlers=False, listen_notify=False)


@pytest.fixture
def dead_worker(db):
    """A worker that has not been heard of for a minute."""
    return fetch(
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 minute') returning id"
    )[0][0]


def recover():
    return async_to_sync(jobs.recover_stalled_jobs.func)(SimpleNamespace(app=app), timestamp=0)


def take_up(job_id, worker_id):
    execute(f"update procrastinate_jobs set status = 'doing', worker_id = {worker_id} where id = {job_id}")


def test_jobs_are_found_and_have_their_times():
    times = {
        periodic.task.name: periodic.cron
        for periodic in app.periodic_registry.periodic_tasks.values()
        if periodic.task.name.startswith("loyalty.jobs")
    }

    assert times == {
        "loyalty.jobs.settle_due_points": "* * * * *",
        "loyalty.jobs.recount_everybody": "5 21 * * *",
        "loyalty.jobs.audit_ledger": "30 0 * * *",
        "loyalty.jobs.forget_old_intents": "15 0 * * *",
        "loyalty.jobs.recover_stalled_jobs": "* * * * *",
        "loyalty.jobs.tell_expiries": "30 * * * *",
        "loyalty.jobs.tell_tiers_at_risk": "0 6 * * *",
        "loyalty.jobs.tell_statements": "0 * 1,2 * *",
    }


@pytest.mark.django_db(transaction=True)
def test_worker_settles_what_is_due(ada):
    now = timezone.now()
    earn(ada, 100, until=None, at=now - timedelta(days=2), available_at=now - timedelta(days=1))
    earn(ada, 10, until=(now - timedelta(days=5)).date(), at=now - timedelta(days=9))
    jobs.settle_due_points.defer(timestamp=0)

    work_off()

    account = PointsAccount.objects.get(pk=ada.pk)
    assert (account.available_points, account.pending_points) == (100, 0)
    assert not ProcrastinateJob.objects.filter(
        task_name="loyalty.jobs.settle_due_points", status="todo"
    ).exists()


@pytest.mark.django_db(transaction=True)
def test_worker_audits_and_keeps_the_result(ada):
    earn(ada, 100)
    jobs.audit_ledger.defer(timestamp=0)

    work_off()

    audit = LedgerAudit.objects.get()
    assert audit.is_clean
    assert audit.rows_count > 0


def test_settling_goes_on_in_batches_until_nothing_is_due(db, monkeypatch):
    monkeypatch.setattr(ledger, "SETTLE_BATCH_ACCOUNTS", 2)
    members = [MemberFactory() for _ in range(5)]
    now = timezone.now()
    for member in members:
        earn(member, 10, until=(now - timedelta(days=3)).date(), at=now - timedelta(days=9))

    assert ledger.settle_all_due(at=now) == 5
    assert ledger.settle_all_due(at=now) == 0
    assert {balance(member, at=now) for member in members} == {Balance()}
    assert {points for member in members for points, _held in lots(member).values()} == {0}


def test_job_of_a_killed_worker_is_queued_again(dead_worker):
    job_id = jobs.audit_ledger.defer(timestamp=0)
    take_up(job_id, dead_worker)

    assert recover() == 1

    assert ProcrastinateJob.objects.get(pk=job_id).status == "todo"
    assert recover() == 0


@pytest.mark.django_db(transaction=True)
def test_job_of_a_killed_worker_gives_way_to_one_that_waits(dead_worker):
    job_id = jobs.audit_ledger.defer(timestamp=0)
    take_up(job_id, dead_worker)
    waiting_id = jobs.audit_ledger.defer(timestamp=60)

    assert recover() == 1

    assert list(ProcrastinateJob.objects.filter(task_name="loyalty.jobs.audit_ledger").values_list("pk")) == [
        (waiting_id,)
    ]


def test_job_of_a_living_worker_is_left_alone(db):
    worker_id = fetch("insert into procrastinate_workers default values returning id")[0][0]
    job_id = jobs.audit_ledger.defer(timestamp=0)
    take_up(job_id, worker_id)

    assert recover() == 0
    assert ProcrastinateJob.objects.get(pk=job_id).status == "doing"


@pytest.mark.django_db(transaction=True)
def test_worker_recounts_tiers_by_the_edition_in_force(ada):
    standing_of(member=ada, at=timezone.now())
    publish_edition(("Newcomer", 0), ("Regular", 100), effective_at=timezone.now() - timedelta(minutes=1))
    jobs.recount_everybody.defer(timestamp=0)

    work_off()

    assert Standing.objects.get(member=ada).tier.name == "Newcomer"


def test_intents_are_forgotten_thirty_days_after_they_were_over(ada, ben):
    earn(ada, 100)
    now = timezone.now()
    month_ago = now - timedelta(days=30)
    old, _kept = (
        proved_intent(ada, ben, points, at=month_ago - timedelta(minutes=30) + age)
        for points, age in ((1, -timedelta(seconds=1)), (2, timedelta(seconds=60)))
    )
    made = confirm(
        proved_intent(ada, ben, 3, at=month_ago - timedelta(days=1)), at=month_ago - timedelta(days=1)
    )

    assert jobs.forget_old_intents.func(timestamp=0) == 2

    assert list(TransferIntent.objects.values_list("points", flat=True)) == [2]
    assert not TransferIntent.objects.filter(key=old.key).exists()
    assert transfer_by_key(made.key) == made
    assert broken_promises() == []
