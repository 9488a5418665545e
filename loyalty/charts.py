"""Charts in whole units, which the templates in `components/charts` draw without counting.

- `bars_chart` → `bars.html`: one or two numbers for each of some days or months, side by side. The
  first of two is filled, the second outlined, so that they are told apart without colour.
- `rows_chart` → `rows.html`: named numbers below each other, such as the steps of a funnel.
- `strip_chart` → `strip.html`: a calendar of months with what each of them holds.
- `Stop`s → `path.html`: stops on a way, and which of them is reached (`points_charts.tier_path`).

Every text is HTML beside the drawing, not in it, so that it keeps its size however narrow the page
is. A chart whose numbers stand in words beside it (rows, strip, path) needs no table; whoever draws
bars includes a table of the same numbers below them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from loyalty.days import month_after

HEIGHT = 400
STEP = 100
# How much of a step a group of bars takes, by the number of series.
BAR_WIDTHS = {1: 72, 2: 34}
GAP = 8
# So many labels have room beside each other, on a phone every other one of them, as charts.css has it; of
# more, only the outer ones are drawn.
MOST_LABELS = 12


@dataclass(frozen=True)
class Bar:
    """One number as a rectangle. `title` tells it to whoever points at it."""

    x: int
    y: int
    width: int
    height: int
    title: str
    is_second: bool
    is_unfinished: bool


class Group(NamedTuple):
    """What `bars_chart` draws at one place: for each series the number and its words, a label below."""

    label: str
    numbers: Sequence[int]
    titles: Sequence[str]
    is_unfinished: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars on a scale from 0 to `top`, whose `middle` is a whole number, too."""

    bars: Sequence[Bar]
    series: Sequence[str]
    labels: Sequence[str]
    top: int
    width: int
    count: int

    @property
    def middle(self) -> int:
        """What stands beside the line half-way up."""
        return self.top // 2

    @property
    def view_box(self) -> str:
        """The room that the bars take."""
        return f"0 0 {self.width} {HEIGHT}"

    @property
    def lines(self) -> str:
        """The path of the lines at the top, the middle and the bottom of the scale."""
        return "".join(f"M0 {y}H{self.width}" for y in (0, HEIGHT // 2, HEIGHT))

    @property
    def has_all_labels(self) -> bool:
        """Whether each place has its label; else there are only those of both ends."""
        return len(self.labels) == self.count


@dataclass(frozen=True)
class Row:
    """A named number, and how long its bar is, in percent. `note` is a second line, or empty."""

    name: str
    number: int
    share: int
    note: str


class Month(NamedTuple):
    """A month of a strip: `share` is how much of the fullest month it holds, in percent."""

    month: date
    points: int
    share: int
    is_first: bool

    @property
    def y(self) -> int:
        """Where the filled part begins."""
        return 100 - self.share


@dataclass(frozen=True)
class Strip:
    """Months one after another, and what lies beyond the last; None is at no time."""

    months: Sequence[Month]
    later_points: int
    never_points: int


class Place(StrEnum):
    """Where a stop of a path lies, seen from where one stands."""

    PASSED = "passed"
    HERE = "here"
    AHEAD = "ahead"


@dataclass(frozen=True)
class Stop:
    """A stop on a path: its name, where it begins, what it brings and what else, each in words."""

    name: str
    begins: str
    brings: str
    also: str
    colour: str
    place: Place


def bars_chart(groups: Sequence[Group], *, series: Sequence[str]) -> Bars:
    """Bars of the groups, of which there is one at least, for one or two series; no number is below 0."""
    top = round_above(max(number for group in groups for number in group.numbers))
    width = BAR_WIDTHS[len(series)]
    taken = width * len(series) + GAP * (len(series) - 1)
    bars = []
    for index, group in enumerate(groups):
        x = index * STEP + (STEP - taken) // 2
        for turn, (number, title) in enumerate(zip(group.numbers, group.titles, strict=True)):
            # Rounded up: what is there is seen.
            height = -(-number * HEIGHT // top)
            bars.append(
                Bar(
                    x=x + turn * (width + GAP),
                    y=HEIGHT - height,
                    width=width,
                    height=height,
                    title=title,
                    is_second=turn == 1,
                    is_unfinished=group.is_unfinished,
                )
            )
    labels = [group.label for group in groups]
    return Bars(
        bars=bars,
        series=series,
        labels=labels if len(labels) <= MOST_LABELS else [labels[0], labels[-1]],
        top=top,
        width=len(groups) * STEP,
        count=len(groups),
    )


def rows_chart(rows: Sequence[tuple[str, int, str]]) -> Sequence[Row]:
    """The rows (name, number, note), each with a bar as long as its share of the greatest."""
    most = max((number for _name, number, _note in rows), default=0) or 1
    return [Row(name, number, -(-number * 100 // most), note) for name, number, note in rows]


def strip_chart(points: dict[date | None, int], *, since: date, months: int = 12) -> Strip:
    """The points by month, from the month of `since` on; the keys are first days of months, None is never."""
    shown = [month_after(since.replace(day=1), turn) for turn in range(months)]
    most = max((points.get(month, 0) for month in shown), default=0) or 1
    first = next((month for month in shown if points.get(month, 0)), None)
    return Strip(
        months=[
            Month(month, points.get(month, 0), -(-points.get(month, 0) * 100 // most), month == first)
            for month in shown
        ],
        later_points=sum(
            number for month, number in points.items() if month is not None and month > shown[-1]
        ),
        never_points=points.get(None, 0),
    )


def round_above(count: int) -> int:
    """The least of 2, 4, 10, 20, 40, 100 and so on that is no less."""
    power = 1
    while True:
        for step in (2, 4, 10):
            if step * power >= count:
                return step * power
        power *= 10
