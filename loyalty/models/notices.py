"""What members were told of their points before it happened."""

from django.db import models

from loyalty.models.ledger import PointsAccount


class ExpiryNotice(models.Model):
    """That an account's owner was told, so many days ahead, that points expire; told once for each.

    Rows are written with the message, and are only added: a job that runs twice tells nothing twice.
    """

    account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="expiry_notices", db_constraint=False
    )
    expires_on = models.DateField()
    days_ahead = models.PositiveSmallIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_expiry_notice"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "expires_on", "days_ahead"], name="expiry_notice_is_given_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.expires_on}, {self.days_ahead} days ahead"
