"""Editions and drafts as the console lists them, and what belongs to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from loyalty.models import RuleSet
from loyalty.queries.rules import all_editions, drafts, editions
from supervisor.models import Approval, JobRun, Preview

# The base moves on: what was computed before that is looked at again.
PREVIEW_HOLDS = timedelta(hours=24)


@dataclass(frozen=True)
class EditionLists:
    """All editions by where they stand in time; `scheduled` the next one first, the others newest first."""

    live: RuleSet | None
    scheduled: Sequence[RuleSet]
    drafts: Sequence[RuleSet]
    past: Sequence[RuleSet]
    withdrawn: Sequence[RuleSet]

    @property
    def of_now(self) -> Sequence[RuleSet]:
        """The one in force, as a list like the others."""
        return [self.live] if self.live else []


def edition_lists(at: datetime) -> EditionLists:
    """Every edition and draft with who made it: two queries, however many there are.

    A draft has `waits_for_approval`: whether a second person was asked about it.
    """
    held = list(all_editions().select_related("published_by", "withdrawn_by"))
    valid = [one for one in held if one.withdrawn_at is None]
    effective = [one for one in valid if one.effective_at and one.effective_at <= at]
    waiting = Approval.objects.filter(rule_set=OuterRef("pk"), decided_at=None)
    return EditionLists(
        live=effective[0] if effective else None,
        scheduled=[one for one in reversed(valid) if one.effective_at and one.effective_at > at],
        drafts=list(
            drafts().select_related("drafted_by", "copied_from").annotate(waits_for_approval=Exists(waiting))
        ),
        past=effective[1:],
        withdrawn=[one for one in held if one.withdrawn_at is not None],
    )


def edition_before(rule_set: RuleSet) -> RuleSet | None:
    """The edition that this one follows, or that a draft would follow now."""
    found = editions()
    return (found if rule_set.number is None else found.filter(number__lt=rule_set.number)).first()


def last_recount(rule_set: RuleSet) -> JobRun | None:
    """The latest recount of tiers by this edition."""
    recounts = JobRun.objects.filter(kind=JobRun.Kind.RECOUNT, facts__rule_set_id=rule_set.pk)
    return recounts.order_by("-pk").first()


def approval_of(rule_set: RuleSet) -> Approval | None:
    """By what a second person agreed to the edition, if one was needed."""
    return _publications(rule_set).filter(decision=Approval.Decision.APPROVED).first()


def open_approval(rule_set: RuleSet) -> Approval | None:
    """The question about a draft that a second person has not answered yet."""
    return _publications(rule_set).filter(decided_at=None).first()


def last_preview(draft: RuleSet) -> Preview | None:
    """The latest preview of a draft, whatever has changed since."""
    return draft.previews.select_related("job_run").order_by("-pk").first()


def holds(preview: Preview, *, at: datetime) -> bool:
    """Whether a computed preview is still about the draft and the rules before it as they are now.

    Only by such a one may the draft be published.
    """
    last = editions().values_list("pk", flat=True).first()
    return (
        preview.data_at is not None
        and at - preview.data_at <= PREVIEW_HOLDS
        and preview.draft_revision == preview.draft.revision
        and preview.compared_with_id == last
    )


def _publications(rule_set: RuleSet) -> QuerySet[Approval]:
    return (
        Approval.objects.filter(kind=Approval.Kind.PUBLICATION, rule_set=rule_set)
        .select_related("asked_by", "decided_by")
        .order_by("-pk")
    )
