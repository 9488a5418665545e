"""Charts: numbers become whole units, and every number keeps its words."""

from datetime import date
from itertools import pairwise

import pytest

from loyalty.charts import HEIGHT, Group, Place, bars_chart, round_above, rows_chart, strip_chart
from loyalty.points_charts import tier_path
from loyalty.queries.standing import standing_card
from tests.clock import NOON
from tests.loyalty.editions import publish_edition


def groups(*numbers: tuple[int, ...]) -> list[Group]:
    return [
        Group(label=f"L{turn}", numbers=one, titles=[f"{number} of {turn}" for number in one])
        for turn, one in enumerate(numbers)
    ]


def test_bars_are_as_high_as_their_share_of_the_scale():
    chart = bars_chart(groups((50, 100), (0, 1)), series=("in", "out"))

    assert (chart.top, chart.middle) == (100, 50)
    assert [(bar.height, bar.y + bar.height) for bar in chart.bars] == [
        (HEIGHT // 2, HEIGHT),
        (HEIGHT, HEIGHT),
        (0, HEIGHT),
        (4, HEIGHT),
    ]
    assert [bar.is_second for bar in chart.bars] == [False, True, False, True]
    assert [bar.title for bar in chart.bars] == ["50 of 0", "100 of 0", "0 of 1", "1 of 1"]


def test_bars_of_nothing_have_a_scale_all_the_same():
    chart = bars_chart(groups((0,), (0,)), series=("in",))

    assert chart.top == 2
    assert [bar.height for bar in chart.bars] == [0, 0]


@pytest.mark.parametrize("series", [("in",), ("in", "out")])
@pytest.mark.parametrize("count", [1, 6, 30])
def test_bars_stand_beside_each_other_and_inside(series, count):
    chart = bars_chart(groups(*[(7,) * len(series)] * count), series=series)

    edges = [(bar.x, bar.x + bar.width) for bar in chart.bars]
    assert edges[0][0] >= 0
    assert edges[-1][1] <= chart.width
    assert all(left[1] < right[0] for left, right in pairwise(edges))


def test_many_bars_are_labelled_at_both_ends_only():
    chart = bars_chart(groups(*[(1,)] * 30), series=("in",))

    assert chart.labels == ["L0", "L29"]
    assert not chart.has_all_labels


@pytest.mark.parametrize(
    ("count", "top"), [(0, 2), (1, 2), (3, 4), (5, 10), (11, 20), (40, 40), (41, 100), (1_001, 2_000)]
)
def test_a_scale_ends_at_a_round_number_with_a_whole_middle(count, top):
    assert round_above(count) == top
    assert top % 2 == 0


def test_a_strip_tells_every_point_in_its_month_or_beyond():
    points = {date(2026, 3, 1): 5, date(2026, 5, 1): 50, date(2027, 3, 1): 7, None: 9}

    strip = strip_chart(points, since=date(2026, 3, 10))

    assert [month.month for month in strip.months][::11] == [date(2026, 3, 1), date(2027, 2, 1)]
    assert [(one.points, one.share, one.y, one.is_first) for one in strip.months[:4]] == [
        (5, 10, 90, True),
        (0, 0, 100, False),
        (50, 100, 0, False),
        (0, 0, 100, False),
    ]
    assert (strip.later_points, strip.never_points) == (7, 9)
    told = sum(one.points for one in strip.months) + strip.later_points + strip.never_points
    assert told == sum(points.values())


def test_a_strip_of_what_never_expires_has_no_first_month():
    strip = strip_chart({None: 9}, since=date(2026, 12, 31))

    assert not any(month.is_first for month in strip.months)
    assert strip.months[1].month == date(2027, 1, 1)


def test_rows_are_as_long_as_their_share_of_the_longest():
    rows = rows_chart([("opened", 200, ""), ("joined", 50, "a quarter"), ("bought", 0, "")])

    assert [row.share for row in rows] == [100, 25, 0]
    assert [row.share for row in rows_chart([("opened", 0, "")])] == [0]


def test_a_path_says_where_one_stands(ada, paid, in_english):
    publish_edition(("Bronze", 0, "0.03"), ("Silver", 10_000, "0.05"), ("Gold", 30_000, "0.07"))
    paid(ada, 12_000)

    stops = tier_path(standing_card(ada, NOON))

    assert [(stop.name, stop.place, stop.brings) for stop in stops] == [
        ("Bronze", Place.PASSED, "3%"),
        ("Silver", Place.HERE, "5%"),
        ("Gold", Place.AHEAD, "7%"),
    ]
    assert stops[0].begins == "from the first order on"
    assert stops[1].begins == "orders paid from 10,000\u00a0₽, yours since 10\u00a0March\u00a02026"
    assert stops[2].begins == "orders paid from 30,000\u00a0₽"
