"""Where a member stands: the paid sum, the tier it gives, and how both came about."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from loyalty.models.rules import RuleSet, Tier


class Standing(models.Model):
    """A member's tier and the paid sum it follows from, kept under the lock of the points account.

    `floor_position` is the tier that a supervisor has set by hand, by its place in the edition, so
    that it outlives the edition it was chosen in.
    """

    member = models.OneToOneField(Member, on_delete=models.CASCADE, primary_key=True, related_name="standing")
    paid_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="standings")
    since_at = models.DateTimeField()
    floor_position = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(paid_sum__gte=0), name="standing_paid_sum_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.member}: {self.tier}"


class PaidSumEntry(models.Model):
    """What one step of an order added to the paid sum; rows are only added.

    A refund counts at the moment its order was paid, so both leave a rolling period together.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="paid_sum_entries")
    order_id = models.BigIntegerField()
    counted_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    paid_sum = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        db_table = "loyalty_paid_sum_entry"
        indexes = [models.Index(fields=["member", "counted_at"], name="paid_sum_by_member")]

    def __str__(self) -> str:
        return f"{self.paid_sum} for order {self.order_id}"


class TierChange(models.Model):
    """A step of a member from one tier to another; rows are only added."""

    class Cause(models.TextChoices):
        JOINED = "joined", _("joined the programme")
        ORDER = "order", _("a paid order")
        REFUND = "refund", _("a returned order")
        BY_HAND = "by_hand", _("set by hand")
        RECOUNT = "recount", _("new rules or time passed")

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tier_changes")
    from_tier = models.ForeignKey(Tier, on_delete=models.PROTECT, null=True, related_name="+")
    to_tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="+")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    cause = models.CharField(max_length=10, choices=Cause)
    order_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "loyalty_tier_change"
        indexes = [models.Index(fields=["member", "-changed_at"], name="tier_change_by_member")]

    def __str__(self) -> str:
        return f"{self.member}: {self.to_tier}"
