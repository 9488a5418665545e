"""The audit journal: who did what, to whom, when."""

from datetime import datetime

from accounts.models import AuditRecord, Member


def record(
    *, action: AuditRecord.Action, member: Member, at: datetime, actor_id: int | None, **facts: object
) -> AuditRecord:
    """Write down that something was done to, or by, a member; in the transaction of what was done.

    `facts` name no contact and no person, since the record outlives them.
    """
    return AuditRecord.objects.create(
        action=action, member=member, happened_at=at, actor_id=actor_id, facts=facts
    )
