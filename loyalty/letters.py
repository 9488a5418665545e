"""What letters about points and tiers say is read anew when they are sent."""

from datetime import datetime

from accounts.facts import english_key
from accounts.fresh_facts import FreshFacts
from accounts.models import Member, Message
from loyalty.queries.balance import balance
from loyalty.queries.rules import missing_sum, same_tier, scheduled, tier_for
from loyalty.queries.standing import in_force_and_standing, paid_sum_at, standing_card
from loyalty.services.telling import Why
from loyalty.services.tier_warnings import warned_until_at

Facts = dict[str, object]


def balance_now(message: Message, member: Member, at: datetime) -> Facts | None:
    """What the member has as the letter leaves."""
    return {"available_points": balance(account_id=member.pk, at=at).available_points}


def points_available(message: Message, member: Member, at: datetime) -> Facts | None:
    """What is left of the points that became available; None when they are spent already."""
    available_points = balance(account_id=member.pk, at=at).available_points
    points = min(int(message.facts["points"]), available_points)
    return {"points": points, "available_points": available_points} if points else None


def points_expire(message: Message, member: Member, at: datetime) -> Facts | None:
    """What of the points is still there, and has not expired; None when nothing is."""
    told = {expiry["expires_on"] for expiry in message.facts["expiries"]}
    now = balance(account_id=member.pk, at=at)
    left = [one for one in now.expiries if one.expires_on is not None and one.expires_on.isoformat() in told]
    if not left:
        return None
    return {
        "points": sum(one.points for one in left),
        "first_expires_on": left[0].expires_on,
        "expiries": [{"expires_on": one.expires_on, "points": one.points} for one in left],
        "available_points": now.available_points,
    }


def tier_at_risk(message: Message, member: Member, at: datetime) -> Facts | None:
    """Until when the tier holds, and what keeps it; None when the member keeps it, or has another one."""
    if message.facts["why"] == Why.RULES:
        return _falls_by_edition(message, member, at)
    card = standing_card(member, at)
    validity = card.validity
    if validity is None or card.tier.name != message.facts["tier"] or validity.until_at > warned_until_at(at):
        return None
    return {"until_at": validity.until_at, "to_keep_sum": validity.to_keep_sum}


def _falls_by_edition(message: Message, member: Member, at: datetime) -> Facts | None:
    edition = scheduled(at).filter(number=message.facts.get("edition")).first()
    live, standing = in_force_and_standing(member, at)
    if edition is None or standing is None:
        return None
    now = tier_for(live, paid_sum_at(standing, live, at), standing.floor_position)
    paid_sum = paid_sum_at(standing, edition, at)
    then = tier_for(edition, paid_sum, standing.floor_position)
    same = same_tier(edition, now)
    if now.name != message.facts["tier"] or (same is not None and then.position >= same.position):
        return None
    to_keep_sum = missing_sum(same, then, paid_sum)
    # What was told may have had another English name, or one where there is none now.
    to_tier = {english_key("to_tier"): "", **then.words("to_tier")}
    return {**to_tier, "until_at": edition.effective_at, "to_keep_sum": to_keep_sum}


FRESH_FACTS: dict[str, FreshFacts] = {
    "points_available": points_available,
    "points_expire": points_expire,
    "tier_at_risk": tier_at_risk,
    "transfer_sent": balance_now,
    "transfer_received": balance_now,
    "transfer_taken_back": balance_now,
    "statement": balance_now,
}
