"""The audit journal: who did what, to whom, when."""

from datetime import datetime

from accounts.models import AuditRecord, Member


def record(
    *,
    action: AuditRecord.Action,
    member: Member | None,
    at: datetime,
    actor_id: int | None,
    actor_role: str = "",
    **facts: object,
) -> AuditRecord:
    """Write down that something was done to, or by, a member; in the transaction of what was done.

    `facts` name no contact and no person, since the record outlives them. What concerns the programme
    and no one member has none.
    """
    return AuditRecord.objects.create(
        action=action, member=member, happened_at=at, actor_id=actor_id, actor_role=actor_role, facts=facts
    )
