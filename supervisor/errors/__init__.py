"""What the console refuses, in words for the colleague who reads it."""

from supervisor.errors.adjustments import AdjustmentDiffers, FloorAlready, NothingToAdjust, WordsNeeded
from supervisor.errors.approvals import (
    ApprovalOver,
    LetInByAsker,
    NotYours,
    OwnAccount,
    SecondPersonNeeded,
    SupervisorNeeded,
)
from supervisor.errors.base import ConsoleError
from supervisor.errors.editions import (
    ApprovalWaiting,
    EditionWithdrawn,
    EffectiveInThePast,
    PreviewNotReady,
    PreviewOutdated,
    RecountUnderWay,
)
from supervisor.errors.imports import (
    FileGone,
    FileOver,
    FileTooLarge,
    ImportBegun,
    ImportChanged,
    TooManyColumns,
    TrialUnderWay,
)
from supervisor.errors.job_runs import JobBeingDone, JobOfEdition, JobOver
from supervisor.errors.people import CodeEnded, PersonRefused, PersonUnknown, PersonUnreadable

__all__ = [
    "AdjustmentDiffers",
    "ApprovalOver",
    "ApprovalWaiting",
    "CodeEnded",
    "ConsoleError",
    "EditionWithdrawn",
    "EffectiveInThePast",
    "FileGone",
    "FileOver",
    "FileTooLarge",
    "FloorAlready",
    "ImportBegun",
    "ImportChanged",
    "JobBeingDone",
    "JobOfEdition",
    "JobOver",
    "LetInByAsker",
    "NotYours",
    "NothingToAdjust",
    "OwnAccount",
    "PersonRefused",
    "PersonUnknown",
    "PersonUnreadable",
    "PreviewNotReady",
    "PreviewOutdated",
    "RecountUnderWay",
    "SecondPersonNeeded",
    "SupervisorNeeded",
    "TooManyColumns",
    "TrialUnderWay",
    "WordsNeeded",
]
