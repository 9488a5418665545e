"""What waits for a second person, and what was decided."""

from django.db.models import QuerySet

from supervisor.models import Approval
from supervisor.queries.pages import ListPage, Sorting, list_page

LAST_DECIDED_FIRST = Sorting(("decided_at",), is_descending=True)


def open_approvals() -> QuerySet[Approval]:
    """What is yet to be decided, with what a list shows of it; what has waited longest comes first."""
    return (
        Approval.objects.filter(decided_at=None)
        .select_related("asked_by", "member", "rule_set", "preview")
        .order_by("asked_at", "pk")
    )


def open_approvals_count() -> int:
    """How many things wait for a second person."""
    return Approval.objects.filter(decided_at=None).count()


def decided_approvals_page(*, before: int | None = None, after: int | None = None) -> ListPage[Approval]:
    """A page of what a second person has decided about, or its asker has withdrawn, the last first."""
    decided = Approval.objects.filter(decided_at__isnull=False).select_related(
        "asked_by", "decided_by", "member", "rule_set", "preview"
    )
    return list_page(decided, sorting=LAST_DECIDED_FIRST, before=before, after=after)
