"""What waits in the console of the demo: a draft with its preview, a question to a second person, looks."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.models import Member, User
from loyalty.models import Cause
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.rules import create_draft, specs_of
from orders.demo.cast import ADA, BEN, STAN, SUE
from supervisor.services.adjustments import adjust_points
from supervisor.services.looks import note_look
from supervisor.services.previews import ask_preview

CORRECTION_KEY = UUID("5f0a1c52-9d35-4a34-8d3b-6c0f0f6f2a11")
# Silver comes sooner, gold later and with more: some rise, some fall.
NEW_THRESHOLDS = {"Серебро": Decimal(25_000), "Золото": Decimal(120_000)}
NEW_COEFFICIENTS = {"Золото": Decimal("0.08")}


def fill_console(*, at: datetime) -> None:
    """Leave something to do for supervisors, on top of the demo's members and orders."""
    stan = User.objects.get(email=STAN.email)
    sue = User.objects.get(email=SUE.email)
    ada = Member.objects.get(email=ADA.email)
    ben = Member.objects.get(email=BEN.email)
    note_look(members=[ada], page="member", at=at - timedelta(hours=3), actor=stan)
    note_look(members=[ben], page="member", at=at - timedelta(hours=2, minutes=10), actor=stan)
    adjust_points(
        member=ben,
        points=3_000,
        cause=Cause.COMPLAINT,
        text="Торт на день рождения привезли на день позже, гость очень расстроен",
        key=CORRECTION_KEY,
        at=at - timedelta(hours=2),
        by=stan,
    )
    live = rule_set_in_force(at)
    draft = create_draft(
        copy_of=live,
        tiers=[
            replace(
                tier,
                threshold_sum=NEW_THRESHOLDS.get(tier.name, tier.threshold_sum),
                coefficient=NEW_COEFFICIENTS.get(tier.name, tier.coefficient),
            )
            for tier in specs_of(live)
        ],
        drafted_by=sue,
        at=at - timedelta(hours=1),
    )
    ask_preview(draft=draft, at=at, by=sue)
