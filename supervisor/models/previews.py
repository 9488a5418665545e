"""What a draft of the rules would do, as it was computed."""

from django.db import models

from accounts.models import User
from loyalty.models import RuleSet
from supervisor.models.job_runs import JobRun


class Preview(models.Model):
    """What one revision of a draft would do to the members there are, beside the rules before it.

    It holds for that revision and for the edition that was the last one published then; with
    anything else nothing can be published by it. `figures` and `history` stay empty until the job has
    computed them; `data_at` is the moment whose data they are of.
    """

    draft = models.ForeignKey(RuleSet, on_delete=models.CASCADE, related_name="previews")
    draft_revision = models.PositiveIntegerField()
    compared_with = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    job_run = models.OneToOneField(JobRun, on_delete=models.PROTECT, related_name="preview")
    data_at = models.DateTimeField(null=True, blank=True)
    members_count = models.BigIntegerField(null=True, blank=True)
    falling_count = models.BigIntegerField(null=True, blank=True)
    worse_off_count = models.BigIntegerField(null=True, blank=True)
    figures = models.JSONField(null=True, blank=True)
    history = models.JSONField(null=True, blank=True, help_text="Had it been so for the last 12 months.")

    def __str__(self) -> str:
        return f"preview {self.pk} of {self.draft}"
