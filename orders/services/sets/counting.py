"""What paid orders do to standings and points, worked out in memory, order by order.

The same decisions as `count_paid_sum`, `earn` and `standing_of` make for one order: tests send
orders both ways and compare everything. What differs is only that a standing is read once.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from orders.models import Order, OrderLine
from orders.queries.figures import Figures, LineSpec, figures
from orders.services.sets.purchase import Purchase


class RulesChanged(Exception):
    """A standing has been reached by newer rules than the orders are counted by."""


Entries = list[tuple[datetime, Decimal]]
# What an order has not lost to refunds yet, as the database writes it.
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Change:
    """A row of TierChange; `is_by_order` when an order of the person's own brought it.

    `paid_sum` is what counts towards the tier then.
    """

    person: int
    from_tier: Tier | None
    to_tier: Tier
    paid_sum: Decimal
    rule_set: RuleSet
    cause: TierChange.Cause
    is_by_order: bool


@dataclass(slots=True)
class Place:
    """Where a person stands while their orders are counted, and which tier that was before.

    `is_moved` once it has to be written, `is_counted` once tier and sum are those of the edition.
    `window` holds what counts towards a rolling period, oldest first; `later` the known entries
    that are yet to come, the next one last. Where `newer_rules` have reached the standing, tier and
    sum stay theirs. `entries` are all there are, kept where several editions may need them.
    """

    person: int
    tier: Tier
    paid_sum: Decimal
    since_at: datetime
    from_tier: Tier | None = None
    floor_position: int | None = None
    is_new: bool = True
    is_moved: bool = False
    is_counted: bool = False
    window: deque[tuple[datetime, Decimal]] = field(default_factory=deque)
    later: Entries = field(default_factory=list)
    window_sum: Decimal = Decimal(0)
    newer_rules: RuleSet | None = None
    entries: Entries = field(default_factory=list)

    def change(self, rule_set: RuleSet, cause: TierChange.Cause, *, is_by_order: bool) -> Change:
        """The step from the tier before to this one."""
        return Change(self.person, self.from_tier, self.tier, self.paid_sum, rule_set, cause, is_by_order)


@dataclass(frozen=True, slots=True)
class Counted:
    """What follows from an order for its member, and each change of a tier on the way."""

    rule_set: RuleSet
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
    """Counts orders of many people by one edition; each person's in the order of time.

    With `is_one_of_several` people may stand in a tier of newer rules, or come from the counter of
    another edition.
    """

    def __init__(self, rule_set: RuleSet, *, is_one_of_several: bool = False) -> None:
        self.rule_set = rule_set
        self.is_one_of_several = is_one_of_several
        self.is_rolling = rule_set.paid_sum_months is not None
        self.lowest = tier_for(rule_set, Decimal(0))
        self.places: dict[int, Place] = {}
        # Made once, since a model's instance costs more than all that is counted with it.
        self.order = Order()
        # Most orders of a file share their days with many others.
        self.available_at = lru_cache(maxsize=1_000)(self._available_at)
        self.expires_on = lru_cache(maxsize=1_000)(self._expires_on)

    def load(self, member_ids: Iterable[int], *, with_entries: bool = False) -> None:
        """Read where these members stand; those without a standing begin with their first order.

        Raises:
            RulesChanged: one of them stands in a tier of newer rules, and no others were expected.
        """
        standings = list(
            Standing.objects.select_related("tier__rule_set").filter(
                member_id__in=[member_id for member_id in member_ids if member_id not in self.places]
            )
        )
        entries = _entries_of(
            [
                standing.pk
                for standing in standings
                if with_entries or self.is_rolling or standing.tier.rule_set.paid_sum_months is not None
            ]
        )
        for standing in standings:
            place = Place(
                person=standing.pk,
                tier=standing.tier,
                paid_sum=standing.paid_sum,
                since_at=standing.since_at,
                floor_position=standing.floor_position,
                is_new=False,
            )
            self._take(place, entries.get(standing.pk, []))

    def take_over(self, place: Place) -> None:
        """Go on with a person whose orders so far were counted by another edition."""
        self._take(replace(place, is_counted=False), sorted(place.entries, reverse=True))

    def count(self, purchase: Purchase) -> Counted:
        """Count one order of a person: the tier moves, and points are earned."""
        if purchase.person is None:
            raise ValueError(f"Order {purchase.number} is nobody's, and counts for nobody.")
        changes: list[Change] = []
        place = self._begun(purchase.person, purchase.paid_at, changes)
        self.order.total_sum, self.order.delivery_sum = purchase.total_sum, purchase.delivery_sum
        sums = figures(self.order, self._excluded(purchase.lines), self.rule_set)
        if place.newer_rules is None:
            tier = self._count(place, purchase.paid_at, sums.money_sum, changes)
        else:
            tier = self._count_late(place, place.newer_rules, purchase.paid_at, sums.money_sum, changes)
        return Counted(
            rule_set=self.rule_set,
            tier=tier,
            sums=sums,
            points=points_for(self.rule_set, sums.base_sum, tier.coefficient),
            changes=changes,
        )

    def tier_of(self, person: int, at: datetime, changes: list[Change]) -> Tier:
        """The person's tier by this edition at `at`; what the time has changed is added to `changes`.

        Where newer rules have reached the standing, it stays as it is.
        """
        place = self._begun(person, at, changes)
        if place.newer_rules is not None:
            paid_sum = self._sum_beside(place, place.newer_rules, at)
            return tier_for(self.rule_set, paid_sum, place.floor_position)
        paid_sum = self._sum_before(place, at)
        tier = tier_for(self.rule_set, paid_sum, place.floor_position)
        if self._move(place, at, paid_sum, tier):
            changes.append(place.change(self.rule_set, TierChange.Cause.RECOUNT, is_by_order=False))
        return tier

    def tiers(self) -> dict[int, Tier]:
        """The tier of each person whose orders were counted so far."""
        return {person: place.tier for person, place in self.places.items()}

    def _count(self, place: Place, at: datetime, money_sum: Decimal, changes: list[Change]) -> Tier:
        """Move the tier by an order; what comes back is the tier at which it earns."""
        before_sum = self._sum_before(place, at)
        after_sum = before_sum + money_sum
        if self.is_rolling:
            place.window.append((at, money_sum))
            place.window_sum = after_sum
        if self.is_one_of_several:
            place.entries.append((at, money_sum))
        # The order before has found the tier of this sum already.
        is_found = place.is_counted and before_sum == place.paid_sum
        tier_before = place.tier if is_found else tier_for(self.rule_set, before_sum, place.floor_position)
        tier_after = tier_for(self.rule_set, after_sum, place.floor_position)
        if self._move(place, at, after_sum, tier_after):
            changes.append(place.change(self.rule_set, _cause(tier_before, tier_after), is_by_order=True))
        return tier_after if self.rule_set.crossing_order_earns_new_tier else tier_before

    def _count_late(
        self, place: Place, newer: RuleSet, at: datetime, money_sum: Decimal, changes: list[Change]
    ) -> Tier:
        """As `_count`, for a standing that stays with newer rules; the order earns by its own edition's."""
        before_sum = self._sum_beside(place, newer, at)
        place.entries.append((at, money_sum))
        tier_before = tier_for(self.rule_set, before_sum, place.floor_position)
        tier_after = tier_for(self.rule_set, before_sum + money_sum, place.floor_position)
        if newer.paid_sum_months is None:
            paid_sum = place.paid_sum + money_sum
        else:
            paid_sum = _sum_of(place.entries, newer, max(at, newer.effective_at or at))
        if self._move(place, at, paid_sum, tier_for(newer, paid_sum, place.floor_position)):
            changes.append(place.change(newer, _cause(tier_before, tier_after), is_by_order=True))
        return tier_after if self.rule_set.crossing_order_earns_new_tier else tier_before

    def _move(self, place: Place, at: datetime, paid_sum: Decimal, tier: Tier) -> bool:
        """Keep the sum and the tier; returns whether it is another tier to the person."""
        is_of_edition = place.is_counted or place.newer_rules is not None
        stood_in = place.tier if is_of_edition else same_tier(self.rule_set, place.tier)
        place.from_tier = place.tier
        place.is_moved = place.is_counted = True
        place.paid_sum = paid_sum
        place.tier = tier
        if stood_in == tier:
            return False
        place.since_at = at
        return True

    def _begun(self, person: int, at: datetime, changes: list[Change]) -> Place:
        place = self.places.get(person)
        if place is None:
            place = Place(person=person, tier=self.lowest, paid_sum=Decimal(0), since_at=at)
            self.places[person] = place
            changes.append(place.change(self.rule_set, TierChange.Cause.JOINED, is_by_order=False))
        return place

    def _take(self, place: Place, entries: Entries) -> None:
        """Begin with a place that other rules have given; `entries` are the latest first."""
        edition = place.tier.rule_set
        place.newer_rules, place.later, place.window_sum = None, [], Decimal(0)
        place.window.clear()
        place.entries = list(entries) if self.is_one_of_several else []
        if (edition.number or 0) > (self.rule_set.number or 0):
            if not self.is_one_of_several:
                raise RulesChanged
            place.newer_rules = edition
        elif self.is_rolling:
            place.later = entries
        elif edition.paid_sum_months is not None:
            # The sum of a rolling period is not that of all time.
            place.paid_sum = _total(entries)
        self.places[place.person] = place

    def _excluded(self, lines: Sequence[LineSpec]) -> Collection[OrderLine]:
        """The lines that earn nothing: no others make a difference to the sums."""
        categories = self.rule_set.excluded_categories
        if not categories:
            return ()
        return [
            OrderLine(category=line.category, line_sum=line.line_sum, refunded_sum=NOTHING)
            for line in lines
            if line.category in categories
        ]

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

    def _sum_beside(self, place: Place, newer: RuleSet, at: datetime) -> Decimal:
        """The sum that this edition decides by, where the standing has that of newer rules."""
        if self.is_rolling or newer.paid_sum_months is not None:
            return _sum_of(place.entries, self.rule_set, at)
        return place.paid_sum

    def _available_at(self, at: datetime) -> datetime:
        return available_at(self.rule_set, at)

    def _expires_on(self, at: datetime) -> date | None:
        return expires_on(self.rule_set, at)


