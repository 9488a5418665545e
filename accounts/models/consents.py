"""What people agreed to, and the contacts they wish to change."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Member, User

# The edition of the consents' texts that sign-up shows. A new text gets a new one, and the
# records of who agreed to the old text keep theirs.
CONSENT_TEXT_VERSION = "2026-11-22"


class Consent(models.Model):
    """What a person agreed to or took back: which text, when and how. Rows are only added.

    A consent given at sign-up belongs to the login, since the member is known only when the
    e-mail is verified; one given at the till belongs to the member.
    """

    class Kind(models.TextChoices):
        PROGRAMME = "programme", _("Programme rules and processing of personal data")
        ADVERTISING = "advertising", _("Advertising messages")

    class How(models.TextChoices):
        SIGN_UP = "sign_up", _("at sign-up")
        CABINET = "cabinet", _("in the cabinet")
        TILL = "till", _("at the till")
        SHOP = "shop", _("in the shop")
        IMPORT = "import", _("taken over from the shop")
        LETTER = "letter", _("by the link in a letter")

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="consents")
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, null=True, blank=True, related_name="consents"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    is_given = models.BooleanField()
    text_version = models.CharField(max_length=20)
    recorded_at = models.DateTimeField()
    how = models.CharField(max_length=20, choices=How)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(member__isnull=False),
                name="consent_is_somebodys",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.text_version}"


class ContactChange(models.Model):
    """A member's wish to change a contact; it comes true when both contacts are confirmed.

    One code goes to `current_contact`, which the member has proved to own, and one to `new_contact`.
    Only their hashes are kept. A new contact that is somebody else's is sent no code, so its hash is
    missing and nothing can match it. Rows stay, as the record of what was asked for and what became of it.
    """

    class Kind(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed"
        REPLACED = "replaced"
        CANCELLED = "cancelled"
        WRONG_CODES = "wrong_codes"
        TAKEN = "taken"
        NOT_SENT = "not_sent"

    MOST_WRONG_CODES = 5

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="contact_changes")
    kind = models.CharField(max_length=10, choices=Kind)
    current_contact = models.CharField(max_length=254)
    new_contact = models.CharField(max_length=254)
    current_code_hash = models.CharField(max_length=64)
    new_code_hash = models.CharField(max_length=64, null=True)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(ended_at=None), name="contact_change_is_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="contact_change_ends_with_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(wrong_codes__lte=5), name="contact_change_ends_after_five_wrong_codes"
            ),
        ]
        indexes = [models.Index(fields=["member", "asked_at"], name="contact_changes_of_a_member")]

    def __str__(self) -> str:
        return f"{self.kind} {self.new_contact}"

    def is_open(self, at: datetime) -> bool:
        """Whether the codes may still be entered."""
        return self.ended_at is None and at < self.expires_at
