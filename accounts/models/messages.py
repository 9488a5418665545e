"""What members are told, and by which way they want to be."""

from django.db import models
from django.db.models import Q

from accounts.models.people import Member


class Message(models.Model):
    """Something that a member is told, in the cabinet and, where a letter is wanted, by e-mail.

    It is written in the transaction of what it tells about, so neither is ever without the other.
    `kind` names its templates in `templates/messages/`; `facts` are what they say, and are worded when
    they are read. The member has no foreign key that locks: see `loyalty.models.ledger`.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="messages", db_constraint=False)
    kind = models.SlugField(max_length=40)
    facts = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    # The letter: not wanted, waiting until it is sent, or sent then.
    wants_letter = models.BooleanField(default=False)
    letter_sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["member", "-id"], name="message_by_member"),
            models.Index(fields=["member"], condition=Q(seen_at=None), name="message_unseen"),
            models.Index(
                fields=["id"], condition=Q(wants_letter=True, letter_sent_at=None), name="message_letter_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
