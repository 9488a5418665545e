"""Tiers that a supervisor sets by hand."""

from datetime import datetime

from accounts.models import AuditRecord, Member, User
from accounts.services.audit import record
from accounts.services.messages import tell_many
from loyalty.errors import ReasonNeeded
from loyalty.models import Standing, TierChange
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.services import ledger
from loyalty.services.retry import ledger_write
from loyalty.services.standing import set_floor, standing_of
from loyalty.services.telling import tier_changed
from supervisor.errors import FloorAlready, OwnAccount


@ledger_write
def set_tier(*, member: Member, position: int | None, reason: str, at: datetime, by: User) -> Standing:
    """Set the tier below which the member does not fall, by its place; None takes it back.

    A member who stands in another tier by it is told.

    Raises:
        OwnAccount: it is the supervisor's own account.
        ReasonNeeded: there is none.
        FloorAlready: it is set so, as when the same form is sent twice.
        TierUnknown, FloorIgnored: the edition in force does not have it.
    """
    if member.is_of(by):
        raise OwnAccount
    if not reason.strip():
        raise ReasonNeeded
    ledger.lock_accounts(member.pk)
    before = standing_of(member=member, at=at)
    if before.floor_position == position:
        raise FloorAlready
    standing = set_floor(member=member, position=position, actor_id=by.pk, reason=reason.strip(), at=at)
    record(
        action=AuditRecord.Action.TIER_SET,
        member=member,
        at=at,
        actor=by,
        position=position,
        **_words(position, at),
    )
    tell_many(
        tier_changed(
            member_id=member.pk,
            from_tier=before.tier,
            to_tier=standing.tier,
            cause=TierChange.Cause.BY_HAND,
            paid_sum=standing.paid_sum,
            at=at,
        )
    )
    return standing


def _words(position: int | None, at: datetime) -> dict[str, str]:
    """The tier in that place as the journal keeps it; no name for none."""
    tiers = tiers_of(rule_set_in_force(at))
    return next((tier.words() for tier in tiers if tier.position == position), {"tier": ""})
