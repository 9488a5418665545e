"""Previews of drafts: asked for by a supervisor, computed by the worker, and changing nothing."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from loyalty.errors import AlreadyPublished, NoRulesInForce
from loyalty.models import RuleSet
from loyalty.queries.rules import editions
from supervisor.errors import PreviewOutdated
from supervisor.models import JobRun, Preview
from supervisor.queries.editions import PREVIEW_HOLDS
from supervisor.queries.what_if import Part, had_it_been, snapshot, what_if
from supervisor.services.job_runs import Report, Result, ask_for_job

STAGES = {
    Part.TIERS: _("Sorting the members into their tiers"),
    Part.PACES: _("Adding up the points of a month"),
    Part.HISTORY: _("Replaying the orders of the last 12 months"),
    Part.HISTORY_SHARES: _("Replaying what invitations brought in the last 12 months"),
}


@transaction.atomic
def ask_preview(*, draft: RuleSet, at: datetime, by: User) -> Preview:
    """A preview of the draft as it is now, beside the last published edition; a job computes it.

    Where there is one already, computed or on its way, that is returned: unless it failed or was
    cancelled, or is too old to publish by.

    Raises:
        AlreadyPublished: it is no draft any more, or was deleted.
        NoRulesInForce: nothing was published yet.
    """
    current = RuleSet.objects.select_for_update().filter(pk=draft.pk, number=None).first()
    if current is None:
        raise AlreadyPublished
    last = editions().first()
    if last is None:
        raise NoRulesInForce
    known = (
        Preview.objects.filter(
            draft=current,
            draft_revision=current.revision,
            compared_with=last,
            asked_at__gt=at - PREVIEW_HOLDS,
        )
        .exclude(job_run__outcome__in=JobRun.STOPPED)
        .order_by("-pk")
    )
    preview = known.first()
    if preview is not None:
        return preview
    run = ask_for_job(
        kind=JobRun.Kind.PREVIEW,
        facts={"draft_id": current.pk, "revision": current.revision, "edition": last.number},
        asked_by=by,
        at=at,
    )
    return Preview.objects.create(
        draft=current,
        draft_revision=current.revision,
        compared_with=last,
        asked_by=by,
        asked_at=at,
        job_run=run,
    )


def compute(run: JobRun, report: Report) -> Result:
    """Compute what the draft would do, over one snapshot of the base: the work of a PREVIEW.

    Raises:
        PreviewOutdated: the draft was changed or deleted since it was asked for.
        JobCancelled: somebody has asked for it.
    """
    parts = list(Part)

    def begin(part: Part) -> None:
        report(STAGES[part], parts.index(part), len(parts))

    preview = Preview.objects.select_related("compared_with").filter(job_run=run).first()
    if preview is None:
        raise PreviewOutdated
    with snapshot():
        data_at = timezone.now()
        asked = RuleSet.objects.filter(pk=preview.draft_id, number=None, revision=preview.draft_revision)
        draft = asked.first()
        if draft is None:
            raise PreviewOutdated
        figures = what_if(draft=draft, live=preview.compared_with, at=data_at, begin=begin)
        history = had_it_been(draft=draft, at=data_at, begin=begin)
    report(STAGES[parts[-1]], len(parts), len(parts))
    preview.data_at = data_at
    preview.members_count = figures.members
    preview.falling_count = figures.falling
    preview.worse_off_count = figures.worse_off
    preview.figures = figures.to_json()
    preview.history = history.to_json()
    preview.save(
        update_fields=[
            "data_at",
            "members_count",
            "falling_count",
            "worse_off_count",
            "figures",
            "history",
        ]
    )
    return {
        "members_count": figures.members,
        "rising_count": figures.rising,
        "falling_count": figures.falling,
    }
