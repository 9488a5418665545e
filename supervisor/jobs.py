"""What the worker does for the console."""

from procrastinate.contrib.django import app

from supervisor.models import JobRun
from supervisor.services import job_runs
from supervisor.services.job_runs import CARRY_OUT_TASK, Handler

# Who does which kind of work.
HANDLERS: dict[JobRun.Kind, Handler] = {}


@app.task(name=CARRY_OUT_TASK)
def carry_out(job_run_id: int) -> str:
    """Do one piece of long work; returns how it ended. It is safe to begin it again."""
    return job_runs.carry_out(job_run_id=job_run_id, handlers=HANDLERS).outcome
