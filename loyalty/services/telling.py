"""What members are told of their tier: worded in `templates/messages`, kept with what moved it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from accounts.services.messages import Telling
from loyalty.models import Tier, TierChange
from loyalty.queries.rules import missing_sum, same_tier, succession


class Why(StrEnum):
    """Why a tier is another one, or is about to be."""

    ORDER = "order"
    RETURN = "return"
    TIME = "time"
    RULES = "rules"
    BY_HAND = "by_hand"


def tier_changed(
    *,
    member_id: int,
    from_tier: Tier | None,
    to_tier: Tier,
    cause: str,
    paid_sum: Decimal,
    at: datetime,
) -> list[Telling]:
    """The member stands in another tier, if it has another name: however many steps, one message.

    `cause` is that of the row of TierChange, `paid_sum` what counts towards the tier now.
    """
    if from_tier is None or from_tier.name == to_tier.name:
        return []
    missing = missing_sum(same_tier(to_tier.rule_set, from_tier), to_tier, paid_sum)
    facts: dict[str, object] = {
        **to_tier.words(),
        "is_higher": to_tier.position >= succession(to_tier.rule_set, from_tier).rises_from,
        "coefficient": str(to_tier.coefficient),
        "why": why(cause, from_tier=from_tier, to_tier=to_tier),
        **from_tier.words("from_tier"),
        "missing_sum": None if missing is None else f"{missing:.2f}",
    }
    return [
        Telling(
            member_id=member_id,
            kind="tier_changed",
            happened_at=at,
            facts=facts,
        )
    ]


def told_of_change(change: TierChange | None, *, paid_sum: Decimal, at: datetime) -> list[Telling]:
    """The same of a row of TierChange, if there is one."""
    if change is None:
        return []
    return tier_changed(
        member_id=change.member_id,
        from_tier=change.from_tier,
        to_tier=change.to_tier,
        cause=change.cause,
        paid_sum=paid_sum,
        at=at,
    )


def with_tier(telling: Telling, tier: Sequence[Telling]) -> Telling:
    """The telling that also says which tier the same step brought, if it did."""
    facts = {name: fact for told in tier for name, fact in told.facts.items()}
    return Telling(**{**vars(telling), "facts": telling.facts | facts})


def why(cause: str, *, from_tier: Tier, to_tier: Tier) -> Why:
    """The same for people: a recount is owed to new rules, or to the time that has passed."""
    match cause:
        case TierChange.Cause.ORDER:
            return Why.ORDER
        case TierChange.Cause.REFUND:
            return Why.RETURN
        case TierChange.Cause.BY_HAND:
            return Why.BY_HAND
    return Why.TIME if from_tier.rule_set_id == to_tier.rule_set_id else Why.RULES
