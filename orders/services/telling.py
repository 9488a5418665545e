"""What members are told of an order: worded in `templates/messages`, kept with the order."""

from collections.abc import Sequence
from datetime import datetime

from accounts.services.messages import Telling
from loyalty.services.telling import with_tier
from referrals.services.telling import later


def order_paid(
    *,
    member_id: int,
    order: str,
    earned_points: int,
    spent_points: int,
    at: datetime,
    available_at: datetime,
    tier: Sequence[Telling],
) -> list[Telling]:
    """The member has earned points, or paid with some: one message for both, with the tier it brought.

    `tier` is what is told of the tier alone, where no points moved. Points may have to be waited for.
    """
    if not earned_points and not spent_points:
        return list(tier)
    facts: dict[str, object] = {"order": order, "points": earned_points or spent_points}
    if earned_points:
        facts |= {"spent_points": spent_points, "available_at": later(available_at, at)}
    return [_told("points_earned" if earned_points else "points_spent", member_id, at, facts, tier)]


def order_returned(
    *,
    member_id: int,
    order: str,
    given_back_points: int,
    taken_back_points: int,
    at: datetime,
    tier: Sequence[Telling],
) -> list[Telling]:
    """A return has given spent points back, or taken earned ones: one message, with the tier it took."""
    if not given_back_points and not taken_back_points:
        return list(tier)
    facts: dict[str, object] = {
        "order": order,
        "given_back_points": given_back_points,
        "taken_back_points": taken_back_points,
    }
    return [_told("points_returned", member_id, at, facts, tier)]


def _told(
    kind: str, member_id: int, at: datetime, facts: dict[str, object], tier: Sequence[Telling]
) -> Telling:
    telling = Telling(member_id=member_id, kind=kind, happened_at=at, facts=facts)
    return with_tier(telling, tier)
