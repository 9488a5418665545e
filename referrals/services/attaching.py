"""From a visit to an inviter: links that were opened, sign-ups, and what is said at the till."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from accounts.models import AuditRecord, Device, Member
from accounts.services.audit import record
from accounts.services.messages import tell
from loyalty.services import ledger
from loyalty.services.ledger import event_key
from loyalty.services.retry import ledger_write
from referrals.errors import (
    AlreadyInvited,
    ExistingMember,
    LinkEnded,
    LinkTooOld,
    ReferralError,
    SameEmail,
    SamePhone,
    SelfInvitation,
    TooLateToAttach,
)
from referrals.models import Flag, How, Invitation, InviteCode, Referral
from referrals.queries.codes import invite_code
from referrals.queries.people import (
    first_moment_uncounted,
    mailboxes_of,
    may_be_noted_at_till,
    phones_of,
    referral_of,
)
from referrals.services.flags import note_flag
from referrals.services.rewards import welcome_at_sign_up
from referrals.services.telling import friend_joined, inviter_noted

# How long the friend's browser remembers who invited them.
CLICK_LIFE = timedelta(days=30)
TOO_QUICK = timedelta(seconds=30)
NEW_INVITER = timedelta(days=7)


@dataclass(frozen=True)
class Click:
    """What a friend's signed cookie says: a token of its own, and which link was opened when."""

    token: UUID
    code: str
    clicked_at: datetime


@transaction.atomic
def count_visit(*, click: Click, at: datetime, visitor: Member | None = None) -> Invitation | None:
    """Count that a link was opened, once for each token.

    Returns the invitation, or None when the code is no live one, or the visitor's own.
    """
    code = invite_code(click.code)
    if code is None or code.ended_at is not None or (visitor is not None and visitor.pk == code.member_id):
        return None
    invitation, _is_new = Invitation.objects.get_or_create(
        token=click.token, defaults={"inviter": code.member, "how": How.LINK, "visited_at": at}
    )
    return invitation


@ledger_write
def answer_invitation(
    *, click: Click, invited: Member, is_new_member: bool, device_token: UUID | None, at: datetime
) -> Referral | None:
    """Attach the inviter of the link by which somebody has just joined.

    What looks as if both were one person is flagged. A refusal is kept on the invitation, and breaks
    no sign-up. Returns the referral, or None when there is none; the same answer when it is asked again.
    """
    code = invite_code(click.code)
    if code is None:
        return None
    inviter = code.member
    ledger.lock_accounts(invited.pk, inviter.pk)
    invitation = _invitation(click.token, inviter, invited, How.LINK)
    if invitation.answered_at is not None:
        return invitation.referral
    try:
        _check_link(code, click, at)
        _check_people(inviter, invited, is_new_member=is_new_member)
    except ReferralError as refusal:
        _keep_refusal(invitation, invited, refusal, at)
        return None
    # Whose clock ran ahead has clicked just now.
    since_at = min(click.clicked_at, at)
    referral = _attach(invitation, inviter, invited, since_at=since_at, at=at)
    tell(*friend_joined(referral, at=at))
    if device_token and _is_browser_of_inviter_or_friends(device_token, inviter, invited):
        note_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=at)
    # The address may be confirmed hours after the form was filled in.
    signed_up_at = invited.user.joined_at if invited.user else at
    if timedelta(0) <= signed_up_at - click.clicked_at < TOO_QUICK:
        note_flag(referral=referral, kind=Flag.Kind.TOO_QUICK, at=at)
    _flag_chain(referral, at)
    return referral


@ledger_write
def attach_inviter(
    *, inviter: Member, invited: Member, since_at: datetime, how: How, token: UUID | None = None
) -> Referral:
    """Note who invited a member; the first inviter stays for ever.

    Orders paid from `since_at` on bring a share. `token` is the invitation that was answered by it.
    An order that is being paid sees the referral either before its points are counted, or not at all.

    Raises:
        SelfInvitation: both are the same member.
        AlreadyInvited: somebody else invited them before.
    """
    if inviter.pk == invited.pk:
        raise SelfInvitation
    ledger.lock_accounts(invited.pk, inviter.pk)
    referral = referral_of(invited)
    if referral is None:
        invitation = _invitation(token or uuid4(), inviter, invited, how)
        return _attach(invitation, inviter, invited, since_at=since_at, at=since_at)
    if referral.inviter_id != inviter.pk:
        raise AlreadyInvited
    return referral