def _cause(tier_before: Tier, tier_after: Tier) -> TierChange.Cause:
    """Where the order moved nothing, a change is owed to new rules or to the time that has passed."""
    return TierChange.Cause.ORDER if tier_before != tier_after else TierChange.Cause.RECOUNT


def _entries_of(member_ids: Sequence[int]) -> dict[int, Entries]:
    """What was counted for these members so far, the latest first."""
    entries: dict[int, Entries] = {member_id: [] for member_id in member_ids}
    if member_ids:
        rows = PaidSumEntry.objects.filter(member_id__in=member_ids).order_by("-counted_at", "-pk")
        for member_id, counted_at, paid_sum in rows.values_list("member_id", "counted_at", "paid_sum"):
            entries[member_id].append((counted_at, paid_sum))
    return entries


def _sum_of(entries: Entries, rule_set: RuleSet, at: datetime) -> Decimal:
    """The sum that decides a tier at `at` by the rules of an edition."""
    since_at = paid_sum_since_at(rule_set, at)
    if since_at is None:
        return _total(entries)
    return _total(entry for entry in entries if since_at < entry[0] <= at)


def _total(entries: Iterable[tuple[datetime, Decimal]]) -> Decimal:
    return sum((paid_sum for _counted_at, paid_sum in entries), Decimal(0))
