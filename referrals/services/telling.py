"""What members are told of what an invitation brought: worded in `templates/messages`."""

from datetime import UTC, datetime

from accounts.models import Member
from accounts.services.messages import Telling
from referrals.models import Referral, Reward


def share_earned(share: Reward | None, *, friend: Member) -> list[Telling]:
    """The inviter has got a share, if so; of the friend they read a first name and an initial."""
    if share is None:
        return []
    facts = {"friend": friend.masked_name, **_brought(share)}
    inviter_id = share.referral.inviter_id
    return [Telling(member_id=inviter_id, kind="share_earned", happened_at=share.rewarded_at, facts=facts)]


def welcome_given(welcome: Reward | None, *, friend: Member) -> list[Telling]:
    """The friend has got welcome points, if so."""
    if welcome is None:
        return []
    facts = _brought(welcome)
    return [Telling(member_id=friend.pk, kind="welcome_points", happened_at=welcome.rewarded_at, facts=facts)]


def inviter_noted(referral: Referral, *, at: datetime) -> list[Telling]:
    """Staff have noted who invited somebody: both read it, and can say that it is not so."""
    told: list[tuple[int, dict[str, object]]] = [
        (referral.invited_id, {"inviter": referral.inviter.masked_name}),
        (referral.inviter_id, {"friend": referral.invited.masked_name}),
    ]
    return [
        Telling(member_id=reader_id, kind="inviter_noted", happened_at=at, facts=facts, wants_letter=True)
        for reader_id, facts in told
    ]


def later(available_at: datetime, at: datetime) -> str | None:
    """The moment as a message keeps it; None when it is no later than `at`."""
    return available_at.astimezone(UTC).isoformat() if available_at > at else None


def _brought(reward: Reward) -> dict[str, object]:
    """The points of a reward; without a moment they are there at once, or are checked first."""
    until = None if reward.is_held else later(reward.available_at, reward.rewarded_at)
    return {"points": reward.points, "available_at": until, "is_held": reward.is_held}
