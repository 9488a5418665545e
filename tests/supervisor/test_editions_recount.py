"""The recount after publishing: watched, cancelled, killed and gone on with; nobody is told twice."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Message
from loyalty.models import Standing, TierChange
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.queries.standing import standing_card
from loyalty.services.rules import withdraw_rule_set
from loyalty.services.standing import standing_of
from supervisor.errors import RecountUnderWay
from supervisor.jobs import HANDLERS
from supervisor.models import JobRun
from supervisor.services.editions import ask_publication, recount_again
from supervisor.services.job_runs import carry_out
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import draft_edition, publish_edition
from tests.loyalty.points import execute
from tests.loyalty.standings import count, told
from tests.supervisor.publishing import previewed

RISING = (("Bronze", 0), ("Silver", 5_000))
KILLED_AFTER = 5
MEMBERS = 40
# Stands for a worker, which does the run of that number in that database.
CHILD = """
import sys
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from loyalty.services import batches
from supervisor.jobs import HANDLERS
from supervisor.services.job_runs import carry_out
batches.BATCH_MEMBERS = 1
carry_out(job_run_id=int(sys.argv[2]), handlers=HANDLERS)
"""
SLOW = """
    create function slowly() returns trigger language plpgsql as $$
    begin perform pg_sleep(0.03); return null; end $$;
    create trigger slowly after update on loyalty_standing for each row execute function slowly()
"""

# Somebody presses the button while the first member is being recounted.
CANCEL = """
    create function cancel() returns trigger language plpgsql as $$
    begin update supervisor_job_run set cancel_asked_at = now(); return null; end $$;
    create trigger cancel after update on loyalty_standing for each row execute function cancel()
"""


def published(by, *tiers, effective_at=None):
    done = ask_publication(
        preview=previewed(by, draft_edition(*tiers)),
        effective_at=effective_at,
        reason="A test",
        at=NOON,
        by=by,
    )
    return done.rule_set, done.job_run


def work(run):
    return carry_out(job_run_id=run.pk, handlers=HANDLERS)


def test_the_recount_moves_everybody_says_how_many_and_tells_them(ada, ben, sue):
    publish_edition()
    count(ada, 6_000)
    count(ben, 25_000)
    cat = MemberFactory()
    edition, run = published(sue, *RISING)
    assert standing_card(ada, AN_HOUR_LATER).is_being_recounted

    done = work(run)

    assert (done.outcome, done.done_count, done.total_count) == ("done", 3, 3)
    assert done.result == {"changed_count": 2, "higher_count": 1, "lower_count": 1}
    assert standing_card(ada, AN_HOUR_LATER).tier == tiers_of(edition)[1]
    assert [facts["is_higher"] for facts in told(ada, ben, cat)] == [True, False]
    assert Standing.objects.get(member=cat).tier == tiers_of(edition)[0]


def test_a_recount_of_nobody_says_that_nobody_moved(sue):
    _edition, run = published(sue)

    assert work(run).result == {"changed_count": 0, "higher_count": 0, "lower_count": 0}


def test_a_recount_that_is_cancelled_keeps_what_is_done_and_another_does_the_rest(db, sue, monkeypatch):
    monkeypatch.setattr("loyalty.services.batches.BATCH_MEMBERS", 1)
    monkeypatch.setattr("supervisor.services.job_runs.SECONDS_BETWEEN_REPORTS", 0)
    publish_edition()
    members = MemberFactory.create_batch(3)
    for member in members:
        count(member, 6_000)
    edition, run = published(sue, *RISING)
    execute(CANCEL)

    stopped = work(run)

    assert (stopped.outcome, stopped.done_count) == ("cancelled", 1)
    assert stopped.result == {"changed_count": 1, "higher_count": 1, "lower_count": 0}
    assert [standing_card(member, NOON).is_being_recounted for member in members] == [False, True, True]
    execute("drop function cancel() cascade")
    again = recount_again(at=AN_HOUR_LATER, by=sue)
    with pytest.raises(RecountUnderWay) as refusal:
        recount_again(at=AN_HOUR_LATER, by=sue)
    assert refusal.value.job_run_id == again.pk
    assert work(again).result == {"changed_count": 2, "higher_count": 2, "lower_count": 0}
    assert recount_again(at=AN_HOUR_LATER, by=sue).facts == {"rule_set_id": edition.pk, "edition": 3}


def test_a_recount_of_a_withdrawn_edition_is_refused(ada, sue):
    edition, run = published(sue, *RISING, effective_at=TOMORROW_NOON)
    withdraw_rule_set(rule_set=edition, at=NOON, by=sue)

    done = work(run)

    assert (done.outcome, set(done.refusal)) == ("refused", {"ru", "en"})
    assert not Standing.objects.filter(member=ada).exists()


def test_a_recount_that_comes_late_brings_the_newest_rules(ada, sue):
    publish_edition()
    count(ada, 6_000)
    _edition, late = published(sue, *RISING)
    newest = publish_edition(("Bronze", 0), ("Silver", 7_000), effective_at=AN_HOUR_LATER)

    assert work(late).result["changed_count"] == 0

    assert Standing.objects.get(member=ada).tier == tiers_of(newest)[0]


def test_a_member_whom_an_order_has_moved_before_is_neither_counted_nor_told_again(ada, sue):
    publish_edition()
    count(ada, 6_000)
    _edition, run = published(sue, *RISING)
    standing_of(member=ada, at=AN_HOUR_LATER)

    assert work(run).result["changed_count"] == 0

    assert len(told(ada)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_recount_has_lost_nothing(sue):
    publish_edition()
    members = MemberFactory.create_batch(MEMBERS)
    for place, member in enumerate(members):
        count(member, 6_000 if place % 2 else 25_000)
    edition, run = published(sue, *RISING)
    execute(SLOW)
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, connection.settings_dict["NAME"], str(run.pk)],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        )
        wait_until(lambda: JobRun.objects.get(pk=run.pk).done_count >= KILLED_AFTER)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    finally:
        execute("drop function slowly() cascade")
    killed = JobRun.objects.get(pk=run.pk)
    assert not killed.is_over
    assert KILLED_AFTER <= killed.done_count < MEMBERS
    assert Standing.objects.filter(tier__rule_set=edition).count() >= killed.done_count
    wait_until(lambda: not others_are_at_work())

    done = work(run)

    assert (done.outcome, done.done_count) == ("done", MEMBERS)
    # As many rose as fell, each once, though the worker had to begin twice.
    assert done.result == {"changed_count": 40, "higher_count": 20, "lower_count": 20}
    assert TierChange.objects.filter(cause="recount").count() == MEMBERS
    assert Message.objects.filter(kind="tier_changed").values("member").distinct().count() == MEMBERS
    assert Message.objects.filter(kind="tier_changed").count() == MEMBERS
    assert rule_set_in_force(NOON + timedelta(days=2)) == edition


def others_are_at_work():
    """Whether the server still does something for somebody else in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select count(*) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()
               and state is distinct from 'idle' and backend_type = 'client backend'
            """
        )
        return cursor.fetchone() != (0,)


def wait_until(is_so, *, seconds=120):
    """Wait for what another process brings about."""
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)
