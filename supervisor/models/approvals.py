"""What waits for a second person."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, User
from loyalty.models import RuleSet
from supervisor.models.previews import Preview


class Approval(models.Model):
    """Something a colleague may not do alone: it is done, or not, when a second person decides.

    `key` is that of the posting an approved adjustment makes, so that it is made once.
    """

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", _("Adjustment of points")
        PUBLICATION = "publication", _("Publication of an edition")

    class Decision(models.TextChoices):
        APPROVED = "approved", _("approved")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    key = models.UUIDField(unique=True)
    kind = models.CharField(max_length=15, choices=Kind)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    # Of an adjustment.
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    points = models.BigIntegerField(null=True, blank=True)
    cause = models.CharField(max_length=20, blank=True)
    # Of a publication; without a moment it is for at once.
    preview = models.ForeignKey(
        Preview, on_delete=models.PROTECT, null=True, blank=True, related_name="approvals"
    )
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    effective_at = models.DateTimeField(null=True, blank=True)

    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by=None, decision="")
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision="")),
                name="approval_is_open_or_decided",
            ),
            models.CheckConstraint(
                condition=~Q(decision="approved") | ~Q(decided_by=F("asked_by")),
                name="approval_is_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(kind="adjustment", member__isnull=False, points__isnull=False)
                | Q(kind="publication", rule_set__isnull=False, preview__isnull=False),
                name="approval_says_of_what",
            ),
            models.UniqueConstraint(
                fields=["rule_set"],
                condition=Q(kind="publication", decided_at=None),
                name="approval_of_an_edition_is_one_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], condition=Q(decided_at=None), name="approval_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
