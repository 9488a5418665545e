"""Points that one member gives to another: what is about to be given, and what was."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from loyalty.models.rules import RuleSet

# So much of the reason for which staff reversed a transfer is kept.
REASON_LETTERS = 500


class TransferIntent(models.Model):
    """What a member is about to give, and to whom: the object of the page that asks whether it is right.

    Its `key` becomes the transfer's, so that it is made once, from however many tabs and devices it
    is confirmed. A password or a code that was asked for is proved once for the whole intent.
    """

    key = models.UUIDField(unique=True)
    sender = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    recipient = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    points = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    proof = models.CharField(max_length=10, blank=True, help_text="“password” or “code”, once it was right.")
    code_hash = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    wrong_proofs = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "loyalty_transfer_intent"
        indexes = [models.Index(fields=["sender", "-asked_at"], name="transfer_intent_of_a_member")]
        constraints = [
            models.CheckConstraint(condition=Q(points__gt=0), name="transfer_intent_gives_points"),
            models.CheckConstraint(
                condition=~Q(sender=F("recipient")), name="transfer_intent_is_for_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(wrong_proofs__lte=5), name="transfer_intent_ends_after_five_wrong_proofs"
            ),
        ]

    def __str__(self) -> str:
        return str(self.key)


class Transfer(models.Model):
    """Points that one member gave to another, and whether they were taken back.

    `number` is what both sides say and open; it is never derived from the id. Members have no foreign
    keys that lock here, since many may give to one of them at once: see `loyalty.models.ledger`.
    """

    class How(models.TextChoices):
        CABINET = "cabinet", _("in the cabinet")
        SHOP = "shop", _("in the shop")

    class EndedBy(models.TextChoices):
        SENDER = "sender", _("by the sender")
        STAFF = "staff", _("by the programme")

    number = models.CharField(max_length=10, unique=True)
    key = models.UUIDField(unique=True)
    sender = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="sent_transfers", db_constraint=False
    )
    recipient = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="received_transfers", db_constraint=False
    )
    points = models.PositiveIntegerField()
    posting_id = models.BigIntegerField(unique=True)
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    made_at = models.DateTimeField()
    how = models.CharField(max_length=10, choices=How)
    actor_id = models.BigIntegerField(null=True)
    proof = models.CharField(max_length=10, blank=True)
    take_back_until_at = models.DateTimeField(null=True, blank=True)

    taken_back_at = models.DateTimeField(null=True, blank=True)
    reversal_id = models.BigIntegerField(null=True, blank=True, unique=True)
    ended_by = models.CharField(max_length=10, choices=EndedBy, blank=True)
    ended_actor_id = models.BigIntegerField(null=True)
    end_reason = models.CharField(max_length=REASON_LETTERS, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["sender", "-made_at"], name="transfer_by_sender"),
            models.Index(fields=["recipient", "-made_at"], name="transfer_by_recipient"),
            models.Index(fields=["sender", "recipient"], name="transfer_between_two"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(points__gt=0), name="transfer_moves_points"),
            models.CheckConstraint(condition=~Q(sender=F("recipient")), name="transfer_is_to_somebody_else"),
            models.CheckConstraint(
                condition=Q(taken_back_at=None, reversal_id=None, ended_by="")
                | (Q(taken_back_at__isnull=False, reversal_id__isnull=False) & ~Q(ended_by="")),
                name="transfer_is_taken_back_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.number
