# ruff: noqa: S608, since the queries are put together from our own words only
"""The two editions that are compared, as SQL reckons with them.

Sums are whole kopecks and rates whole hundredths of a per cent, so that a million orders are reckoned
with integers; what comes out is the same to the point as `loyalty.queries.rules` has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Any

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import (
    Succession,
    keeps_floors,
    paid_sum_since_at,
    redemption_cap_rate,
    successions,
    tiers_of,
)

# What the queries ask of both editions, by the names that stand in them.
Parameters = dict[str, Any]

KOPECKS = 100
RATE_PARTS = 10_000
PARTS_OF_POINT = KOPECKS * RATE_PARTS
# What is added to the parts of a point before they are cut off.
ROUNDING_PARTS = {
    RuleSet.Rounding.DOWN: 0,
    RuleSet.Rounding.HALF_UP: PARTS_OF_POINT // 2,
    RuleSet.Rounding.UP: PARTS_OF_POINT - 1,
}


@dataclass(frozen=True)
class Side:
    """One of the editions, under the name by which its parameters stand in a query."""

    name: str
    rule_set: RuleSet
    tiers: Sequence[Tier]

    @classmethod
    def of(cls, name: str, rule_set: RuleSet) -> "Side":
        """That edition or draft, with its tiers as they are at this moment."""
        return cls(name, rule_set, tiers_of(rule_set))

    def parameters(self, at: datetime) -> Parameters:
        """What the queries ask of this edition, each name beginning with the side's own."""
        rules = self.rule_set
        asked: Parameters = {
            "since_at": paid_sum_since_at(rules, at),
            "months": rules.paid_sum_months,
            "thresholds": [kopecks(tier.threshold_sum) for tier in self.tiers],
            "floors": [tier.position for tier in self.tiers] if keeps_floors(rules) else [],
            "coefficients": [rate_parts(tier.coefficient) for tier in self.tiers],
            "referral_rates": [rate_parts(tier.referral_rate) for tier in self.tiers],
            "cap_rates": [rate_parts(redemption_cap_rate(rules, tier)) for tier in self.tiers],
            "rounding": ROUNDING_PARTS[RuleSet.Rounding(rules.rounding)],
            "earns_on_points_part": rules.earns_on_points_part,
            "earns_on_delivery": rules.earns_on_delivery,
            "excluded": rules.excluded_categories,
            "crossing": rules.crossing_order_earns_new_tier,
            "minimum": rules.redemption_minimum_points,
            "referral_months": rules.referral_months,
            "referral_orders": rules.referral_orders,
            "referral_least": kopecks(rules.referral_least_sum),
            "referral_limit": rules.referral_month_limit_points,
        }
        return {f"{self.name}_{name}": value for name, value in asked.items()}

    def rates(self, place: int) -> tuple[Decimal, Decimal, Decimal]:
        """What a tier gives: for the member's orders, for their friends', and the cap of points."""
        tier = self.tiers[place - 1]
        return tier.coefficient, tier.referral_rate, redemption_cap_rate(self.rule_set, tier)

    @property
    def basis(self) -> tuple[bool, bool, frozenset[str]]:
        """What decides on which sum an order earns: the same for two editions, the same base sums."""
        rules = self.rule_set
        return rules.earns_on_points_part, rules.earns_on_delivery, frozenset(rules.excluded_categories)

    @property
    def has_excluded(self) -> bool:
        """Whether goods of some categories earn nothing."""
        return bool(self.rule_set.excluded_categories)

    @property
    def is_rolling(self) -> bool:
        """Whether only the orders of the last months decide the tier."""
        return self.rule_set.paid_sum_months is not None

    def paid_sum(self) -> str:
        """SQL for what decides a member's tier, out of their standing and what is `counted`; in kopecks."""
        counted = f"counted.paid_{self.name}, 0"
        if self.is_rolling:
            return f"coalesce({counted})"
        known = f"(standing.paid_sum * {KOPECKS})::bigint"
        return f"coalesce(case when standing.tier_id <> all(%(rolling_tiers)s) then {known} end, {counted})"

    def counted_sum(self) -> str:
        """SQL that adds up a member's entries of paid sums; in kopecks."""
        when = f" filter (where {self.counts()})" if self.is_rolling else ""
        return f"(sum(paid_sum){when} * {KOPECKS})::bigint"

    def counts(self) -> str:
        """SQL for whether an entry has to be counted: that of all time may be on the standing already."""
        if self.is_rolling:
            return f"counted_at > %({self.name}_since_at)s and counted_at <= %(at)s"
        return "member_id in (select member_id from loyalty_standing where tier_id = any(%(rolling_tiers)s))"

    def tier(self, paid: str, floor: str) -> str:
        """SQL for the place of the tier that a paid sum gives above a floor; the lowest is 1."""
        return (
            f"greatest(width_bucket({paid}, %({self.name}_thresholds)s::bigint[]),"
            f" width_bucket({floor}::integer, %({self.name}_floors)s::integer[]), 1)"
        )

    def of_tier(self, rates: str, tier: str) -> str:
        """SQL for the tier's rate: of `coefficients`, `referral_rates` or `cap_rates`."""
        return f"(%({self.name}_{rates})s::bigint[])[{tier}]"

    def points(self, base: str, rate: str) -> str:
        """SQL for the whole points of a sum, rounded as the edition says, once."""
        return f"(({base}) * ({rate}) + %({self.name}_rounding)s) / {PARTS_OF_POINT}"

    def base(self, *, after_refunds: bool = True) -> str:
        """SQL for what an order (`orders_order` as o) earns on, in kopecks.

        The same sum as `orders.queries.figures.figures` has. Points pay for the goods first, so only
        one of goods and delivery is paid in part by money.
        """
        goods = "(o.total_sum - o.delivery_sum)"
        earning_goods, delivery = goods, "o.delivery_sum"
        if after_refunds:
            earning_goods = f"({goods} - o.refunded_sum + o.refunded_delivery_sum)"
            delivery = "(o.delivery_sum - o.refunded_delivery_sum)"
        if self.has_excluded:
            sums = f"{self.name}_{'left' if after_refunds else 'paid'}"
            earning_goods = f"({earning_goods} - coalesce(excluded.{sums}, 0))"
        whole = earning_goods
        if self.rule_set.earns_on_delivery:
            whole = f"({earning_goods} + {delivery})"
        if self.rule_set.earns_on_points_part:
            return f"({whole} * {KOPECKS})::bigint"
        by_goods = _share(earning_goods, f"({goods} - o.spent_points)", goods)
        by_delivery = "0"
        if self.rule_set.earns_on_delivery:
            by_goods += f" + {delivery}"
            by_delivery = _share(delivery, "(o.total_sum - o.spent_points)", "o.delivery_sum")
        return (
            f"((case when o.spent_points = 0 then {whole} when o.spent_points <= {goods} then {by_goods}"
            f" else {by_delivery} end) * {KOPECKS})::bigint"
        )


