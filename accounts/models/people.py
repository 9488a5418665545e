"""Who someone is: the login, and the member of the programme."""

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
    # An address that a mail server refused for good: no letters go there until it is another one.
    refused_email = models.EmailField(null=True, blank=True)
    # Since then the first steps are no longer shown on the balance page.
    steps_hidden_at = models.DateTimeField(null=True, blank=True)
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
    def is_letter_address_refused(self) -> bool:
        """Whether letters would go to an address that took none; a new address gets them again."""
        return self.refused_email is not None and self.refused_email == self.letter_address

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
