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
    return [
        Telling(
            member_id=inviter_id,
            kind="share_earned",
            happened_at=share.rewarded_at,
            facts=facts,
        )
    ]


def welcome_given(welcome: Reward | None, *, friend: Member) -> list[Telling]:
    """The friend has got welcome points, if so."""
    if welcome is None:
        return []
    return [
        Telling(
            member_id=friend.pk,
            kind="welcome_points",
            happened_at=welcome.rewarded_at,
            facts=_brought(welcome),
        )
    ]


def reward_taken_back(reward: Reward, *, points: int, at: datetime) -> list[Telling]:
    """What an order or an invitation had brought is gone, or so many points of it: whoever had it is told.

    The inviter reads neither what the friend bought nor what was returned of it.
    """
    is_share = reward.kind == Reward.Kind.SHARE
    referral = reward.referral
    facts = {
        "points": points,
        "is_welcome": not is_share,
        "friend": referral.invited.masked_name if is_share else "",
        "why": reward.taken_back_for,
    }
    return [
        Telling(
            member_id=referral.inviter_id if is_share else referral.invited_id,
            kind="share_taken_back",
            happened_at=at,
            facts=facts,
        )
    ]


def friend_joined(referral: Referral, *, at: datetime) -> list[Telling]:
    """Somebody has signed up by the inviter's link."""
    return [
        Telling(
            member_id=referral.inviter_id,
            kind="friend_joined",
            happened_at=at,
            facts={"friend": referral.invited.masked_name},
        )
    ]


def inviter_noted(referral: Referral, *, at: datetime) -> list[Telling]:
    """Staff have noted who invited somebody: both read it, and can say that it is not so."""
    told: list[tuple[int, dict[str, object]]] = [
        (referral.invited_id, {"inviter": referral.inviter.masked_name}),
        (referral.inviter_id, {"friend": referral.invited.masked_name}),
    ]
    return [
        Telling(member_id=reader_id, kind="inviter_noted", happened_at=at, facts=facts)
        for reader_id, facts in told
    ]


def later(available_at: datetime, at: datetime) -> str | None:
    """The moment as a message keeps it; None when it is no later than `at`."""
    return available_at.astimezone(UTC).isoformat() if available_at > at else None


def _brought(reward: Reward) -> dict[str, object]:
    """The points of a reward; without a moment they are there at once, or are checked first."""
    until = None if reward.is_held else later(reward.available_at, reward.rewarded_at)
    return {"points": reward.points, "available_at": until, "is_held": reward.is_held}
