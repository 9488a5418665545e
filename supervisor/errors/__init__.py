"""What the console refuses, in words for the colleague who reads it."""

from supervisor.errors.base import ConsoleError
from supervisor.errors.job_runs import JobOver
from supervisor.errors.people import CodeEnded, PersonRefused, PersonUnknown, PersonUnreadable

__all__ = [
    "CodeEnded",
    "ConsoleError",
    "JobOver",
    "PersonRefused",
    "PersonUnknown",
    "PersonUnreadable",
]
