"""Who invited whom."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from loyalty.models import RuleSet


class Referral(models.Model):
    """One member invited another: the first inviter stays for ever."""

    class How(models.TextChoices):
        LINK = "link", _("by the inviter's link")
        TILL = "till", _("at the till")

    inviter = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invited_referrals")
    invited = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="referral")
    since_at = models.DateTimeField()
    how = models.CharField(max_length=10, choices=How, default=How.LINK)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(inviter=F("invited")), name="referral_is_of_somebody_else"),
        ]

    def __str__(self) -> str:
        return f"{self.inviter} → {self.invited}"


class Reward(models.Model):
    """What an inviter got for one paid order of the friend: the share and what it follows from."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="rewards")
    order_id = models.BigIntegerField(db_index=True)
    credit_id = models.BigIntegerField(unique=True, help_text="The posting that credited it.")
    base_sum = models.DecimalField(max_digits=14, decimal_places=2)
    referral_rate = models.DecimalField(max_digits=6, decimal_places=4)
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    points = models.PositiveBigIntegerField()
    taken_back_points = models.PositiveBigIntegerField(default=0)
    rewarded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_back_points__lte=F("points")), name="reward_is_taken_back_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} for {self.referral}"
