"""Who invited whom, how they came, and what it brought."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from loyalty.models import RuleSet


class How(models.TextChoices):
    """The way by which somebody is invited."""

    LINK = "link", _("by the inviter's link")
    TILL = "till", _("at the till")


class InviteCode(models.Model):
    """The code of a member's link. One is live; those before it say that they are no longer valid."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="invite_codes")
    code = models.CharField(max_length=12, unique=True, help_text="In capitals, without look-alikes.")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    shows_name = models.BooleanField(default=True, help_text="Whether friends see the first name.")

    class Meta:
        db_table = "referrals_invite_code"
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(ended_at=None), name="invite_code_is_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[2-9A-HJKMNP-Z]{8,12}$"), name="invite_code_has_no_look_alikes"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """One member invited another: the first inviter stays for ever.

    Orders paid from `since_at` on bring the inviter a share, until a person decides that both are the
    same: then the referral has ended, and earns nothing more. `orders_count` counts these orders, less
    those that were returned whole or cancelled.
    """

    inviter = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invited_referrals")
    invited = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="referral")
    since_at = models.DateTimeField()
    how = models.CharField(max_length=10, choices=How, default=How.LINK)
    ended_at = models.DateTimeField(null=True, blank=True)
    orders_count = models.PositiveIntegerField(default=0)
    first_bought_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(inviter=F("invited")), name="referral_is_of_somebody_else"),
        ]

    def __str__(self) -> str:
        return f"{self.inviter} → {self.invited}"


class Invitation(models.Model):
    """One friend's way from the link, or from the till, to a referral or to a refusal.

    `token` is what the friend's browser remembers. It begins with a visit; `refusal` is the code of
    the error that says why no referral came of it.
    """

    inviter = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invitations")
    token = models.UUIDField(unique=True)
    how = models.CharField(max_length=10, choices=How)
    visited_at = models.DateTimeField(null=True, blank=True)
    invited = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, related_name="answered_invitations"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    referral = models.OneToOneField(
        Referral, on_delete=models.PROTECT, null=True, blank=True, related_name="invitation"
    )
    refusal = models.CharField(max_length=30, blank=True)

    class Meta:
        indexes = [models.Index(fields=["inviter", "-id"], name="invitation_by_inviter")]
        constraints = [
            models.CheckConstraint(
                condition=Q(referral=None) | Q(refusal="", invited__isnull=False, answered_at__isnull=False),
                name="invitation_is_accepted_or_refused",
            ),
        ]

    def __str__(self) -> str:
        return str(self.token)


class Reward(models.Model):
    """Points that an invitation brought, and what they follow from.

    A share goes to the inviter for one paid order of the friend, the welcome to the friend. With
    `is_held` its points stay pending until a person has decided about the referral's flags, and
    become available at `available_at` at the earliest.
    """

    class Kind(models.TextChoices):
        SHARE = "share", _("the inviter's share")
        WELCOME = "welcome", _("welcome points")

    class TakenBack(models.TextChoices):
        RETURNED = "returned", _("the order was returned")
        ONE_PERSON = "one_person", _("the inviter and the friend are one person")

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SHARE)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="rewards")
    order_id = models.BigIntegerField(null=True, db_index=True, help_text="Empty: welcome at sign-up.")
    credit_id = models.BigIntegerField(unique=True, help_text="The posting that credited it.")
    base_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    referral_rate = models.DecimalField(max_digits=6, decimal_places=4, default=Decimal(0))
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    points = models.PositiveBigIntegerField()
    taken_back_points = models.PositiveBigIntegerField(default=0)
    taken_back_for = models.CharField(max_length=10, choices=TakenBack, blank=True)
    rewarded_at = models.DateTimeField()
    available_at = models.DateTimeField()
    is_held = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_back_points__lte=F("points")), name="reward_is_taken_back_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="welcome") | Q(order_id__isnull=False), name="reward_share_is_of_an_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} for {self.referral}"


class Flag(models.Model):
    """An overlap that looks as if inviter and friend were one person; a person decides about it."""

    class Kind(models.TextChoices):
        SAME_PHONE = "same_phone", _("an order of the friend has the inviter's phone")
        SAME_DEVICE = "same_device", _("the friend uses a browser of the inviter or of their other friends")
        TOO_QUICK = "too_quick", _("the friend signed up seconds after opening the link")
        CHAIN = "chain", _("the inviter is new and was invited, too")
        NO_SECOND_ORDER = "no_second_order", _("none of the inviter's friends has ordered twice")

    class Decision(models.TextChoices):
        FINE = "fine", _("two people")
        ONE_PERSON = "one_person", _("one person")

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=20, choices=Kind)
    noticed_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "kind"], name="flag_is_raised_once"),
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None)
                | (Q(decided_at__isnull=False, decided_by_id__isnull=False) & ~Q(decision="")),
                name="flag_is_decided_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["noticed_at"], condition=Q(decision=""), name="flag_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.referral_id}"
