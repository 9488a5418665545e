"""Members and their logins: the name, the consents, the roles, the language."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from accounts import queries
from accounts.contacts import normalise_email, normalise_phone, tidy_name
from accounts.errors import AccountsError, EmailTaken, LoginTaken, NoFirstName, PhoneTaken
from accounts.models import CONSENT_TEXT_VERSION, Consent, Language, Member, User
from accounts.numbers import new_member_number
from accounts.roles import Role

# What the database calls a column that must be unique, and the refusal that it stands for.
TAKEN: dict[str, type[AccountsError]] = {
    "member_email_is_one_member": EmailTaken,
    "member_phone_is_one_member": PhoneTaken,
    "accounts_member_user_id_key": LoginTaken,
    "accounts_user_email_key": EmailTaken,
    "user_email_is_one_login": EmailTaken,
    "unique_verified_email": EmailTaken,
}
NUMBER_TAKEN = "accounts_member_number_key"


def create_member(
    *,
    first_name: str,
    last_name: str,
    email: str | None,
    phone: str | None,
    language: str,
    joined_at: datetime,
    user: User | None = None,
    is_sandbox: bool = False,
) -> Member:
    """A new member with a new number, and with a login when `user` is given.

    The contacts may be written in any way; they are kept unverified, in the one normal spelling.

    Raises:
        InvalidEmail, InvalidPhone: the contact cannot be read.
        EmailTaken, PhoneTaken: another member has that contact.
        LoginTaken: another member has that login.
    """
    return _save_with_new_number(
        Member(
            user=user,
            first_name=first_name.strip(),
            last_name=last_name.strip(),
            email=normalise_email(email) if email else None,
            phone=normalise_phone(phone) if phone else None,
            language=language,
            joined_at=joined_at,
            is_sandbox=is_sandbox,
        )
    )


@transaction.atomic
def claim_member(
    *,
    user: User,
    claimed_at: datetime,
    verified_email: str | None = None,
    verified_phone: str | None = None,
    language: str = Language.RUSSIAN,
) -> Member:
    """The member of that login: the one who already is, the one with that contact, or a new one.

    A member without a login is found by a contact that the login has proved to own, by e-mail
    before phone, and keeps the name, number and points it has. A contact that belongs to another
    member stays there. Claiming again changes nothing, except that a contact verified since is added.
    `language` is that of a new member.

    Raises:
        InvalidEmail, InvalidPhone: the contact cannot be read.
    """
    email = normalise_email(verified_email) if verified_email else None
    phone = normalise_phone(verified_phone) if verified_phone else None
    # Two confirmations of one login come one after the other, or each would make a member.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    member = (
        Member.objects.select_for_update(no_key=True).filter(user=user).first()
        or _attach_member_without_login(user=user, email=email, phone=phone)
        or _create_claimed_member(user=user, language=language, joined_at=claimed_at)
    )
    _verify_contacts(member=member, email=email, phone=phone, verified_at=claimed_at)
    assign_role(user=user, role=Role.MEMBER)
    return member


def record_consent(
    *,
    kind: str,
    is_given: bool,
    how: str,
    recorded_at: datetime,
    user: User | None = None,
    member: Member | None = None,
    text_version: str = CONSENT_TEXT_VERSION,
) -> Consent:
    """A new record that the person agreed to a text, or took that back; earlier ones stay."""
    return Consent.objects.create(
        user=user,
        member=member,
        kind=kind,
        is_given=is_given,
        text_version=text_version,
        recorded_at=recorded_at,
        how=how,
    )


@transaction.atomic
def change_consent(
    *,
    member: Member,
    kind: str,
    is_given: bool,
    changed_at: datetime,
    how: Consent.How = Consent.How.CABINET,
) -> Consent | None:
    """Record that the member gives or takes back a consent; None when it is so already."""
    # Pressing the button twice is one agreement.
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if queries.consents_in_force(member=member).filter(kind=kind).exists() == is_given:
        return None
    return record_consent(member=member, kind=kind, is_given=is_given, how=how, recorded_at=changed_at)


def assign_role(*, user: User, role: Role) -> None:
    """Give the login that role; one it already has stays."""
    user.groups.add(Group.objects.get(name=role))
    user.__dict__.pop("role_names", None)


def remove_role(*, user: User, role: Role) -> None:
    """Take that role from the login; one it does not have is no error."""
    user.groups.remove(Group.objects.get(name=role))
    user.__dict__.pop("role_names", None)


@transaction.atomic
def change_name(*, user: User, first_name: str, last_name: str) -> None:
    """Call the login, and the member behind it, by that name, kept tidy.

    Raises:
        NoFirstName: there is no letter in the first name.
    """
    names = {"first_name": tidy_name(first_name), "last_name": tidy_name(last_name)}
    if not names["first_name"]:
        raise NoFirstName
    User.objects.filter(pk=user.pk).update(**names)
    Member.objects.filter(user=user).update(**names)


def change_language(*, member: Member, language: str) -> None:
    """Write to the member in that language from now on."""
    member.language = language
    member.save(update_fields=["language"])


def hide_first_steps(*, member: Member, hidden_at: datetime) -> None:
    """Put the first steps away for good; the moment of the first time stays."""
    Member.objects.filter(pk=member.pk, steps_hidden_at=None).update(steps_hidden_at=hidden_at)


def _save_with_new_number(member: Member) -> Member:
    """Save the new member under a free number; a number that is taken is drawn again."""
    while True:
        member.number = new_member_number()
        try:
            with transaction.atomic():
                member.save(force_insert=True)
        except IntegrityError as error:
            constraint = broken_constraint(error)
            if constraint in TAKEN:
                raise TAKEN[constraint] from error
            if constraint != NUMBER_TAKEN:
                raise
        else:
            return member


def broken_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint that refused the row."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return diagnostics.constraint_name if diagnostics else None


def _attach_member_without_login(*, user: User, email: str | None, phone: str | None) -> Member | None:
    """Give the login the member without one who has that contact; None when there is none."""
    # A member whom another login takes meanwhile is not chosen: the row is read again once it is locked.
    candidates = queries.members_by_contact(email=email, phone=phone).filter(user=None)
    member = candidates.select_for_update(no_key=True).first()
    if member is not None:
        member.user = user
        member.save(update_fields=["user"])
    return member


def _create_claimed_member(*, user: User, language: str, joined_at: datetime) -> Member:
    """A new member for the login; its contacts are added when they turn out to be free."""
    return create_member(
        first_name=user.first_name,
        last_name=user.last_name,
        email=None,
        phone=None,
        language=language,
        joined_at=joined_at,
        user=user,
    )


def _verify_contacts(*, member: Member, email: str | None, phone: str | None, verified_at: datetime) -> None:
    """Give the member these contacts as verified ones, unless it has a verified one already."""
    if email and not member.email_verified_at:
        _save_unless_taken(member, email=email, email_verified_at=verified_at)
    if phone and not member.phone_verified_at:
        _save_unless_taken(member, phone=phone, phone_verified_at=verified_at)


def _save_unless_taken(member: Member, **fields: object) -> None:
    """Save these fields, unless the contact among them belongs to another member."""
    before = {name: getattr(member, name) for name in fields}
    for name, value in fields.items():
        setattr(member, name, value)
    try:
        with transaction.atomic():
            member.save(update_fields=list(fields))
    except IntegrityError as error:
        if broken_constraint(error) not in TAKEN:
            raise
        for name, value in before.items():
            setattr(member, name, value)
