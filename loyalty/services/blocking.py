"""Stopping a member from giving points away, by staff or by one click in a letter."""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, TimestampSigner

from accounts.models import AuditRecord, Member
from accounts.services.audit import record
from accounts.services.messages import Telling, tell
from loyalty.errors import ReasonNeeded
from loyalty.models import PointsAccount, Transfer
from loyalty.services import ledger
from loyalty.services.retry import ledger_write

FREEZE_LIFE = timedelta(days=30)

_signer = TimestampSigner(salt="loyalty.freeze")


@ledger_write
def block_member(*, member: Member, at: datetime, actor_id: int | None, reason: str) -> None:
    """Let the member give and spend no points; earning goes on. A blocked member stays blocked.

    Raises:
        ReasonNeeded: there is none.
    """
    _set_blocked(True, member=member, at=at, actor_id=actor_id, reason=reason)


@ledger_write
def unblock_member(*, member: Member, at: datetime, actor_id: int, reason: str) -> None:
    """Let the member give and spend points again; nothing happens to one who may.

    Raises:
        ReasonNeeded: there is none.
    """
    _set_blocked(False, member=member, at=at, actor_id=actor_id, reason=reason)


def freeze_token(number: str) -> str:
    """What the letter about the transfer of that number carries, so that its sender can stop further ones."""
    return _signer.sign(number)


def transfer_of_freeze_token(token: str) -> Transfer | None:
    """The transfer that the token was made for, with both members; None when it is forged or too old.

    It is over, too, once staff have unblocked the sender after that: they have looked into the matter,
    and an old letter in wrong hands must not stop the account again.
    """
    try:
        number = _signer.unsign(token, max_age=FREEZE_LIFE)
    except BadSignature:
        return None
    made = Transfer.objects.select_related("sender", "recipient").filter(number=number).first()
    if made is None or _was_unblocked(made.sender_id, after=made.made_at):
        return None
    return made


def _was_unblocked(member_id: int, *, after: datetime) -> bool:
    unblocked = AuditRecord.objects.filter(
        member_id=member_id, action=AuditRecord.Action.ACCOUNT_UNBLOCKED, happened_at__gt=after
    )
    return unblocked.exists()


def _set_blocked(
    is_blocked: bool, *, member: Member, at: datetime, actor_id: int | None, reason: str
) -> None:
    reason = reason.strip()
    if not reason:
        raise ReasonNeeded
    ledger.lock_accounts(member.pk)
    if PointsAccount.objects.values_list("is_blocked", flat=True).get(pk=member.pk) == is_blocked:
        return
    ledger.block(account_id=member.pk, is_blocked=is_blocked)
    actions = AuditRecord.Action
    record(
        action=actions.ACCOUNT_BLOCKED if is_blocked else actions.ACCOUNT_UNBLOCKED,
        member=member,
        at=at,
        actor=actor_id,
        reason=reason,
    )
    tell(
        Telling(
            member_id=member.pk,
            kind="account_blocked" if is_blocked else "account_unblocked",
            happened_at=at,
            # Without a colleague it was the member, by the link in a letter.
            facts={"is_own": actor_id is None},
        )
    )
