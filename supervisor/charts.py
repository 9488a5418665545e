"""Numbers by day as bars, in whole units that a template draws without counting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from supervisor.queries.programme import OrdersOfDay

BAR_WIDTH = 8
BAR_STEP = 10
HEIGHT = 400


@dataclass(frozen=True)
class Bar:
    """One day: how high its bar is, and where it stands."""

    on: date
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Chart:
    """The bars of some days, with a scale from 0 to `top_count` whose middle is a whole number."""

    bars: Sequence[Bar]
    total_count: int
    top_count: int
    best: Bar
    width: int

    @property
    def middle_count(self) -> int:
        """What stands beside the line half-way up."""
        return self.top_count // 2


def orders_chart(days: Sequence[OrdersOfDay]) -> Chart:
    """A chart of the orders of those days, of which there is one at least."""
    top_count = _round_above(max(day.count for day in days))
    heights = [-(-day.count * HEIGHT // top_count) for day in days]
    bars = [
        Bar(on=day.on, count=day.count, x=index * BAR_STEP + 1, y=HEIGHT - height, height=height)
        for index, (day, height) in enumerate(zip(days, heights, strict=True))
    ]
    return Chart(
        bars=bars,
        total_count=sum(day.count for day in days),
        top_count=top_count,
        best=max(bars, key=lambda bar: bar.count),
        width=len(bars) * BAR_STEP,
    )


def _round_above(count: int) -> int:
    """The least of 2, 4, 10, 20, 40, 100 and so on that is no less."""
    power = 1
    while True:
        for step in (2, 4, 10):
            if step * power >= count:
                return step * power
        power *= 10
