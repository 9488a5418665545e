"""Colleagues who were asked to work in the console."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.people import User


class StaffInvitation(models.Model):
    """A colleague is asked by letter to work in the console; whoever opens its link chooses a password.

    Of the link's token only a hash is kept. An address has one open invitation at a time.
    """

    email = models.EmailField()
    role = models.CharField(max_length=20)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "accounts_staff_invitation"
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at=None, revoked_at=None),
                name="staff_invitation_is_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(revoked_at=None), name="staff_invitation_ends_once"
            ),
        ]

    def __str__(self) -> str:
        return self.email
