"""Long work as the console lists it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from supervisor.models import JobRun
from supervisor.queries.pages import ListPage, Sorting, list_page

# So long the overview names what has failed.
FAILED_DAYS = 7

NEWEST_FIRST = Sorting(is_descending=True)


def job_runs_page(*, before: int | None = None, after: int | None = None) -> ListPage[JobRun]:
    """A page of the long work there is, what was asked for last first."""
    runs = JobRun.objects.select_related("asked_by")
    return list_page(runs, sorting=NEWEST_FIRST, before=before, after=after)


@dataclass(frozen=True)
class JobCounts:
    """How much long work is under way, and how much of it broke off in the last days."""

    under_way: int
    failed: int


def job_counts(at: datetime) -> JobCounts:
    """What of the long work a supervisor has to know about at that moment: one query."""
    lately = Q(outcome=JobRun.Outcome.FAILED, finished_at__gt=at - timedelta(days=FAILED_DAYS))
    return JobCounts(
        **JobRun.objects.aggregate(
            under_way=Count("pk", filter=Q(finished_at=None, begins_at__lte=at)),
            failed=Count("pk", filter=lately),
        )
    )


def job_run(job_id: int) -> QuerySet[JobRun]:
    """The piece of work of that id, with whom its page names."""
    return JobRun.objects.select_related("asked_by", "cancel_asked_by", "preview").filter(pk=job_id)
