"""What a draft of the rules would do to the members there are. Everything here only reads."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loyalty.models import RuleSet
from loyalty.queries.balance import POINT_WORTH_SUM
from supervisor.queries.programme import outstanding_points
from supervisor.queries.what_if.figures import (
    DAYS_OF_MONTH,
    CapEffect,
    ChangedMember,
    Example,
    FloorLine,
    History,
    HistoryMonth,
    Move,
    Pace,
    TierLine,
    WhatIf,
)
from supervisor.queries.what_if.history import Replay
from supervisor.queries.what_if.members import (
    Places,
    examples,
    floor_lines,
    most_at_stake,
    moved_members,
    place_members,
)
from supervisor.queries.what_if.paces import Paces, caps, paces
from supervisor.queries.what_if.sides import Side, Sides
from supervisor.queries.what_if.snapshot import HALVES, of_both_halves, snapshot

__all__ = [
    "DAYS_OF_MONTH",
    "CapEffect",
    "ChangedMember",
    "Example",
    "FloorLine",
    "History",
    "HistoryMonth",
    "Move",
    "Pace",
    "Part",
    "TierLine",
    "WhatIf",
    "changed_members",
    "had_it_been",
    "snapshot",
    "what_if",
]


class Part(StrEnum):
    """The parts of the work, in their order."""

    TIERS = "tiers"
    PACES = "paces"
    HISTORY = "history"
    HISTORY_SHARES = "history_shares"


Begin = Callable[[Part], None]


@dataclass(frozen=True)
class _Half:
    """What was found of a half of the members."""

    places: Places
    rising: list[tuple[int, Example]]
    falling: list[tuple[int, Example]]
    paces: Paces


def _nothing(part: Part) -> None:
    """Nobody is told."""


def what_if(*, draft: RuleSet, live: RuleSet, at: datetime, begin: Begin = _nothing) -> WhatIf:
    """What the members' tiers and the points of a month would be under the draft, beside those of now.

    `live` is the edition that is compared with; `at` decides which orders lie in a period of months or
    days. `begin` is told of each part before it begins, and may stop the work by an exception.
    """
    with snapshot():
        sides = Sides.of(live=live, draft=draft)
        parameters = sides.parameters(at)

        def of_half(half: int) -> _Half:
            given = {**parameters, "halves": HALVES, "other_half": 1 - half}
            # Whoever watches is told by the first half, which is worked on here.
            say = begin if half == 0 else _nothing
            say(Part.TIERS)
            places = place_members(sides, given)
            rising, falling = examples(sides, 1, given), examples(sides, -1, given)
            say(Part.PACES)
            return _Half(places, rising, falling, Paces(sides, at, given))

        one, other = of_both_halves(of_half)
        points = outstanding_points()
        floors = floor_lines(sides)
        places = one.places + other.places
        matrix = places.matrix()
        going = Counter[int]()
        for move in matrix:
            going[move.direction] += move.members
        return WhatIf(
            data_at=at,
            members=going.total(),
            tiers=places.lines(),
            matrix=matrix,
            rising=going[1],
            falling=going[-1],
            staying=going[0],
            worse_off=places.worse_off(),
            rising_examples=most_at_stake(one.rising, other.rising),
            falling_examples=most_at_stake(one.falling, other.falling),
            paces=paces((one.paces, other.paces), at),
            caps=caps((one.paces, other.paces)),
            outstanding_points=points,
            outstanding_worth_sum=points * POINT_WORTH_SUM,
            floors_kept=places.floors_kept,
            floors=floors,
        )


def had_it_been(*, draft: RuleSet, at: datetime, begin: Begin = _nothing) -> History:
    """What the orders of the last 12 months before `at` would have brought under the draft.

    They are replayed in the order of time, see `supervisor.queries.what_if.history`.
    """
    with snapshot():
        begin(Part.HISTORY)
        replay = Replay(Side.of("then", draft), at)
        replay.earn()
        begin(Part.HISTORY_SHARES)
        replay.share()
        return replay.history()


def changed_members(*, draft: RuleSet, live: RuleSet, at: datetime) -> Iterator[ChangedMember]:
    """Everybody who would rise or fall, by id, fetched from the server as they are asked for."""
    sides = Sides.of(live=live, draft=draft)
    return moved_members(sides, sides.parameters(at))
