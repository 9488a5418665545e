"""What a member shows at the till so that points are taken from their account."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.models import Member


class TillCode(models.Model):
    """Six digits that a member shows from the cabinet: good for two minutes and for one payment.

    Only a hash is kept. A member has one open code; asking for another ends it.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="till_codes")
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    wrong_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "loyalty_till_code"
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(ended_at=None), name="till_code_is_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"code of {self.made_at:%Y-%m-%d %H:%M}"

    def is_open(self, at: datetime) -> bool:
        """Whether it may still be entered."""
        return self.ended_at is None and at < self.expires_at
