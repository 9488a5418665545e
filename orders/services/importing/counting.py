"""What paid orders do to standings and points, worked out in memory, order by order.

The same decisions as `count_paid_sum` and `earn` make for one order: a test imports a file both
ways and compares everything. What differs is only that a member's standing is read once.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from loyalty.models import PaidSumEntry, RuleSet, Standing, Tier, TierChange
from loyalty.queries.rules import (
    available_at,
    expires_on,
    paid_sum_since_at,
    points_for,
    same_tier,
    tier_for,
)
from loyalty.queries.standing import paid_sum_at
from orders.models import Order
from orders.queries.figures import Figures, figures
from orders.services.importing.staging import StagedOrder


class RulesChanged(Exception):
    """A standing has been reached by newer rules than the orders are counted by."""


@dataclass(slots=True)
class Place:
    """Where a person stands while their orders are counted.

    `is_counted` once an order has been: then tier and sum are those of the edition. `window` holds
    what counts towards a rolling period, oldest first; `later` the known entries that are yet to
    come, the next one last.
    """

    tier: Tier
    paid_sum: Decimal
    since_at: datetime
    floor_position: int | None = None
    is_new: bool = True
    is_counted: bool = False
    window: deque[tuple[datetime, Decimal]] = field(default_factory=deque)
    later: list[tuple[datetime, Decimal]] = field(default_factory=list)
    window_sum: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Change:
    """A row of TierChange."""

    from_tier: Tier | None
    to_tier: Tier
    cause: TierChange.Cause
    is_by_order: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """An order with everything that follows from it."""

    order: StagedOrder
    tier: Tier
    sums: Figures
    points: int
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some orders came to: the points they earned their members, and everybody's tier after them."""

    points: int
    tiers: Mapping[int, Tier]


class Counter:
    """Counts orders of many people by one edition; each person's in the order of time."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        self.is_rolling = rule_set.paid_sum_months is not None
        self.lowest = tier_for(rule_set, Decimal(0))
        self.places: dict[int, Place] = {}
        # Made once, since a model's instance costs more than all that is counted with it.
        self.order = Order()
        # Most orders of a file share their days with many others.
        self.available_at = lru_cache(maxsize=1_000)(self._available_at)
        self.expires_on = lru_cache(maxsize=1_000)(self._expires_on)

    def load(self, member_ids: Iterable[int]) -> None:
        """Read where these members stand; those without a standing begin with their first order.

        Raises:
            RulesChanged: one of them stands in a tier of newer rules.
        """
        standings = Standing.objects.select_related("tier__rule_set").filter(
            member_id__in=[member_id for member_id in member_ids if member_id not in self.places]
        )
        for standing in standings:
            if (standing.tier.rule_set.number or 0) > (self.rule_set.number or 0):
                raise RulesChanged
            place = Place(
                tier=standing.tier,
                paid_sum=standing.paid_sum if self.is_rolling else self._all_time_sum(standing),
                since_at=standing.since_at,
                floor_position=standing.floor_position,
                is_new=False,
            )
            self.places[standing.pk] = place
        if self.is_rolling:
            entries = PaidSumEntry.objects.filter(member_id__in=[standing.pk for standing in standings])
            for member_id, counted_at, paid_sum in entries.order_by("-counted_at", "-pk").values_list(
                "member_id", "counted_at", "paid_sum"
            ):
                self.places[member_id].later.append((counted_at, paid_sum))

    def count(self, staged: StagedOrder) -> Counted:
        """Count one order of a person: the tier moves, and points are earned."""
        changes: list[Change] = []
        place = self.places.get(staged.person)
        if place is None:
            place = Place(tier=self.lowest, paid_sum=Decimal(0), since_at=staged.paid_at)
            self.places[staged.person] = place
            changes.append(Change(None, self.lowest, TierChange.Cause.JOINED, is_by_order=False))
        self.order.total_sum, self.order.delivery_sum = staged.total_sum, staged.delivery_sum
        sums = figures(self.order, (), self.rule_set)
        before_sum = self._sum_before(place, staged.paid_at)
        after_sum = before_sum + sums.money_sum
        if self.is_rolling:
            place.window.append((staged.paid_at, sums.money_sum))
            place.window_sum = after_sum
        # The order before has found the tier of this sum already.
        is_found = place.is_counted and before_sum == place.paid_sum
        tier_before = place.tier if is_found else tier_for(self.rule_set, before_sum, place.floor_position)
        tier_after = tier_for(self.rule_set, after_sum, place.floor_position)
        stood_in = place.tier if place.is_counted else same_tier(self.rule_set, place.tier)
        if stood_in != tier_after:
            is_moved_by_order = tier_before != tier_after
            cause = TierChange.Cause.ORDER if is_moved_by_order else TierChange.Cause.RECOUNT
            changes.append(Change(place.tier, tier_after, cause, is_by_order=True))
            place.since_at = staged.paid_at
        place.is_counted = True
        place.paid_sum = after_sum
        place.tier = tier_after
        tier = tier_after if self.rule_set.crossing_order_earns_new_tier else tier_before
        return Counted(
            order=staged,
            tier=tier,
            sums=sums,
            points=points_for(self.rule_set, sums.base_sum, tier.coefficient),
            changes=changes,
        )

    def tiers(self) -> dict[int, Tier]:
        """The tier of each person whose orders were counted so far."""
        return {person: place.tier for person, place in self.places.items()}

    def _all_time_sum(self, standing: Standing) -> Decimal:
        return paid_sum_at(standing, self.rule_set, standing.since_at)

    def _sum_before(self, place: Place, at: datetime) -> Decimal:
        if not self.is_rolling:
            return place.paid_sum
        since_at = paid_sum_since_at(self.rule_set, at)
        while place.later and place.later[-1][0] <= at:
            place.window.append(place.later.pop())
            place.window_sum += place.window[-1][1]
        while place.window and since_at is not None and place.window[0][0] <= since_at:
            place.window_sum -= place.window.popleft()[1]
        return place.window_sum

    def _available_at(self, at: datetime) -> datetime:
        return available_at(self.rule_set, at)

    def _expires_on(self, at: datetime) -> date | None:
        return expires_on(self.rule_set, at)
