"""Colleagues: who is invited to the console, who has joined, what each may do, and a lost second factor."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.contacts import normalise_email, tidy_name
from accounts.errors import (
    AlreadyColleague,
    InvitationOver,
    LastSupervisor,
    LoginNeeded,
    MessageNotSent,
    NoFirstName,
    NoStaffRole,
    OtherLogin,
    OwnRole,
)
from accounts.letters import send_letter
from accounts.models import AuditRecord, Language, StaffInvitation, User
from accounts.roles import CONSOLE_ROLES, Role, is_supervisor
from accounts.services.audit import record
from accounts.services.contact_changes import free_unproven
from accounts.services.members import assign_role, remove_role
from accounts.services.sessions import end_sessions

INVITATION_LIFE = timedelta(hours=72)


@transaction.atomic
def invite_colleague(
    *, email: str, role: Role, at: datetime, by: User, language: str = Language.RUSSIAN
) -> StaffInvitation:
    """An invitation whose link is sent to that address in that language, in place of an earlier one.

    A letter that cannot be sent leaves everything as it was.

    Raises:
        InvalidEmail: the text is no e-mail address.
        NoStaffRole: the role is none of the console's.
        AlreadyColleague: the address is that of a login which has that role.
        MessageNotSent: the mail server did not take the letter.
    """
    address = normalise_email(email)
    if role not in CONSOLE_ROLES:
        raise NoStaffRole
    _lock_roles()
    login = login_of(address)
    if login is not None and (login.is_superuser or role in login.role_names):
        raise AlreadyColleague
    StaffInvitation.objects.filter(email=address, accepted_at=None, revoked_at=None).update(revoked_at=at)
    token = secrets.token_urlsafe(32)
    invitation = StaffInvitation.objects.create(
        email=address,
        role=role.value,
        token_hash=_hash(token),
        invited_by=by,
        invited_at=at,
        expires_at=at + INVITATION_LIFE,
    )
    record(
        action=AuditRecord.Action.COLLEAGUE_INVITED,
        member=None,
        at=at,
        actor=by,
        invitation=invitation.pk,
        role=role.value,
    )
    send_letter(
        template="accounts/email/staff_invitation",
        to=address,
        language=language,
        context={
            "inviter_name": by.known_as,
            "is_supervisor": role == Role.SUPERVISOR,
            "link": settings.SITE_URL + reverse("accounts:join_staff", args=[token]),
            "hours": INVITATION_LIFE // timedelta(hours=1),
        },
    )
    return invitation


def open_invitation(*, token: str, at: datetime) -> StaffInvitation:
    """The invitation that the link stands for.

    Raises:
        InvitationOver: there is none, or it was used, taken back, replaced, is too old,
            or whoever invited is no supervisor any more.
    """
    return _open_invitation(token, at)


def login_of(email: str) -> User | None:
    """The login that signs in with that address; one that never proved it does not count."""
    proved = Q(emailaddress__email=email, emailaddress__verified=True)
    has_role = Q(groups__isnull=False) | Q(is_superuser=True) | Q(member__isnull=False)
    return User.objects.filter(proved | (Q(email=email) & has_role)).distinct().first()


@transaction.atomic
def accept_invitation(*, token: str, first_name: str, last_name: str, password: str, at: datetime) -> User:
    """The new login of whoever got the letter: its address is proved, and it has the role.

    Raises:
        InvitationOver: see `open_invitation`.
        LoginNeeded: the address has a login; `accept_with_login` is for its owner.
        NoFirstName: there is no letter in the first name.
        ValidationError: the password is too weak; its sentences are Django's.
    """
    _lock_roles()
    invitation = _open_invitation(token, at, for_update=True)
    if login_of(invitation.email) is not None:
        raise LoginNeeded
    names = {"first_name": tidy_name(first_name), "last_name": tidy_name(last_name)}
    if not names["first_name"]:
        raise NoFirstName
    validate_password(password, User(email=invitation.email, **names))
    # Whoever signed up with the address and never opened a letter there is not its owner.
    free_unproven(invitation.email)
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password, **names)
    except IntegrityError as error:
        # Somebody signed up with the address a moment ago.
        raise LoginNeeded from error
    EmailAddress.objects.create(user=user, email=invitation.email, verified=True, primary=True)
    _join(invitation, user, at)
    return user


@transaction.atomic
def accept_with_login(*, token: str, user: User, at: datetime) -> StaffInvitation:
    """Give the role to the login that the invited address has already.

    Raises:
        InvitationOver: see `open_invitation`.
        OtherLogin: the login is that of another address.
    """
    _lock_roles()
    invitation = _open_invitation(token, at, for_update=True)
    if login_of(invitation.email) != user:
        raise OtherLogin
    _join(invitation, user, at)
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation: StaffInvitation, at: datetime, by: User) -> None:
    """Take the invitation back: its link no longer works. One that has ended stays as it is.

    Raises:
        InvitationOver: somebody has joined by it, or it was taken back before.
    """
    locked = StaffInvitation.objects.select_for_update().get(pk=invitation.pk)
    if locked.accepted_at or locked.revoked_at:
        raise InvitationOver
    _take_back(locked, at, by)


@transaction.atomic
def give_role(*, user: User, role: Role, at: datetime, by: User) -> None:
    """Let the colleague do what that role may; one they have stays.

    Raises:
        NoStaffRole: the role is none of the console's.
        OwnRole: it is the login of who asks.
    """
    _check_may_change(user, role, by)
    _lock_roles()
    if user.groups.filter(name=role).exists():
        return
    assign_role(user=user, role=role)
    _record_role(user, role, at, by, is_given=True)


@transaction.atomic
def take_role(*, user: User, role: Role, at: datetime, by: User) -> None:
    """Let the colleague no longer do what that role may; without any role they are signed out everywhere.

    Whom a supervisor has invited, and who has not joined yet, needs another supervisor's invitation then.

    Raises:
        NoStaffRole: the role is none of the console's.
        OwnRole: it is the login of who asks.
        LastSupervisor: nobody else is a supervisor.
    """
    _check_may_change(user, role, by)
    _lock_roles()
    if not user.groups.filter(name=role).exists():
        return
    if role == Role.SUPERVISOR and not supervisors().exclude(pk=user.pk).exists():
        raise LastSupervisor
    remove_role(user=user, role=role)
    _record_role(user, role, at, by, is_given=False)
    if role == Role.SUPERVISOR and not user.is_superuser:
        for invitation in StaffInvitation.objects.filter(invited_by=user, accepted_at=None, revoked_at=None):
            _take_back(invitation, at, by)
    if not user.is_superuser and not user.groups.filter(name__in=CONSOLE_ROLES).exists():
        _end_every_session(user)


@transaction.atomic
def reset_second_factor(*, user: User, at: datetime, by: User) -> None:
    """Forget the colleague's second factor, whose phone is lost; they are signed out, and told by letter.

    Raises:
        OwnRole: it is the login of who asks.
    """
    if user.pk == by.pk:
        raise OwnRole
    deleted_count, _deleted = Authenticator.objects.filter(user=user).delete()
    if not deleted_count:
        return
    _end_every_session(user)
    record(
        action=AuditRecord.Action.SECOND_FACTOR_RESET,
        member=None,
        at=at,
        actor=by,
        colleague=user.pk,
    )
    transaction.on_commit(lambda: _tell_of_reset(user, by))


def supervisors() -> QuerySet[User]:
    """Everybody who may change the programme."""
    may = Q(groups__name=Role.SUPERVISOR) | Q(is_superuser=True)
    return User.objects.filter(may, is_active=True).distinct()


def _check_may_change(user: User, role: Role, by: User) -> None:
    if role not in CONSOLE_ROLES:
        raise NoStaffRole
    if user.pk == by.pk:
        raise OwnRole


def _lock_roles() -> None:
    """Let one change of roles follow the other: two supervisors who dismiss each other leave one."""
    Group.objects.select_for_update(no_key=True).get(name=Role.SUPERVISOR)


def _open_invitation(token: str, at: datetime, *, for_update: bool = False) -> StaffInvitation:
    invitations = StaffInvitation.objects.select_related("invited_by")
    if for_update:
        invitations = invitations.select_for_update(of=["self"])
    found = invitations.filter(
        token_hash=_hash(token), accepted_at=None, revoked_at=None, expires_at__gt=at
    ).first()
    if found is None or not is_supervisor(found.invited_by):
        raise InvitationOver
    return found


def _take_back(invitation: StaffInvitation, at: datetime, by: User) -> None:
    invitation.revoked_at = at
    invitation.save(update_fields=["revoked_at"])
    record(
        action=AuditRecord.Action.COLLEAGUE_INVITED,
        member=None,
        at=at,
        actor=by,
        invitation=invitation.pk,
        role=invitation.role,
        is_taken_back=True,
    )


def _hash(token: str) -> str:
    """A long random token needs no salt and no slow hash."""
    return sha256(token.encode()).hexdigest()


def _join(invitation: StaffInvitation, user: User, at: datetime) -> None:
    invitation.accepted_at, invitation.accepted_by = at, user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    assign_role(user=user, role=Role(invitation.role))
    record(
        action=AuditRecord.Action.COLLEAGUE_JOINED,
        member=None,
        at=at,
        actor=user,
        invitation=invitation.pk,
        role=invitation.role,
    )


def _record_role(user: User, role: Role, at: datetime, by: User, *, is_given: bool) -> None:
    record(
        action=AuditRecord.Action.ROLE_CHANGED,
        member=None,
        at=at,
        actor=by,
        colleague=user.pk,
        role=role.value,
        is_given=is_given,
    )


def _end_every_session(user: User) -> None:
    keys = UserSession.objects.filter(user=user).values_list("session_key", flat=True)
    end_sessions(user=user, session_keys=list(keys))


def _tell_of_reset(user: User, by: User) -> None:
    """The factor is reset whether or not the letter can be sent; that it could not is in the log."""
    member = getattr(user, "member", None)
    try:
        send_letter(
            template="accounts/email/second_factor_reset",
            to=user.email,
            language=member.language if member else settings.LANGUAGE_CODE,
            context={
                "by_name": by.known_as,
                "link": settings.SITE_URL + reverse("account_login"),
            },
        )
    except MessageNotSent:
        return
