"""What members are told of a paid order: worded in `templates/messages`, kept with the order."""

from datetime import datetime

from accounts.services.messages import Telling
from referrals.services.telling import later


def points_earned(
    *, member_id: int, order: str, points: int, at: datetime, available_at: datetime
) -> list[Telling]:
    """The member has earned points, if any; they may have to wait for them."""
    if not points:
        return []
    facts = {"order": order, "points": points, "available_at": later(available_at, at)}
    return [Telling(member_id=member_id, kind="points_earned", happened_at=at, facts=facts)]
