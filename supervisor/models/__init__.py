"""What the console keeps of its own: long work, what-ifs, what waits for a second person, uploads, sums."""

from supervisor.models.approvals import Approval
from supervisor.models.imports import ImportFile
from supervisor.models.job_runs import JobRun
from supervisor.models.months import CountedMonth
from supervisor.models.previews import Preview

__all__ = ["Approval", "CountedMonth", "ImportFile", "JobRun", "Preview"]
