"""What members are told of a paid order: worded in `templates/messages`, kept with the order."""

from datetime import datetime

from accounts.services.messages import Telling
from loyalty.models import Tier
from referrals.services.telling import later


def points_earned(
    *, member_id: int, order: str, points: int, at: datetime, available_at: datetime
) -> list[Telling]:
    """The member has earned points, if any; they may have to wait for them."""
    if not points:
        return []
    facts = {"order": order, "points": points, "available_at": later(available_at, at)}
    return [Telling(member_id=member_id, kind="points_earned", happened_at=at, facts=facts)]


def tier_changed(*, member_id: int, from_tier: Tier | None, to_tier: Tier, at: datetime) -> list[Telling]:
    """The member stands in another tier, if it has another name: however many steps, one message."""
    if from_tier is None or from_tier.name == to_tier.name:
        return []
    facts = {
        "tier": to_tier.name,
        "is_higher": to_tier.threshold_sum > from_tier.threshold_sum,
        "coefficient": str(to_tier.coefficient),
    }
    return [Telling(member_id=member_id, kind="tier_changed", happened_at=at, facts=facts)]
