"""Colleagues as the console shows them: their roles, their second factor, when they were there last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q, Subquery

from accounts.models import StaffInvitation, User
from accounts.roles import CONSOLE_ROLES, Role

INVITATIONS_SHOWN = 50


@dataclass(frozen=True)
class Colleague:
    """Somebody who may open the console: as what, since when, and how they sign in."""

    user: User
    roles: Sequence[Role]
    since_at: datetime
    has_second_factor: bool

    @property
    def main_role(self) -> Role:
        """The role that says most."""
        return self.roles[-1]


@dataclass(frozen=True)
class Invited:
    """An invitation that nobody has accepted yet, and whether its link still works."""

    invitation: StaffInvitation
    role: Role
    is_open: bool


def colleagues() -> list[Colleague]:
    """Everybody who may open the console, supervisors first, then by name; one query."""

    def place(one: Colleague) -> tuple[bool, str, int]:
        return one.main_role != Role.SUPERVISOR, one.user.full_name, one.user.pk

    return sorted(_found(Q()), key=place)


def colleague(user_id: int) -> Colleague | None:
    """The colleague with that login; None where it opens no console."""
    return next(iter(_found(Q(pk=user_id))), None)


def waiting_invitations(*, at: datetime) -> list[Invited]:
    """The invitations that wait to be accepted, the latest first; those too old are among them; one query."""
    waiting = StaffInvitation.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return [
        Invited(one, Role(one.role), is_open=at < one.expires_at)
        for one in waiting.order_by("-invited_at", "-pk")[:INVITATIONS_SHOWN]
    ]


def _found(is_wanted: Q) -> list[Colleague]:
    """The colleagues of whom that holds; one query."""
    has_role = Q(group_names__overlap=[role.value for role in CONSOLE_ROLES]) | Q(is_superuser=True)
    accepted = StaffInvitation.objects.filter(accepted_by=OuterRef("pk")).order_by("accepted_at")
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    users = (
        User.objects.filter(is_wanted, is_active=True)
        .annotate(
            group_names=ArrayAgg("groups__name", filter=Q(groups__isnull=False), default=[]),
            invitation_accepted_at=Subquery(accepted.values("accepted_at")[:1]),
            has_factor=Exists(factors),
        )
        .filter(has_role)
    )
    return [
        Colleague(
            user=user,
            roles=[
                role
                for role in CONSOLE_ROLES
                if role in user.group_names or (role == Role.SUPERVISOR and user.is_superuser)
            ],
            since_at=user.invitation_accepted_at or user.joined_at,
            has_second_factor=user.has_factor,
        )
        for user in users
    ]
