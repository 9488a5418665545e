"""Long work that a worker does, as people watch it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User


class JobRun(models.Model):
    """One piece of long work: who asked for it, how far it is, and how it ended.

    The worker's own job is enqueued in the transaction of this row. Sentences are kept in both
    languages, since the worker does not know who will read them.
    """

    class Kind(models.TextChoices):
        PREVIEW = "preview", _("Preview of an edition")
        RECOUNT = "recount", _("Recount of tiers")
        TRY_IMPORT = "try_import", _("Dry run of an import")
        IMPORT = "import", _("Import of orders")

    class Outcome(models.TextChoices):
        DONE = "done", _("done")
        CANCELLED = "cancelled", pgettext_lazy("of a job", "cancelled")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")

    # How it ended, if it did so before everything was done.
    STOPPED = (Outcome.CANCELLED, Outcome.REFUSED, Outcome.FAILED)

    kind = models.CharField(max_length=20, choices=Kind)
    # What the work needs to know, such as the id of an edition.
    facts = models.JSONField(default=dict)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    begins_at = models.DateTimeField(help_text="Not before that moment.")
    started_at = models.DateTimeField(null=True, blank=True)
    stage = models.JSONField(default=dict, help_text="What is being done: a text for each language.")
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(null=True, blank=True)
    # Where the work goes on after the worker was stopped in the middle of it.
    cursor = models.BigIntegerField(null=True, blank=True)
    progressed_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    result = models.JSONField(default=dict, help_text="What came of it, in figures.")
    refusal = models.JSONField(
        default=dict, help_text="Why it ended before its time: a text for each language."
    )

    class Meta:
        db_table = "supervisor_job_run"
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, outcome="") | (Q(finished_at__isnull=False) & ~Q(outcome="")),
                name="job_run_ends_with_an_outcome",
            ),
        ]
        indexes = [models.Index(fields=["-asked_at", "-id"], name="job_run_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.finished_at is not None

    @property
    def has_stopped(self) -> bool:
        """Whether it ended before it had done everything, so that it may be asked for again."""
        return self.outcome in self.STOPPED

    @property
    def is_for_later(self) -> bool:
        """Whether it is not to begin yet, such as the recount of an edition that is scheduled."""
        return not self.is_over and self.begins_at > timezone.now()
