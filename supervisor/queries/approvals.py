"""What waits for a second person."""

from django.db.models import QuerySet

from supervisor.models import Approval


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
