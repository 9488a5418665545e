"""Balances that colleagues correct by hand: alone within limits, beyond them with a second person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from accounts.models import AuditRecord, Member, User
from accounts.services.audit import record
from accounts.services.messages import Telling, tell
from loyalty.models import Cause, Entry, Purpose, Request
from loyalty.queries.rules import expires_on, rule_set_in_force
from loyalty.services import ledger
from loyalty.services.ledger import event_key
from loyalty.services.retry import ledger_write
from supervisor.errors import (
    AdjustmentDiffers,
    NothingToAdjust,
    OwnAccount,
    WordsNeeded,
)
from supervisor.models import Approval
from supervisor.queries.adjustments import effect_of, limits_of

TEXT_LETTERS = 500
# Of PostgreSQL's advisory locks: a colleague's corrections come one after the other.
LOCK_NAME = "adjustments of %s"


@dataclass(frozen=True)
class Adjusted:
    """What became of a correction: the posting that made it, or what now waits for a second person."""

    posting_id: int | None
    approval: Approval | None


def adjust_points(
    *, member: Member, points: int, cause: Cause, text: str, key: UUID, at: datetime, by: User
) -> Adjusted:
    """Give the member points, or take them where `points` are below 0; sent again, nothing more happens.

    Within the colleague's limits it is done at once, and the member is told. Beyond them it waits for
    a supervisor. Points given live as the edition in force has it; nobody is taken below zero.

    Raises:
        OwnAccount: it is the colleague's own account.
        NothingToAdjust, WordsNeeded: how many, or why, is missing.
        NotEnoughPoints: fewer are available; it is refused before anybody is asked to approve it.
        AdjustmentDiffers: the key came before with other content.
    """
    _refuse_own(member, by)
    text = text.strip()[:TEXT_LETTERS]
    if not points:
        raise NothingToAdjust
    if not text:
        raise WordsNeeded
    return _adjust(
        member=member,
        points=points,
        cause=cause,
        text=text,
        key=event_key("adjustment", by.pk, key),
        at=at,
        by=by,
    )


@ledger_write
def make_adjustment(*, approval: Approval, at: datetime, by: User) -> int:
    """Make the correction that `by`, who may decide about it, approves, once; returns the posting's id.

    It counts as done by whoever asked for it, and uses up nothing of anybody's limits.

    Raises:
        OwnAccount: it is the account of whoever asked.
        NotEnoughPoints: meanwhile fewer are available.
    """
    member = approval.member
    if member is None or approval.points is None:
        raise NothingToAdjust
    _refuse_own(member, approval.asked_by)
    return _make(
        member=member,
        points=approval.points,
        cause=Cause(approval.cause),
        text=approval.reason,
        key=approval.key,
        at=at,
        by=approval.asked_by,
        approval=approval.pk,
        approved_by=by.pk,
    )


@ledger_write
def _adjust(
    *, member: Member, points: int, cause: Cause, text: str, key: UUID, at: datetime, by: User
) -> Adjusted:
    # Otherwise two forms that are sent at once would both find the whole of the day's limit.
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", (LOCK_NAME, by.pk))
    if before := _before(key, member=member, points=points):
        return before
    if limits_of(by=by, at=at).is_enough_for(points):
        posting_id = _make(member=member, points=points, cause=cause, text=text, key=key, at=at, by=by)
        return Adjusted(posting_id, None)
    if refusal := effect_of(member=member, points=points, at=at).refusal:
        raise refusal
    approval = Approval.objects.create(
        key=key,
        kind=Approval.Kind.ADJUSTMENT,
        asked_by=by,
        asked_at=at,
        reason=text,
        member=member,
        points=points,
        cause=cause,
    )
    record(
        action=AuditRecord.Action.APPROVAL_ASKED,
        member=member,
        at=at,
        actor=by,
        approval=approval.pk,
        kind=approval.kind,
        points=points,
    )
    return Adjusted(None, approval)


def _before(key: UUID, *, member: Member, points: int) -> Adjusted | None:
    """What became of the same request; None when it is new.

    Raises:
        AdjustmentDiffers: it was about somebody else, or about another number of points.
    """
    approval = Approval.objects.filter(key=key).first()
    if approval is not None:
        if (approval.member_id, approval.points) != (member.pk, points):
            raise AdjustmentDiffers
        return Adjusted(None, approval)
    made = Request.objects.filter(key=key).first()
    if made is None or made.posting_id is None:
        return None
    entries = Entry.objects.filter(posting_id=made.posting_id, account_id=member.pk)
    if entries.aggregate(points=Sum("points"))["points"] != points:
        raise AdjustmentDiffers
    return Adjusted(made.posting_id, None)


def _make(
    *,
    member: Member,
    points: int,
    cause: Cause,
    text: str,
    key: UUID,
    at: datetime,
    by: User,
    **facts: object,
) -> int:
    """Correct the balance, write down who did it, and tell the member."""
    rule_set = rule_set_in_force(at)
    last_day = expires_on(rule_set, at) if points > 0 else None
    done = ledger.adjust(
        key=key,
        account_id=member.pk,
        points=points,
        at=at,
        expires_on=last_day,
        note=ledger.Note(
            purpose=Purpose.CORRECTION,
            rule_set_id=rule_set.pk,
            actor_id=by.pk,
            explanation={"cause": cause.value, "text": text},
        ),
    )
    if done.is_repeat:
        return done.posting_id
    record(
        action=AuditRecord.Action.POINTS_ADJUSTED,
        member=member,
        at=at,
        actor=by,
        points=points,
        cause=cause.value,
        posting=done.posting_id,
        **facts,
    )
    told = {
        "points": abs(points),
        "is_given": points > 0,
        "cause": cause.value,
        "text": text,
        "expires_on": last_day and last_day.isoformat(),
        "posting_id": done.posting_id,
    }
    tell(
        Telling(
            member_id=member.pk,
            kind="points_adjusted",
            happened_at=at,
            facts=told,
        )
    )
    return done.posting_id


def _refuse_own(member: Member, user: User) -> None:
    if member.is_of(user):
        raise OwnAccount
