"""What members are told, and what they want to be told by letter."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Member


class Topic(models.TextChoices):
    """What messages are about: a member wants letters about each of these, or does not."""

    POINTS = "points", _("Points credited, spent and taken back")
    AVAILABLE = "available", _("Pending points that became available")
    TRANSFERS = "transfers", _("Transfers to you and from you")
    EXPIRY = "expiry", _("Points that expire soon")
    TIER = "tier", _("Your tier")
    FRIENDS = "friends", _("Friends you invited")
    STATEMENT = "statement", _("Monthly statement")
    SECURITY = "security", _("Security of your account")
    NEWS = "news", _("News and offers")


class Message(models.Model):
    """Something that a member is told, in the cabinet and, where a letter is wanted, by e-mail.

    It is written in the transaction of what it tells about, so neither is ever without the other.
    `kind` names its templates in `templates/messages/`; `facts` are what they say, and are worded when
    they are read. What may be told once only has a `key`: a second message with it is not written.
    The member has no foreign key that locks: see `loyalty.models.ledger`.
    """

    class LetterOutcome(models.TextChoices):
        """What became of the letter; empty while none is wanted, or while it waits."""

        SENT = "sent", _("sent by e-mail")
        UNWANTED = "unwanted", _("not sent: letters about this are switched off")
        NO_ADDRESS = "no_address", _("not sent: there is no confirmed e-mail")
        REFUSED = "refused", _("not sent: the mail server did not take it")
        OUTDATED = "outdated", _("not sent: it was no longer true")
        LATE = "late", _("not sent: it was too late for it")

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="messages", db_constraint=False)
    kind = models.SlugField(max_length=40)
    key = models.CharField(max_length=80, blank=True, default="", db_default="")
    facts = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    # A letter waits while it is wanted and has no outcome.
    wants_letter = models.BooleanField(default=False)
    letter_outcome = models.CharField(
        max_length=20, choices=LetterOutcome, blank=True, default="", db_default=""
    )
    letter_sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "key"], condition=~Q(key=""), name="message_is_told_once"
            ),
            models.CheckConstraint(
                condition=Q(letter_outcome="sent", letter_sent_at__isnull=False)
                | (~Q(letter_outcome="sent") & Q(letter_sent_at=None)),
                name="message_sent_letter_has_its_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="message_by_member"),
            models.Index(fields=["member"], condition=Q(seen_at=None), name="message_unseen"),
            models.Index(
                fields=["id"], condition=Q(wants_letter=True, letter_outcome=""), name="message_letter_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LetterPreference(models.Model):
    """Whether a member wants letters about a topic; without a row it is as the topic has it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="letter_preferences")
    topic = models.CharField(max_length=20, choices=Topic)
    is_wanted = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_letter_preference"
        constraints = [
            models.UniqueConstraint(fields=["member", "topic"], name="letter_preference_is_one"),
            # These come whatever anybody wishes.
            models.CheckConstraint(
                condition=~Q(topic="security"), name="letter_preference_leaves_security_alone"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.is_wanted}"
