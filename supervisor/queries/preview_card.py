"""What a draft would do, put together for the eye: sums, shares, a table that adds up, names, bars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from accounts.models import Member
from supervisor.models import Preview
from supervisor.queries.what_if import Example, History, Move, WhatIf

# A bar is drawn in so many steps.
BAR_STEPS = 1000


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
    """A member whose tier changes."""

    member: Member
    example: Example


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
    """A preview as its page shows it."""

    figures: WhatIf
    history: History | None
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
    """The card of a preview, or None while it is not computed: one query, for the names."""
    if preview.figures is None:
        return None
    figures = WhatIf.from_json(preview.figures)
    history = History.from_json(preview.history) if preview.history else None
    examples = [*figures.falling_examples, *figures.rising_examples]
    members = Member.objects.in_bulk([example.member_id for example in examples])
    return PreviewCard(
        figures=figures,
        history=history,
        grid=_grid(figures.matrix),
        falling=_named(figures.falling_examples, members),
        rising=_named(figures.rising_examples, members),
        bars=_bars(history) if history else [],
    )


def _grid(matrix: Sequence[Move]) -> Grid:
    columns = list(dict.fromkeys(move.to_name for move in matrix))
    moves = {(move.from_name, move.to_name): move for move in matrix}
    rows = [
        GridRow(
            name=name,
            cells=[moves[name, column] for column in columns],
            total=sum(moves[name, column].members for column in columns),
        )
        for name in dict.fromkeys(move.from_name for move in matrix)
    ]
    return Grid(
        columns=columns,
        rows=rows,
        totals=[sum(row.cells[place].members for row in rows) for place in range(len(columns))],
        total=sum(row.total for row in rows),
    )


def _named(examples: Iterable[Example], members: dict[int, Member]) -> list[NamedExample]:
    """The examples with their members; whoever has left the programme since is left out."""
    return [
        NamedExample(members[example.member_id], example)
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
