"""The three roles; each is a group of the same name, so that a login may have several."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a login may do; a supervisor may do everything that staff may."""

    MEMBER = "member", _("Member")
    STAFF = "staff", _("Staff")
    SUPERVISOR = "supervisor", _("Supervisor")
