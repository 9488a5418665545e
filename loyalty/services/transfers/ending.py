"""A transfer goes back whole: its sender takes it back in time, or staff reverse it."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.models import AuditRecord, Member
from accounts.services.audit import record
from accounts.services.messages import Telling, tell
from loyalty.errors import (
    AccountBlocked,
    NotReversible,
    PointsMovedOn,
    ReasonNeeded,
    TakeBackOver,
    TransferEnded,
)
from loyalty.models import PointsAccount, Transfer
from loyalty.models.transfers import REASON_LETTERS
from loyalty.queries.transfers.made import can_be_taken_back, is_used
from loyalty.services import ledger
from loyalty.services.retry import ledger_write


@ledger_write
def take_back_transfer(
    *, transfer: Transfer, at: datetime, actor_id: int | None, source_code: str = ""
) -> Transfer:
    """Give the points back to their sender, who asks for it, and tell both; sent again, nothing more.

    Each point goes back to the lot it came from, with its own last day.

    Raises:
        TakeBackOver: the time for it is over, or the edition gave none.
        TransferEnded: the programme has reversed it.
        AccountBlocked: the sender's account is blocked, or their login switched off.
        PointsMovedOn: the recipient no longer has these points, whatever they got since.
    """
    transfer = _locked(transfer)
    if transfer.ended_by == Transfer.EndedBy.SENDER:
        return transfer
    if transfer.ended_by:
        raise TransferEnded
    if not can_be_taken_back(transfer, at):
        raise TakeBackOver
    if _is_stopped(transfer.sender):
        raise AccountBlocked
    if is_used(transfer):
        raise PointsMovedOn
    return _end(
        transfer,
        by=Transfer.EndedBy.SENDER,
        reason="",
        at=at,
        actor_id=actor_id,
        explanation={"reason": "", **({"source": source_code} if source_code else {})},
    )


@ledger_write
def reverse_transfer(*, transfer: Transfer, reason: str, at: datetime, actor_id: int) -> Transfer:
    """Give the points back to their sender, as staff decide, at any time; sent again, nothing more.

    The first REASON_LETTERS letters of the reason are kept, and told to both.

    Raises:
        ReasonNeeded: there is none.
        TransferEnded: its sender took it back before.
        PointsMovedOn: the recipient no longer has as many points of these last days.
    """
    reason = reason.strip()[:REASON_LETTERS]
    if not reason:
        raise ReasonNeeded
    transfer = _locked(transfer)
    if transfer.ended_by == Transfer.EndedBy.STAFF:
        return transfer
    if transfer.ended_by:
        raise TransferEnded
    record(
        action=AuditRecord.Action.TRANSFER_REVERSED,
        member=transfer.sender,
        at=at,
        actor=actor_id,
        number=transfer.number,
        points=transfer.points,
        reason=reason,
    )
    return _end(
        transfer,
        by=Transfer.EndedBy.STAFF,
        reason=reason,
        at=at,
        actor_id=actor_id,
        explanation={"reason": reason},
    )


def _locked(transfer: Transfer) -> Transfer:
    """The transfer as it stands once both members' points are locked."""
    ledger.lock_accounts(transfer.sender_id, transfer.recipient_id)
    return Transfer.objects.select_related("sender__user", "recipient__user").get(pk=transfer.pk)


def _is_stopped(member: Member) -> bool:
    """Whether nothing may be done with the member's points at present."""
    if member.user is not None and not member.user.is_active:
        return True
    return PointsAccount.objects.filter(pk=member.pk, is_blocked=True).exists()


def _end(
    transfer: Transfer,
    *,
    by: Transfer.EndedBy,
    reason: str,
    at: datetime,
    actor_id: int | None,
    explanation: dict[str, object],
) -> Transfer:
    today = timezone.localdate(at, timezone.get_default_timezone())
    try:
        reversal = ledger.reverse(
            # A refusal now says nothing about later: the points may have come back. That it happens
            # once is the transfer's own matter, which is read under the lock.
            key=uuid4(),
            posting_id=transfer.posting_id,
            at=at,
            # Points whose last day was over would be gone the same moment: nothing lives longer by this.
            least_expires_on=today - timedelta(days=1),
            note=ledger.Note(actor_id=actor_id, explanation=explanation),
        )
    except (NotReversible, PointsMovedOn) as refusal:
        # How many are missing is the recipient's own matter, and so is that they settled a debt.
        raise PointsMovedOn from refusal
    transfer.taken_back_at = at
    transfer.reversal_id = reversal.posting_id
    transfer.ended_by = by
    transfer.ended_actor_id = actor_id
    transfer.end_reason = reason
    transfer.save(update_fields=["taken_back_at", "reversal_id", "ended_by", "ended_actor_id", "end_reason"])
    tell(
        _telling(transfer, reader=transfer.sender, other=transfer.recipient),
        _telling(transfer, reader=transfer.recipient, other=transfer.sender),
    )
    return transfer


def _telling(transfer: Transfer, *, reader: Member, other: Member) -> Telling:
    return Telling(
        member_id=reader.pk,
        kind="transfer_taken_back",
        happened_at=transfer.taken_back_at or transfer.made_at,
        facts={
            "number": transfer.number,
            "points": transfer.points,
            "name": other.masked_name,
            "is_sender": reader.pk == transfer.sender_id,
            "by": transfer.ended_by,
            "reason": transfer.end_reason,
        },
    )
