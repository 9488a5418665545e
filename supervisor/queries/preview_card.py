"""What a draft would do, put together for the eye: sums, shares, a table that adds up, names, bars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from accounts.models import Member
from loyalty.models import RuleSet
from loyalty.queries.rules import tiers_of
from supervisor.models import Preview
from supervisor.queries.what_if import Example, FloorLine, History, Move, TierLine, WhatIf

# A bar is drawn in so many steps.
BAR_STEPS = 1000


class ShownNames(dict[str, str]):
    """What tiers are called in the active language, by the names that editions tell them apart by."""

    def __missing__(self, name: str) -> str:
        return name


@dataclass(frozen=True)
class GridRow:
    """Where the members of one tier go, in the order of the columns, and how many they are."""

    name: str
    cells: Sequence[Move]
    total: int


@dataclass(frozen=True)
class Grid:
    """From which tier to which: rows are the tiers now, columns those then; totals add up to all."""

    columns: Sequence[str]
    rows: Sequence[GridRow]
    totals: Sequence[int]
    total: int


@dataclass(frozen=True)
class NamedExample:
    """A member whose tier changes, and from which tier to which, as these are shown."""

    member: Member
    example: Example
    from_name: str
    to_name: str


@dataclass(frozen=True)
class Bar:
    """The points of a month as they were and as they would have been, also as lengths of two bars."""

    month: date
    really: int
    replayed: int
    really_length: int
    replayed_length: int

    @property
    def change(self) -> int:
        """How many points more there would have been."""
        return self.replayed - self.really


@dataclass(frozen=True)
class PreviewCard:
    """A preview as its page shows it.

    The figures name tiers as editions tell them apart; `tiers`, `floors`, `grid` and the examples name
    them in the active language.
    """

    figures: WhatIf
    history: History | None
    tiers: Sequence[TierLine]
    floors: Sequence[FloorLine]
    grid: Grid
    falling: Sequence[NamedExample]
    rising: Sequence[NamedExample]
    bars: Sequence[Bar]

    @property
    def least_change(self) -> int:
        """The lower end of the change in points a month."""
        return min((pace.change for pace in self.figures.paces), default=0)

    @property
    def most_change(self) -> int:
        """The upper end of the change in points a month."""
        return max((pace.change for pace in self.figures.paces), default=0)


def preview_card(preview: Preview) -> PreviewCard | None:
    """The card of a preview, or None while it is not computed: two queries, for the names."""
    if preview.figures is None:
        return None
    figures = WhatIf.from_json(preview.figures)
    history = History.from_json(preview.history) if preview.history else None
    examples = [*figures.falling_examples, *figures.rising_examples]
    members = Member.objects.in_bulk([example.member_id for example in examples])
    now, then = shown_names(preview.compared_with), shown_names(preview.draft)
    return PreviewCard(
        figures=figures,
        history=history,
        tiers=[
            replace(
                line,
                name_now=line.name_now and now[line.name_now],
                name_then=line.name_then and then[line.name_then],
            )
            for line in figures.tiers
        ],
        floors=[
            replace(line, name_now=now[line.name_now], name_then=then[line.name_then])
            for line in figures.floors
        ],
        grid=_grid(figures.matrix, now, then),
        falling=_named(figures.falling_examples, members, now, then),
        rising=_named(figures.rising_examples, members, now, then),
        bars=_bars(history) if history else [],
    )


def shown_names(rule_set: RuleSet) -> ShownNames:
    """The names of an edition's or a draft's tiers in the active language, by the names they go by.

    A tier that the draft has lost or renamed since keeps the name it had.
    """
    return ShownNames({tier.name: tier.shown_name for tier in tiers_of(rule_set)})


def _grid(matrix: Sequence[Move], now: ShownNames, then: ShownNames) -> Grid:
    columns = list(dict.fromkeys(move.to_name for move in matrix))
    moves = {(move.from_name, move.to_name): move for move in matrix}
    rows = [
        GridRow(
            name=now[name],
            cells=[moves[name, column] for column in columns],
            total=sum(moves[name, column].members for column in columns),
        )
        for name in dict.fromkeys(move.from_name for move in matrix)
    ]
    return Grid(
        columns=[then[column] for column in columns],
        rows=rows,
        totals=[sum(row.cells[place].members for row in rows) for place in range(len(columns))],
        total=sum(row.total for row in rows),
    )


def _named(
    examples: Iterable[Example], members: dict[int, Member], now: ShownNames, then: ShownNames
) -> list[NamedExample]:
    """The examples with their members; whoever has left the programme since is left out."""
    return [
        NamedExample(
            members[example.member_id],
            example,
            from_name=now[example.from_name],
            to_name=then[example.to_name],
        )
        for example in examples
        if example.member_id in members
    ]


def _bars(history: History) -> list[Bar]:
    longest = max((max(month.really, month.replayed) for month in history.months), default=0) or 1
    return [
        Bar(
            month=month.month,
            really=month.really,
            replayed=month.replayed,
            really_length=month.really * BAR_STEPS // longest,
            replayed_length=month.replayed * BAR_STEPS // longest,
        )
        for month in history.months
    ]
