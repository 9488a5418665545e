"""Files of orders that were uploaded in the console."""

from django.db import models

from accounts.models import User
from supervisor.models.job_runs import JobRun


class ImportFile(models.Model):
    """An uploaded file of orders, how its columns are read, its dry run and its import.

    `bad_rows` is the file of the rows that could not be taken, once a run has found some.
    """

    file = models.FileField(upload_to="imports/")
    name = models.CharField(max_length=200, help_text="As it was called where it came from.")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    mapping = models.JSONField(default=dict, help_text="As `orders.imports.mapping` reads it.")
    bad_rows = models.FileField(upload_to="imports/", blank=True)
    dry_run = models.OneToOneField(
        JobRun, on_delete=models.PROTECT, null=True, blank=True, related_name="tried_file"
    )
    import_run = models.OneToOneField(
        JobRun, on_delete=models.PROTECT, null=True, blank=True, related_name="imported_file"
    )

    def __str__(self) -> str:
        return self.name

    @property
    def is_importable(self) -> bool:
        """Whether its import has not begun, or stopped before its end."""
        return self.import_run is None or self.import_run.has_stopped
