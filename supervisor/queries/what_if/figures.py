"""What a what-if says, in figures that can be kept as JSON and read again."""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

# A month of a pace: the twelfth part of a year, leap years included.
DAYS_OF_MONTH = Decimal("365.25") / 12


@dataclass(frozen=True)
class TierLine:
    """One tier in both editions: None on the side where there is no such tier.

    Two tiers stand in one line if members see them as the same (`loyalty.queries.rules.same_tier`).
    `position` is the line's place in the table, the lowest tier first.
    """

    name_now: str | None
    name_then: str | None
    position: int
    threshold_now: Decimal | None
    threshold_then: Decimal | None
    coefficient_now: Decimal | None
    coefficient_then: Decimal | None
    members_now: int
    members_then: int

    @property
    def change(self) -> int:
        """How many members more the tier has then."""
        return self.members_then - self.members_now


@dataclass(frozen=True)
class Move:
    """How many members go from a tier of the edition in force to one of the draft.

    `direction` is 1 for a rise, -1 for a fall and 0 where it is the same tier to the members.
    """

    from_name: str
    to_name: str
    members: int
    direction: int


@dataclass(frozen=True)
class FloorLine:
    """A tier set by hand, kept by its place, that would be another tier then; for so many members."""

    name_now: str
    name_then: str
    members: int


@dataclass(frozen=True)
class Pace:
    """Points a month at the pace of the last `days` days, under both editions.

    `counted_days` is less than `days` where the first paid order is younger. `orders` are all that
    were paid in these days and not returned whole.
    """

    days: int
    counted_days: int
    orders: int
    earned_now: int
    earned_then: int
    shared_now: int
    shared_then: int

    @property
    def is_short(self) -> bool:
        """Whether there are fewer days of orders than the pace is named after."""
        return self.counted_days < self.days

    @property
    def now(self) -> int:
        """Earned points and inviters' shares together under the edition in force."""
        return self.earned_now + self.shared_now

    @property
    def then(self) -> int:
        """Earned points and inviters' shares together under the draft."""
        return self.earned_then + self.shared_then

    @property
    def change(self) -> int:
        """How many points a month more there would be."""
        return self.then - self.now


@dataclass(frozen=True)
class CapEffect:
    """What the cap and the minimum of each edition would have refused of points really spent.

    `orders_*` of `orders` that were paid with points would have taken fewer of them: together by
    `refused_points_*`.
    """

    days: int
    orders: int
    orders_now: int
    orders_then: int
    refused_points_now: int
    refused_points_then: int


@dataclass(frozen=True)
class Example:
    """A member whose tier changes; whoever shows it reads the name by the id."""

    member_id: int
    from_name: str
    to_name: str
    paid_sum: Decimal


@dataclass(frozen=True)
class WhatIf:
    """What a draft would do to the members there are, at `data_at`.

    `matrix` has every pair of tiers, zeros included; its members add up to `members`, and so do
    `rising`, `falling` and `staying`. `worse_off` counts members with a rate that is lower then, be it by
    a tier of the same name. `floors_kept` counts members whom a tier set by hand holds
    above what their paid sum gives them then; `floors` says which tiers set by hand become others.
    """

    data_at: datetime
    members: int
    tiers: list[TierLine]
    matrix: list[Move]
    rising: int
    falling: int
    staying: int
    worse_off: int
    rising_examples: list[Example]
    falling_examples: list[Example]
    paces: list[Pace]
    caps: list[CapEffect]
    outstanding_points: int
    outstanding_worth_sum: Decimal
    floors_kept: int
    floors: list[FloorLine] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON can keep them."""
        return _plain(asdict(self))

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The figures that `to_json` gave."""
        return cls(
            **{
                **kept,
                "data_at": datetime.fromisoformat(kept["data_at"]),
                "tiers": [TierLine(**_decimals(line, TIER_SUMS)) for line in kept["tiers"]],
                "matrix": [Move(**move) for move in kept["matrix"]],
                "rising_examples": _examples(kept["rising_examples"]),
                "falling_examples": _examples(kept["falling_examples"]),
                "paces": [Pace(**pace) for pace in kept["paces"]],
                "caps": [CapEffect(**cap) for cap in kept["caps"]],
                "outstanding_worth_sum": Decimal(kept["outstanding_worth_sum"]),
                "floors": [FloorLine(**line) for line in kept.get("floors", [])],
            }
        )


@dataclass(frozen=True)
class HistoryMonth:
    """Points of the orders paid in one calendar month; `month` is its first day."""

    month: date
    orders: int
    earned_really: int
    earned_replayed: int
    shared_really: int
    shared_replayed: int

    @property
    def really(self) -> int:
        """Earned points and inviters' shares together, as they were."""
        return self.earned_really + self.shared_really

    @property
    def replayed(self) -> int:
        """Earned points and inviters' shares together, as they would have been."""
        return self.earned_replayed + self.shared_replayed


@dataclass(frozen=True)
class History:
    """What orders paid from `since_at` to `until_at` brought, and what they would have under a draft.

    The first and the last of `months` are parts of a month; months without orders are there, too.
    """

    since_at: datetime
    until_at: datetime
    orders: int
    earned_really: int
    earned_replayed: int
    shared_really: int
    shared_replayed: int
    months: list[HistoryMonth]

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON can keep them."""
        return _plain(asdict(self))

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The figures that `to_json` gave."""
        return cls(
            **{
                **kept,
                "since_at": datetime.fromisoformat(kept["since_at"]),
                "until_at": datetime.fromisoformat(kept["until_at"]),
                "months": [
                    HistoryMonth(**{**month, "month": date.fromisoformat(month["month"])})
                    for month in kept["months"]
                ],
            }
        )


@dataclass(frozen=True)
class ChangedMember:
    """A member who rises or falls, as a list for colleagues says it; `paid_sum` decides the tier then."""

    member_id: int
    number: str
    masked_name: str
    from_name: str
    to_name: str
    is_rise: bool
    paid_sum: Decimal


TIER_SUMS = ("threshold_now", "threshold_then", "coefficient_now", "coefficient_then")


def _examples(kept: list[dict[str, Any]]) -> list[Example]:
    return [Example(**_decimals(example, ("paid_sum",))) for example in kept]


def _decimals(kept: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {**kept, **{name: None if kept[name] is None else Decimal(kept[name]) for name in names}}


def _plain(value: Any) -> Any:
    """Sums as text, moments and days as ISO has them: all that JSON has no word for."""
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
    return value
