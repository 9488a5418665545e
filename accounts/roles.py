"""The three roles; each is a group of the same name, so that a login may have several."""

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Role(models.TextChoices):
    """What a login may do; a supervisor may do everything that staff may."""

    MEMBER = "member", _("Member")
    STAFF = "staff", _("Staff")
    SUPERVISOR = "supervisor", _("Supervisor")


# Those that open the console, the one that may do more last.
CONSOLE_ROLES = (Role.STAFF, Role.SUPERVISOR)


def roles(user: User | AnonymousUser) -> frozenset[str]:
    """The names of the login's roles; a superuser is a supervisor."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    return user.role_names | ({Role.SUPERVISOR.value} if user.is_superuser else set())


def main_role(user: User | AnonymousUser) -> str:
    """The highest role of the login, or nothing: as what a colleague did something."""
    found = roles(user)
    return next((role.value for role in reversed(Role) if role in found), "")


def is_supervisor(user: User | AnonymousUser) -> bool:
    """Whether the login may change the programme."""
    return Role.SUPERVISOR in roles(user)


def is_staff_person(user: User | AnonymousUser) -> bool:
    """Whether the login may look members up; a supervisor may too."""
    return not roles(user).isdisjoint(CONSOLE_ROLES)