@dataclass(frozen=True)
class Sides:
    """The edition in force (`now`) and the draft (`then`), whose tiers are counted from 1, the lowest.

    `become` says what members see each tier of now as, then.
    """

    now: Side
    then: Side
    become: Sequence[Succession]

    @classmethod
    def of(cls, *, live: RuleSet, draft: RuleSet) -> "Sides":
        """Both editions, with their tiers as they are at this moment."""
        now, then = Side.of("now", live), Side.of("then", draft)
        become = successions(now.tiers, then.tiers)
        return cls(now, then, [become[tier.name] for tier in now.tiers])

    def parameters(self, at: datetime) -> Parameters:
        """What the queries ask of both editions at that moment."""
        rolling = Tier.objects.filter(rule_set__number__isnull=False, rule_set__paid_sum_months__isnull=False)
        return {
            "at": at,
            "rolling_tiers": list(rolling.values_list("pk", flat=True)),
            **self.now.parameters(at),
            **self.then.parameters(at),
        }

    def ways(self) -> Iterator[tuple[int, int]]:
        """Every pair of a tier now and a tier then."""
        return product(range(1, len(self.now.tiers) + 1), range(1, len(self.then.tiers) + 1))

    def is_worse(self, from_: int, to: int) -> bool:
        """Whether any rate of the tier then is lower than that of the tier now, whatever they are called."""
        now, then = self.now.rates(from_), self.then.rates(to)
        return any(after < before for before, after in zip(now, then, strict=True))

    def direction(self, from_: int, to: int) -> int:
        """1 for a rise, -1 for a fall, 0 for the tier that is the same to the members."""
        become, reached = self.become[from_ - 1], self.then.tiers[to - 1]
        if become.same == reached:
            return 0
        return 1 if reached.position >= become.rises_from else -1


# Instead of a half, all members are asked about.
EVERYBODY: Parameters = {"halves": 1, "other_half": -1}


def of_half(member: str) -> str:
    """SQL for whether that member is of the half that is worked on.

    It says which half they are not of: PostgreSQL takes an equation for something rare, and would plan
    for a few members.
    """
    return f"mod({member}, %(halves)s) <> %(other_half)s"


def excluded_join(*sides: Side) -> str:
    """SQL that joins what of an order earns nothing under each side, as `excluded`; empty where all does."""
    given = [side for side in sides if side.has_excluded]
    if not given:
        return ""
    names = {side.name: f"category = any(%({side.name}_excluded)s)" for side in given}
    sums = ", ".join(
        f"sum(line_sum - refunded_sum) filter (where {found}) as {name}_left,"
        f" sum(line_sum) filter (where {found}) as {name}_paid"
        for name, found in names.items()
    )
    found = " or ".join(names.values())
    return f"""
        left join (select order_id, {sums} from orders_orderline where {found} group by order_id) as excluded
               on excluded.order_id = o.id"""


def kopecks(sum_: Decimal) -> int:
    """A sum of money in whole kopecks; sums have no more than two decimals."""
    return int(sum_ * KOPECKS)


def rate_parts(rate: Decimal) -> int:
    """A share in whole hundredths of a per cent; rates have no more than four decimals."""
    return int(rate * RATE_PARTS)


def _share(part: str, money: str, whole: str) -> str:
    """SQL for the share of a part that money paid, to more digits than two such shares can be apart."""
    return f"round(({part} * {money})::numeric(60, 20) / {whole}, 2)"
