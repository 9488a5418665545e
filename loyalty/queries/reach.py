"""What a member's points can pay for."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import redemption_cap_rate


@dataclass(frozen=True)
class Reach:
    """Up to which share of an order points pay, and from which sum on an order takes them all.

    `takes_all_sum` is in whole units of the currency, None where no order takes any. `missing_points`
    is how many more there must be before any may be spent.
    """

    cap_rate: Decimal
    takes_all_sum: Decimal | None
    minimum_points: int
    missing_points: int


def reach(*, available_points: int, rule_set: RuleSet, tier: Tier) -> Reach:
    """What so many points reach in that tier under that edition; no query."""
    cap_rate = redemption_cap_rate(rule_set, tier)
    return Reach(
        cap_rate=cap_rate,
        takes_all_sum=(available_points / cap_rate).to_integral_value(rounding=ROUND_CEILING)
        if cap_rate
        else None,
        minimum_points=rule_set.redemption_minimum_points,
        missing_points=max(rule_set.redemption_minimum_points - available_points, 0),
    )
