"""What members are told of their tier: worded in `templates/messages`, kept with what moved it."""

from datetime import datetime

from accounts.services.messages import Telling
from loyalty.models import Tier
from loyalty.queries.rules import succession


def tier_changed(*, member_id: int, from_tier: Tier | None, to_tier: Tier, at: datetime) -> list[Telling]:
    """The member stands in another tier, if it has another name: however many steps, one message."""
    if from_tier is None or from_tier.name == to_tier.name:
        return []
    facts = {
        "tier": to_tier.name,
        "is_higher": to_tier.position >= succession(to_tier.rule_set, from_tier).rises_from,
        "coefficient": str(to_tier.coefficient),
    }
    return [Telling(member_id=member_id, kind="tier_changed", happened_at=at, facts=facts)]
