"""What a colleague may correct on a balance alone, and what a correction would do to it."""

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import BigIntegerField, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Abs, Cast
from django.utils import timezone

from accounts.models import AuditRecord, Member, User
from accounts.roles import Role, is_supervisor
from loyalty.errors import NotEnoughPoints
from loyalty.queries.balance import balance
from loyalty.queries.rules import expires_on, rule_set_in_force


@dataclass(frozen=True)
class Limits:
    """How many points a colleague may give or take alone: at once, and of a day those that are left."""

    act_points: int
    day_points: int
    left_today_points: int

    def is_enough_for(self, points: int) -> bool:
        """Whether so many, given or taken, need nobody else."""
        return abs(points) <= min(self.act_points, self.left_today_points)


@dataclass(frozen=True)
class Effect:
    """A member's account now and after a correction by `points`.

    `expires_on` is the last day of points given. With `missing_points` it cannot be: nobody's balance
    is taken below zero.
    """

    points: int
    available_points: int
    available_after_points: int
    debt_points: int
    debt_after_points: int
    expires_on: date | None
    missing_points: int

    @property
    def refusal(self) -> NotEnoughPoints | None:
        """What the ledger would say to it."""
        return NotEnoughPoints(self.available_points) if self.missing_points else None


def limits_of(*, by: User, at: datetime) -> Limits:
    """The limits of the colleague's role, and what they have left of the day's, in the programme's zone."""
    if is_supervisor(by):
        act_points, day_points = (
            settings.SUPERVISOR_ADJUSTMENT_POINTS,
            settings.SUPERVISOR_ADJUSTMENT_DAY_POINTS,
        )
    else:
        act_points, day_points = settings.STAFF_ADJUSTMENT_POINTS, settings.STAFF_ADJUSTMENT_DAY_POINTS
    return Limits(act_points, day_points, max(day_points - _adjusted_today(by, at), 0))


def effect_of(*, member: Member, points: int, at: datetime) -> Effect:
    """What the correction would do to the member's account; points given settle a debt first."""
    now = balance(account_id=member.pk, at=at)
    settled_points = min(max(points, 0), now.debt_points)
    after_points = now.available_points + points - settled_points
    return Effect(
        points=points,
        available_points=now.available_points,
        available_after_points=max(after_points, 0),
        debt_points=now.debt_points,
        debt_after_points=now.debt_points - settled_points,
        expires_on=expires_on(rule_set_in_force(at), at) if points > 0 else None,
        missing_points=max(-after_points, 0),
    )


def _adjusted_today(by: User, at: datetime) -> int:
    """Points that the colleague has given and taken alone since midnight, together.

    What a second person has approved is beyond the limit anyway, and uses none of it up.
    """
    midnight = timezone.localtime(at, timezone.get_default_timezone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    alone = AuditRecord.objects.filter(
        actor_id=by.pk, action=AuditRecord.Action.POINTS_ADJUSTED, happened_at__gte=midnight
    ).exclude(facts__has_key="approval")
    points = Abs(Cast(KT("facts__points"), BigIntegerField()))
    return alone.aggregate(total=Sum(points))["total"] or 0


def supervisors_for(*, member: Member, asked_by: User) -> list[User]:
    """Who may approve a correction of the member's balance that somebody asks for, by name."""
    supervisors = User.objects.filter(
        Q(groups__name=Role.SUPERVISOR) | Q(is_superuser=True), is_active=True
    ).exclude(pk__in=[asked_by.pk, member.user_id or 0])
    return list(supervisors.distinct().order_by("first_name", "last_name", "pk"))
