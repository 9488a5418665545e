"""Who someone is: the login, the member of the programme, and what they agreed to."""

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Collate, Lower, Reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.contacts import masked_name

# The edition of the consents' texts that sign-up shows. A new text gets a new one, and the
# records of who agreed to the old text keep theirs.
CONSENT_TEXT_VERSION = "2026-11"


class UserManager(BaseUserManager["User"]):
    """Makes users; the e-mail address is the login."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A user with that e-mail; without a password they can only reset it."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A user who may do everything: for the first sign-in of an installation."""
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. What someone is in the programme stands on Member."""

    email = models.EmailField(_("e-mail"), unique=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    password_changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_one_login"),
        ]

    def __str__(self) -> str:
        return self.email

    def set_password(self, raw_password: str | None) -> None:
        """Take that password; of a login that exists it is noted when, since no points leave soon after."""
        super().set_password(raw_password)
        if self.pk is not None:
            self.password_changed_at = timezone.now()

    @property
    def full_name(self) -> str:
        """The name as its owner sees it; empty when it is not known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def known_as(self) -> str:
        """What colleagues call the login by: the name, or the e-mail where there is none."""
        return self.full_name or self.email

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of the login's groups, read once; `accounts.roles` says what they allow."""
        return frozenset(self.groups.values_list("name", flat=True))


class Language(models.TextChoices):
    """What a person is written to in."""

    RUSSIAN = "ru", _("Russian")
    ENGLISH = "en", _("English")


def _name_key(name: str) -> models.GeneratedField:
    """A name in the one spelling that all its others come to: what members are found by."""
    return models.GeneratedField(
        expression=Func(F(name), function="accounts_name_key"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )


class Member(models.Model):
    """A person in the programme, who may exist before a login does.

    `number` is what the person says and shows; it is never derived from the id.
    An e-mail or phone belongs to one member at most, so a verified one finds its member.
    Members of the sandbox are made up by shops that try the programme out; no live order, login or
    look-up ever meets them, and they may have anybody's contacts.
    """

    number = models.CharField(_("member number"), max_length=12, unique=True)
    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="member")
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), null=True, blank=True)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    phone = PhoneNumberField(_("phone"), null=True, blank=True)
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.RUSSIAN)
    joined_at = models.DateTimeField()
    is_sandbox = models.BooleanField(default=False, db_default=False)
    first_key = _name_key("first_name")
    last_key = _name_key("last_name")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email", "is_sandbox"], name="member_email_is_one_member"),
            models.UniqueConstraint(fields=["phone", "is_sandbox"], name="member_phone_is_one_member"),
            models.CheckConstraint(
                condition=Q(user=None) | Q(is_sandbox=False), name="member_of_sandbox_has_no_login"
            ),
            models.CheckConstraint(
                condition=Q(number__regex=r"^[0-9]{12}$"), name="member_number_is_twelve_digits"
            ),
            models.CheckConstraint(condition=~Q(email=""), name="member_email_is_not_blank"),
            models.CheckConstraint(condition=~Q(phone=""), name="member_phone_is_not_blank"),
            models.CheckConstraint(
                condition=Q(email=Lower("email")) | Q(email=None), name="member_email_is_lower_case"
            ),
        ]
        # Each is read in its order until a page is full. The sandbox's members are in none of them.
        indexes = [
            models.Index(
                fields=["last_key", "first_key", "id"],
                condition=Q(is_sandbox=False),
                name="member_by_last_name",
            ),
            models.Index(
                fields=["first_key", "last_key", "id"],
                condition=Q(is_sandbox=False),
                name="member_by_first_name",
            ),
            models.Index(
                Collate(Reverse("phone"), "C"),
                condition=Q(is_sandbox=False, phone__isnull=False),
                name="member_by_last_digits",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def full_name(self) -> str:
        """The name as the member and staff see it; empty when it is not known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def verified_email(self) -> str | None:
        """The e-mail that the member has proved to own."""
        return self.email if self.email_verified_at else None

    @property
    def letter_address(self) -> str | None:
        """Where letters go: the verified e-mail, or else that of the login, which was proved at sign-up."""
        return self.verified_email or (self.user.email if self.user else None)

    @property
    def verified_phone(self) -> str | None:
        """The phone that the member has proved to own, in E.164."""
        return str(self.phone) if self.phone and self.phone_verified_at else None

    def is_of(self, user: User) -> bool:
        """Whether the member is that person: by the login, or, where it is not attached, by its e-mail."""
        return self.user_id == user.pk or (bool(self.email) and self.email == user.email)

    @property
    def masked_name(self) -> str:
        """The name as other members see it: “Мария П.”."""
        return masked_name(self.first_name, self.last_name)


class NameKey(models.Model):
    """A spelling that names of members come to: what a part of a name is looked for in.

    Triggers on the members write it, whoever adds them. It may hold the same key twice, and keys that
    no member has any more.
    """

    is_last = models.BooleanField()
    key = models.TextField(db_collation="C")

    class Meta:
        db_table = "accounts_name_key"
        indexes = [
            models.Index(fields=["is_last", "key"], name="name_key_by_beginning"),
            GinIndex(fields=["key"], opclasses=["gin_trgm_ops"], name="name_key_by_part"),
        ]

    def __str__(self) -> str:
        return self.key


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

    # What is about a member names them; what is about the programme names nobody.
    ABOUT_THE_PROGRAMME = (
        Action.SEARCHED,
        Action.EXPORTED,
        Action.APPROVAL_ASKED,
        Action.APPROVAL_DECIDED,
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


class StaffInvitation(models.Model):
    """A colleague is asked by letter to work in the console; whoever opens its link chooses a password.

    Of the link's token only a hash is kept. An address has one open invitation at a time.
    """

    email = models.EmailField()
    role = models.CharField(max_length=20)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "accounts_staff_invitation"
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at=None, revoked_at=None),
                name="staff_invitation_is_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(revoked_at=None), name="staff_invitation_ends_once"
            ),
        ]

    def __str__(self) -> str:
        return self.email
