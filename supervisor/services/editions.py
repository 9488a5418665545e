"""The rules change: what a preview has shown is published, and everybody's tier is recounted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import AuditRecord, Member, User
from accounts.services.audit import record
from loyalty.errors import AlreadyPublished, ReasonMissing
from loyalty.models import RuleSet
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.recount import Recounted, recount_batch
from loyalty.services.rules import lock_publishing, publish_rule_set, withdraw_rule_set
from supervisor.errors import (
    ApprovalWaiting,
    EditionWithdrawn,
    EffectiveInThePast,
    PreviewNotReady,
    PreviewOutdated,
    RecountUnderWay,
)
from supervisor.models import Approval, JobRun, Preview
from supervisor.queries.editions import holds
from supervisor.services.job_runs import JobCancelled, Report, Result, ask_for_job, ask_to_cancel
from supervisor.services.tier_warnings import tell_falls_soon

# More members than this share fall or get less: then a second supervisor has to agree.
MOST_WORSE_SHARE = Decimal("0.05")
RECOUNTING = gettext_lazy("Recounting the members’ tiers")


@dataclass(frozen=True)
class Publication:
    """What became of the wish to publish: an edition and its recount, or a question to a second person.

    With an `approval`, `rule_set` is still a draft.
    """

    rule_set: RuleSet
    job_run: JobRun | None
    approval: Approval | None


def needs_second_person(preview: Preview) -> bool:
    """Whether so many members would fall or get less that one supervisor may not publish it alone."""
    worse_count = max(preview.falling_count or 0, preview.worse_off_count or 0)
    return worse_count > MOST_WORSE_SHARE * (preview.members_count or 0)


@transaction.atomic
def ask_publication(
    *, preview: Preview, effective_at: datetime | None, reason: str, at: datetime, by: User
) -> Publication:
    """Publish what a preview has shown, at once or for a moment, or ask a second supervisor about it.

    Tiers are recounted by a worker from that moment on.

    Raises:
        AlreadyPublished: a confirmation before this one has published the draft, or it was deleted.
        ApprovalWaiting: a second person has been asked already.
        PreviewNotReady: it is not computed, or failed.
        PreviewOutdated: the draft or the last edition is another one since, or a day has passed.
        EffectiveInThePast, EffectiveTooEarly: of the moment.
        ReasonMissing: `reason` is empty.
        RulesRefused: the draft is not right as it is.
    """
    lock_publishing()
    draft = _checked(preview, effective_at=effective_at, at=at)
    if not reason.strip():
        raise ReasonMissing("reason")
    waiting = Approval.objects.filter(rule_set=draft, decided_at=None).values_list("pk", flat=True).first()
    if waiting is not None:
        raise ApprovalWaiting(waiting)
    if not needs_second_person(preview):
        return _publish(preview, draft, effective_at=effective_at, reason=reason, at=at, by=by)
    approval = Approval.objects.create(
        key=uuid4(),
        kind=Approval.Kind.PUBLICATION,
        asked_by=by,
        asked_at=at,
        reason=reason.strip(),
        preview=preview,
        rule_set=draft,
        effective_at=effective_at,
    )
    record(
        action=AuditRecord.Action.APPROVAL_ASKED,
        member=None,
        at=at,
        actor=by,
        approval=approval.pk,
        kind=approval.kind,
        draft=draft.pk,
        preview=preview.pk,
        members_count=preview.members_count,
        falling_count=preview.falling_count,
        worse_off_count=preview.worse_off_count,
    )
    return Publication(rule_set=draft, job_run=None, approval=approval)


@transaction.atomic
def approve_publication(*, approval: Approval, at: datetime, by: User) -> Publication:
    """Publish what a colleague has asked for; `supervisor.services.approvals.decide` calls it.

    The edition is published by who asked; that `by` agreed stands in the journal.

    Raises:
        As `ask_publication`: everything must hold still, the moment must not have passed.
    """
    lock_publishing()
    preview = approval.preview
    if preview is None:
        raise ValueError(f"Approval {approval.pk} is not about an edition.")
    draft = _checked(preview, effective_at=approval.effective_at, at=at)
    return _publish(
        preview,
        draft,
        effective_at=approval.effective_at,
        reason=approval.reason,
        at=at,
        by=approval.asked_by,
        approved_by=by,
    )


@transaction.atomic
def withdraw_edition(*, rule_set: RuleSet, at: datetime, by: User) -> RuleSet:
    """Withdraw an edition before it takes effect, and call its recount off.

    Raises:
        AlreadyInForce: its moment has come.
        AlreadyWithdrawn: somebody was quicker.
    """
    edition = withdraw_rule_set(rule_set=rule_set, at=at, by=by)
    for run in _recounts().filter(facts__rule_set_id=edition.pk):
        ask_to_cancel(run=run, at=at, by=by)
    record(
        action=AuditRecord.Action.RULES_WITHDRAWN,
        member=None,
        at=at,
        actor=by,
        edition=edition.number,
    )
    return edition


@transaction.atomic
def recount_again(*, at: datetime, by: User) -> JobRun:
    """Recount everybody's tier by the edition in force, such as after a recount that was cancelled.

    Raises:
        RecountUnderWay: one is running, or is about to.
        NoRulesInForce: there is nothing to recount by.
    """
    lock_publishing()
    under_way = _recounts().filter(begins_at__lte=at, cancel_asked_at=None).first()
    if under_way is not None:
        raise RecountUnderWay(under_way.pk)
    return _ask_for_recount(rule_set_in_force(at), at=at, by=by)


def recount(run: JobRun, report: Report) -> Result:
    """Give every member the tier of the edition in force: the work of a RECOUNT.

    Where it goes on, and what it has found so far, is kept in the transaction of each batch, so a
    worker that dies in the middle has lost nothing and counts nobody twice. Newer rules that take
    effect meanwhile hold from then on.

    Raises:
        EditionWithdrawn: it never takes effect.
        JobCancelled: somebody has asked for it; who is recounted stays so.
    """
    rule_set = RuleSet.objects.get(pk=run.facts["rule_set_id"])
    if rule_set.withdrawn_at is not None:
        raise EditionWithdrawn
    total = Member.objects.filter(is_sandbox=False).count()
    try:
        report(RECOUNTING, run.done_count, max(run.done_count, total))
        while kept := _recount_next(run, rule_set):
            run = kept
            report(RECOUNTING, run.done_count, max(run.done_count, total))
    except JobCancelled as stop:
        raise JobCancelled(run.result) from stop
    return {**_added({}, Recounted()), **run.result}


@transaction.atomic
def _recount_next(run: JobRun, rule_set: RuleSet) -> JobRun | None:
    """Recount the next batch and keep how far that is; None when everybody is recounted."""
    now = timezone.now()
    # The worker's clock may be behind that of the database, which has begun the job.
    at = max(now, rule_set.effective_at or now)
    batch = recount_batch(rule_set=rule_set_in_force(at), at=at, after_id=run.cursor or 0)
    if batch is None:
        return None
    kept = JobRun.objects.get(pk=run.pk)
    kept.cursor = batch.last_id
    kept.done_count = run.done_count + batch.members_count
    kept.result = _added(run.result, batch.found)
    kept.save(update_fields=["cursor", "done_count", "result"])
    return kept


def _added(result: Mapping[str, int], found: Recounted) -> Result:
    return {
        "changed_count": result.get("changed_count", 0) + found.changed_count,
        "higher_count": result.get("higher_count", 0) + found.higher_count,
        "lower_count": result.get("lower_count", 0) + found.lower_count,
    }


def _checked(preview: Preview, *, effective_at: datetime | None, at: datetime) -> RuleSet:
    """The draft of a preview, locked, if it may be published by it at `at`."""
    draft = RuleSet.objects.select_for_update().filter(pk=preview.draft_id, number=None).first()
    current = Preview.objects.select_related("draft", "job_run").filter(pk=preview.pk).first()
    if draft is None or current is None:
        raise AlreadyPublished
    if current.job_run.outcome != JobRun.Outcome.DONE or current.data_at is None:
        raise PreviewNotReady
    if not holds(current, at=at):
        raise PreviewOutdated
    if effective_at is not None and effective_at < at:
        raise EffectiveInThePast
    return draft


def _publish(
    preview: Preview,
    draft: RuleSet,
    *,
    effective_at: datetime | None,
    reason: str,
    at: datetime,
    by: User,
    approved_by: User | None = None,
) -> Publication:
    edition = publish_rule_set(
        rule_set=draft, effective_at=effective_at or at, published_at=at, reason=reason, published_by=by
    )
    run = _ask_for_recount(edition, at=at, by=by)
    if edition.effective_at is not None and edition.effective_at > at:
        tell_falls_soon()
    approval = {"approved_by": approved_by.pk} if approved_by else {}
    record(
        action=AuditRecord.Action.RULES_PUBLISHED,
        member=None,
        at=at,
        actor=by,
        edition=edition.number,
        effective_at=(effective_at or at).isoformat(),
        reason=edition.reason,
        preview=preview.pk,
        members_count=preview.members_count,
        rising_count=(preview.figures or {}).get("rising"),
        falling_count=preview.falling_count,
        worse_off_count=preview.worse_off_count,
        **approval,
    )
    return Publication(rule_set=edition, job_run=run, approval=None)


def _ask_for_recount(edition: RuleSet, *, at: datetime, by: User) -> JobRun:
    is_later = edition.effective_at is not None and edition.effective_at > at
    return ask_for_job(
        kind=JobRun.Kind.RECOUNT,
        facts={"rule_set_id": edition.pk, "edition": edition.number},
        asked_by=by,
        at=at,
        begins_at=edition.effective_at if is_later else None,
    )


def _recounts() -> QuerySet[JobRun]:
    return JobRun.objects.filter(kind=JobRun.Kind.RECOUNT, finished_at=None)
