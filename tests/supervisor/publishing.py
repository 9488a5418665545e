"""What colleagues have done before an edition is published, in few words."""

from datetime import datetime
from decimal import Decimal

from accounts.models import User
from loyalty.models import RuleSet
from loyalty.queries.rules import editions
from supervisor.models import JobRun, Preview
from supervisor.queries.what_if import WhatIf
from tests.clock import NOON
from tests.loyalty.editions import draft_edition


def previewed(
    by: User,
    draft: RuleSet | None = None,
    *,
    members: int = 100,
    falling: int = 0,
    worse_off: int = 0,
    at: datetime = NOON,
    outcome: JobRun.Outcome = JobRun.Outcome.DONE,
) -> Preview:
    """A preview of a draft that the worker has computed: so many of the members would fall, or get less."""
    draft = draft or draft_edition()
    run = JobRun.objects.create(
        kind=JobRun.Kind.PREVIEW,
        asked_by=by,
        asked_at=at,
        begins_at=at,
        started_at=at,
        finished_at=at,
        outcome=outcome,
    )
    return Preview.objects.create(
        draft=draft,
        draft_revision=draft.revision,
        compared_with=editions()[0],
        asked_by=by,
        asked_at=at,
        job_run=run,
        data_at=at,
        members_count=members,
        falling_count=falling,
        worse_off_count=worse_off,
        figures=WhatIf(
            data_at=at,
            members=members,
            tiers=[],
            matrix=[],
            rising=7,
            falling=falling,
            staying=members - falling - 7,
            worse_off=worse_off,
            rising_examples=[],
            falling_examples=[],
            paces=[],
            caps=[],
            outstanding_points=0,
            outstanding_worth_sum=Decimal(0),
            floors_kept=0,
        ).to_json(),
    )