def attach_at_till(*, inviter: Member, invited: Member, at: datetime, actor_id: int) -> Referral:
    """Note at the till who invited a new member; saying the same again changes nothing.

    The referral begins at `at`, or right after the last order that was counted before both accounts
    were locked: every order paid from then on counts. The refusal is kept on an invitation, too, so
    that the inviter can read it. Both are told.

    Raises:
        SelfInvitation: both are the same member.
        AlreadyInvited: somebody else invited them before.
        ExistingMember: the inviter joined later than the one who is said to be invited.
        SameEmail, SamePhone: both look like one person.
        TooLateToAttach: the member joined more than 7 days ago.
    """
    referral, refusal = _attach_or_keep_refusal(inviter, invited, at, actor_id)
    if refusal is not None:
        raise refusal
    if referral is None:
        raise ValueError("An inviter is either attached or refused.")
    return referral


@ledger_write
def _attach_or_keep_refusal(
    inviter: Member, invited: Member, at: datetime, actor_id: int
) -> tuple[Referral | None, ReferralError | None]:
    ledger.lock_accounts(invited.pk, inviter.pk)
    referral = referral_of(invited)
    if referral is not None and referral.inviter_id == inviter.pk:
        return referral, None
    # However often it is tried, it is one invitation.
    token = event_key("said at the till", inviter.pk, invited.pk)
    invitation = _invitation(token, inviter, invited, How.TILL)
    try:
        _check_people(inviter, invited, is_new_member=inviter.joined_at <= invited.joined_at)
        if not may_be_noted_at_till(invited, at):
            raise TooLateToAttach
    except ReferralError as refusal:
        _keep_refusal(invitation, invited, refusal, at)
        return None, refusal
    since_at = first_moment_uncounted(invited, at)
    referral = _attach(invitation, inviter, invited, since_at=since_at, at=at)
    tell(*inviter_noted(referral, at=at))
    record(
        action=AuditRecord.Action.INVITER_ATTACHED,
        member=invited,
        at=at,
        actor=actor_id,
        inviter_id=inviter.pk,
        referral_id=referral.pk,
    )
    _flag_chain(referral, at)
    welcome_at_sign_up(referral=referral, at=at)
    return referral, None


def _check_link(code: InviteCode, click: Click, at: datetime) -> None:
    """See that a link still counts."""
    if code.ended_at is not None:
        raise LinkEnded
    if at - click.clicked_at > CLICK_LIFE:
        raise LinkTooOld


def _check_people(inviter: Member, invited: Member, *, is_new_member: bool) -> None:
    """See that two people are two, and that one of them is new."""
    if inviter.pk == invited.pk:
        raise SelfInvitation
    if referral_of(invited) is not None:
        raise AlreadyInvited
    if not is_new_member:
        raise ExistingMember
    if mailboxes_of(inviter) & mailboxes_of(invited):
        raise SameEmail
    if phones_of(inviter) & phones_of(invited):
        raise SamePhone


def _invitation(token: UUID, inviter: Member, invited: Member, how: How) -> Invitation:
    """The invitation of that token, or a new one where somebody else has answered it."""
    invitation, _is_new = Invitation.objects.select_related("referral").get_or_create(
        token=token, defaults={"inviter": inviter, "how": how}
    )
    if invitation.inviter_id != inviter.pk or invitation.invited_id not in (None, invited.pk):
        # A browser that two people share, or one that opened two links.
        return Invitation(token=uuid4(), inviter=inviter, how=how)
    return invitation


def _attach(
    invitation: Invitation, inviter: Member, invited: Member, *, since_at: datetime, at: datetime
) -> Referral:
    referral = Referral.objects.create(
        inviter=inviter, invited=invited, since_at=since_at, how=invitation.how
    )
    invitation.referral, invitation.invited, invitation.answered_at = referral, invited, at
    invitation.refusal = ""
    invitation.save()
    return referral


def _keep_refusal(invitation: Invitation, invited: Member, refusal: ReferralError, at: datetime) -> None:
    invitation.invited, invitation.answered_at, invitation.refusal = invited, at, refusal.code
    invitation.save()


def _is_browser_of_inviter_or_friends(token: UUID, inviter: Member, invited: Member) -> bool:
    """Whether the inviter, or another friend of theirs, has used that browser."""
    users = Device.objects.filter(token=token).exclude(member=invited)
    return users.filter(Q(member=inviter) | Q(member__referral__inviter=inviter)).exists()


def _flag_chain(referral: Referral, at: datetime) -> None:
    """Flag that the inviter has only just joined, and was invited, too."""
    inviter = referral.inviter
    if at - inviter.joined_at < NEW_INVITER and referral_of(inviter) is not None:
        note_flag(referral=referral, kind=Flag.Kind.CHAIN, at=at)
