"""The audit journal: who did what, to whom, when."""

from datetime import datetime

from accounts.models import AuditRecord, Member, User
from accounts.roles import main_role


def record(
    *,
    action: AuditRecord.Action,
    member: Member | None,
    at: datetime,
    actor: User | int | None,
    **facts: object,
) -> AuditRecord:
    """Write down that something was done to, or by, a member; in the transaction of what was done.

    Who did it is a login, or the id of one, or None for a shop's system. As what they did it is kept,
    too, but where it is the member's own account.

    `facts` name no contact and no person, since the record outlives them. What concerns the programme
    and no one member has none.
    """
    actor_id = actor.pk if isinstance(actor, User) else actor
    is_own = member is not None and member.user_id == actor_id
    if isinstance(actor, int) and not is_own:
        actor = User.objects.filter(pk=actor).first()
    return AuditRecord.objects.create(
        action=action,
        member=member,
        happened_at=at,
        actor_id=actor_id,
        actor_role=main_role(actor) if isinstance(actor, User) and not is_own else "",
        facts=facts,
    )
