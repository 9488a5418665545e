"""A second person decides about what a colleague may not do alone."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import AuditRecord, StaffInvitation, User
from accounts.roles import Role, is_supervisor
from accounts.services.audit import record
from loyalty.errors import ReasonNeeded
from supervisor.errors import (
    ApprovalOver,
    LetInByAsker,
    NotYours,
    OwnAccount,
    SecondPersonNeeded,
    SupervisorNeeded,
)
from supervisor.models import Approval
from supervisor.services.adjustments import make_adjustment
from supervisor.services.editions import approve_publication

# For so long a colleague is no second person to whoever let them in.
LET_IN_LATELY = timedelta(days=30)


@transaction.atomic
def decide(*, approval: Approval, is_approved: bool, reason: str, at: datetime, by: User) -> Approval:
    """Approve what a colleague has asked for, which is done then, or decline it with a reason.

    Raises:
        ApprovalOver: it is decided, or withdrawn.
        SupervisorNeeded, SecondPersonNeeded, OwnAccount: `by` is not who may decide about it.
        LetInByAsker: it is approved by somebody who may be the asker under another address.
        ReasonNeeded: it is declined without a word.
        LoyaltyError: what is asked for cannot be done any more; it stays open.
    """
    current = _open(approval)
    if not is_supervisor(by):
        raise SupervisorNeeded
    if current.asked_by_id == by.pk:
        raise SecondPersonNeeded
    if current.member is not None and current.member.is_of(by):
        raise OwnAccount
    if not is_approved and not reason.strip():
        raise ReasonNeeded
    if is_approved:
        if by.pk in _let_in_lately(current.asked_by_id, at):
            raise LetInByAsker
        match Approval.Kind(current.kind):
            case Approval.Kind.PUBLICATION:
                approve_publication(approval=current, at=at, by=by)
            case Approval.Kind.ADJUSTMENT:
                make_adjustment(approval=current, at=at, by=by)
    decision = Approval.Decision.APPROVED if is_approved else Approval.Decision.DECLINED
    return _decided(current, decision, reason=reason, at=at, by=by)


@transaction.atomic
def withdraw_approval(*, approval: Approval, at: datetime, by: User) -> Approval:
    """Take back what one has asked for; nothing comes of it then.

    Raises:
        ApprovalOver: it is decided, or withdrawn.
        NotYours: a colleague has asked for it.
    """
    current = _open(approval)
    if current.asked_by_id != by.pk:
        raise NotYours
    return _decided(current, Approval.Decision.WITHDRAWN, reason="", at=at, by=by)


def _let_in_lately(user_id: int, at: datetime) -> set[int]:
    """The logins of whom that one has let into the console lately, or made supervisors, and so on."""
    since = at - LET_IN_LATELY
    found, new = set[int](), {user_id}
    while new:
        joined = StaffInvitation.objects.filter(invited_by__in=new, accepted_at__gt=since)
        promoted = AuditRecord.objects.filter(
            action=AuditRecord.Action.ROLE_CHANGED,
            actor_id__in=new,
            happened_at__gt=since,
            facts__role=Role.SUPERVISOR.value,
            facts__is_given=True,
        )
        let_in = {
            *joined.values_list("accepted_by", flat=True),
            *promoted.values_list("facts__colleague", flat=True),
        }
        new = let_in - found
        found |= new
    return found


def _open(approval: Approval) -> Approval:
    current = Approval.objects.select_for_update().filter(pk=approval.pk, decided_at=None).first()
    if current is None:
        raise ApprovalOver
    return current


def _decided(
    approval: Approval, decision: Approval.Decision, *, reason: str, at: datetime, by: User
) -> Approval:
    approval.decided_at, approval.decided_by = at, by
    approval.decision, approval.decision_reason = decision, reason.strip()
    approval.save(update_fields=["decided_at", "decided_by", "decision", "decision_reason"])
    record(
        action=AuditRecord.Action.APPROVAL_DECIDED,
        member=approval.member,
        at=at,
        actor=by,
        approval=approval.pk,
        kind=approval.kind,
        decision=approval.decision,
        asked_by=approval.asked_by_id,
    )
    return approval
