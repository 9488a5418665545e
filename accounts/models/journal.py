"""Who did what, and from which browser."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Member


class AuditRecord(models.Model):
    """Who did what, to whom, when. Rows are only added: the database refuses everything else.

    `facts` hold no contacts and no names, so that the record can outlive what it tells about.
    """

    class Action(models.TextChoices):
        RECIPIENT_ASKED = "recipient_asked", _("looked for somebody to give points to")
        PROOF_FAILED = "proof_failed", _("entered a wrong password or code")
        CODE_SENT = "code_sent", _("asked for a code to give points")
        ACCOUNT_BLOCKED = "account_blocked", _("blocked an account")
        ACCOUNT_UNBLOCKED = "account_unblocked", _("unblocked an account")
        TRANSFER_REVERSED = "transfer_reversed", _("reversed a transfer")
        INVITER_ATTACHED = "inviter_attached", _("noted who invited a member")
        REFERRAL_DECIDED = "referral_decided", _("decided about an invitation")
        LOOKED_AT = "looked_at", _("looked at an account")
        CONTACTS_SHOWN = "contacts_shown", _("had a member’s contacts shown")
        SEARCHED = "searched", _("searched for a member")
        EXPORTED = "exported", _("took out a list as a file")
        SALE_REGISTERED = "sale_registered", _("registered a sale")
        POINTS_ADJUSTED = "points_adjusted", _("adjusted points")
        TIER_SET = "tier_set", _("set a tier by hand")
        APPROVAL_ASKED = "approval_asked", _("asked for a second person’s approval")
        APPROVAL_DECIDED = "approval_decided", _("decided about what a colleague asked for")
        RULES_PUBLISHED = "rules_published", _("published an edition of the rules")
        RULES_WITHDRAWN = "rules_withdrawn", _("withdrew an edition before it took effect")
        JOB_BEGUN = "job_begun", _("began a long job")
        JOB_CANCELLED = "job_cancelled", _("cancelled a long job")
        OUTLET_CHANGED = "outlet_changed", _("changed an outlet")
        KEY_CHANGED = "key_changed", _("changed an API key")
        COLLEAGUE_INVITED = "colleague_invited", _("invited a colleague")
        COLLEAGUE_JOINED = "colleague_joined", _("accepted an invitation to the staff")
        ROLE_CHANGED = "role_changed", _("changed a colleague’s role")
        SECOND_FACTOR_RESET = "second_factor_reset", _("reset a colleague’s second factor")

    # What is about a member names them, and an approval may be; what is about the programme names nobody.
    ABOUT_THE_PROGRAMME = (
        Action.SEARCHED,
        Action.EXPORTED,
        Action.RULES_PUBLISHED,
        Action.RULES_WITHDRAWN,
        Action.JOB_BEGUN,
        Action.JOB_CANCELLED,
        Action.OUTLET_CHANGED,
        Action.KEY_CHANGED,
        Action.COLLEAGUE_INVITED,
        Action.COLLEAGUE_JOINED,
        Action.ROLE_CHANGED,
        Action.SECOND_FACTOR_RESET,
    )

    action = models.CharField(max_length=30, choices=Action)
    happened_at = models.DateTimeField()
    # The login that did it; empty for a shop's system, which `facts` name.
    actor_id = models.BigIntegerField(null=True)
    # As what they did it: a colleague's role may change later.
    actor_role = models.CharField(max_length=20, blank=True, db_default="")
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="audit_records", db_constraint=False, null=True
    )
    facts = models.JSONField(default=dict)

    class Meta:
        db_table = "accounts_audit_record"
        indexes = [
            models.Index(fields=["member", "action", "happened_at"], name="audit_record_of_a_member"),
            models.Index(fields=["actor_id", "action", "happened_at"], name="audit_record_of_an_actor"),
            models.Index(fields=["happened_at", "id"], name="audit_record_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"


class Device(models.Model):
    """A browser that a member has used: two members with one browser may be one person."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="devices")
    token = models.UUIDField(db_index=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "token"], name="device_is_noted_once"),
        ]

    def __str__(self) -> str:
        return str(self.token)
