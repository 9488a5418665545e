"""A preview is asked for once, computed by the worker, and leaves everything as it was."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.errors import AlreadyPublished
from loyalty.models import RuleSet
from loyalty.services.rules import delete_draft, update_draft
from loyalty.services.rules.specs import specs_of
from supervisor.jobs import HANDLERS
from supervisor.models import JobRun, Preview
from supervisor.queries.what_if import History, WhatIf
from supervisor.services.job_runs import carry_out
from supervisor.services.previews import ask_preview
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import draft_edition, publish_edition

EVERY_TABLE = """
    select c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname = 'public' order by c.relname
"""


@pytest.fixture
def draft(db) -> RuleSet:
    """A draft beside an edition in force."""
    publish_edition()
    return draft_edition(("Bronze", 0), ("Gold", 15_000))


def carried_out(preview: Preview) -> Preview:
    """The preview after the worker has done its job."""
    carry_out(job_run_id=preview.job_run_id, handlers=HANDLERS)
    return Preview.objects.select_related("job_run").get(pk=preview.pk)


def change(draft: RuleSet, actor) -> RuleSet:
    """The draft, saved once more."""
    return update_draft(
        draft=draft,
        revision=draft.revision,
        tiers=specs_of(draft),
        settings={"waiting_days": 3},
        at=NOON,
        actor_id=actor.pk,
    )


def checksums() -> dict[str, str]:
    """A sum over all rows of every table."""
    sums = {}
    with connection.cursor() as cursor:
        cursor.execute(EVERY_TABLE)
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"""select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)
                      from "{table}" as t"""
            )
            sums[table] = cursor.fetchone()[0]
    return sums


def test_a_preview_says_what_the_draft_would_do(draft, paid, ada, ben, sue):
    paid(ada, 12_000)
    preview = carried_out(ask_preview(draft=draft, at=NOON, by=sue))
    figures, history = WhatIf.from_json(preview.figures), History.from_json(preview.history)
    assert preview.job_run.outcome == JobRun.Outcome.DONE
    assert (preview.members_count, preview.falling_count) == (figures.members, figures.falling) == (2, 1)
    assert preview.data_at == figures.data_at == history.until_at
    assert preview.job_run.result == {"members_count": 2, "rising_count": 0, "falling_count": 1}


def test_it_is_computed_once_while_it_holds(draft, sue):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    assert ask_preview(draft=draft, at=NOON + timedelta(hours=1), by=sue) == preview
    assert ask_preview(draft=draft, at=NOON + timedelta(hours=25), by=sue) != preview


def test_a_changed_draft_is_computed_anew(draft, sue):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    changed = ask_preview(draft=change(draft, sue), at=NOON, by=sue)
    assert changed != preview
    assert changed.draft_revision == preview.draft_revision + 1


def test_a_new_edition_to_compare_with_asks_for_a_new_preview(draft, sue):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    scheduled = publish_edition(effective_at=NOON + timedelta(days=30))
    assert ask_preview(draft=draft, at=NOON, by=sue).compared_with == scheduled != preview.compared_with


@pytest.mark.parametrize("outcome", ["failed", "cancelled", "refused"])
def test_what_was_not_computed_can_be_asked_for_again(draft, sue, outcome):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    JobRun.objects.filter(pk=preview.job_run_id).update(outcome=outcome, finished_at=NOON)
    assert ask_preview(draft=draft, at=NOON, by=sue) != preview


def test_an_edition_that_is_published_has_no_preview(draft, sue):
    with pytest.raises(AlreadyPublished):
        ask_preview(draft=publish_edition(), at=NOON, by=sue)


def test_a_draft_that_was_changed_meanwhile_is_refused_in_words(draft, sue):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    change(draft, sue)
    done = carried_out(preview)
    assert done.job_run.outcome == JobRun.Outcome.REFUSED
    assert done.job_run.refusal["en"]
    assert done.figures is None


def test_a_deleted_draft_takes_its_preview_along_and_ends_the_job(draft, sue):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    delete_draft(draft=draft)
    run = carry_out(job_run_id=preview.job_run_id, handlers=HANDLERS)
    assert run.outcome == JobRun.Outcome.REFUSED


@pytest.mark.django_db(transaction=True)
def test_computing_changes_nothing_but_the_preview_and_its_job(draft, paid, sue):
    for total in (500, 12_000, 16_000):
        paid(MemberFactory(), total, at=timezone.now() - timedelta(days=total // 100))
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    before = checksums()
    assert carried_out(preview).job_run.outcome == JobRun.Outcome.DONE
    after = checksums()
    changed = {table for table, sum_ in after.items() if sum_ != before[table]}
    assert changed == {"supervisor_preview", "supervisor_job_run"}
    assert len(after) > 40


@pytest.mark.django_db(transaction=True)
def test_whoever_cancels_it_is_obeyed_between_two_parts(draft, sue):
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    JobRun.objects.filter(pk=preview.job_run_id).update(
        started_at=NOON, cancel_asked_at=NOON, cancel_asked_by=sue
    )
    done = carried_out(preview)
    assert done.job_run.outcome == JobRun.Outcome.CANCELLED
    assert done.job_run.stage["en"]
    assert done.figures is None
