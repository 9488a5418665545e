"""What a second person has decided about, or its asker has withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, Subquery

from supervisor.models import Approval

DECIDED_PER_PAGE = 25


@dataclass(frozen=True)
class DecidedPage:
    """Some decisions, the last one first, and where the next page begins, if there is one."""

    decided: Sequence[Approval]
    older_cursor: int | None


def decided_approvals_page(*, before: int | None = None, limit: int = DECIDED_PER_PAGE) -> DecidedPage:
    """The last decisions, or those before the approval of that id; one query."""
    decided = Approval.objects.filter(decided_at__isnull=False).select_related(
        "asked_by", "decided_by", "member", "rule_set", "preview"
    )
    if before is not None:
        decided_at = Subquery(Approval.objects.filter(pk=before).values("decided_at"))
        decided = decided.filter(Q(decided_at__lt=decided_at) | Q(decided_at=decided_at, pk__lt=before))
    found = list(decided.order_by("-decided_at", "-pk")[: limit + 1])
    return DecidedPage(
        decided=found[:limit], older_cursor=found[limit - 1].pk if len(found) > limit else None
    )
