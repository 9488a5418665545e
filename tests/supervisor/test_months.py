"""What became of points by month: the sums are those of the ledger, counted ahead or not."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.services import ledger
from supervisor.charts import moved_chart, outstanding_chart
from supervisor.models import CountedMonth
from supervisor.queries.months import MovedPoints, ProgrammeMonth, months_of_points
from supervisor.queries.programme import outstanding_points
from supervisor.services.months import count_months
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn, fetch, give_back, hold, new_key, settle, spend, take_back

MARCH = date(2026, 3, 1)
BEFORE = datetime(2026, 2, 28, 23, 59, tzinfo=MOSCOW)
# Everything that tests record now is a day old by then.
LATER = datetime(2100, 1, 1, tzinfo=MOSCOW)


def moved_in_march(at: datetime) -> MovedPoints:
    """What became of points in March until then."""
    return months_of_points(at)[-1].moved


@pytest.fixture
def life(ada, ben) -> None:
    """Each kind of movement once in March, and each ten times as large before."""
    for at, factor in ((BEFORE, 10), (NOON, 1)):
        earned = earn(ada, 500 * factor, at=at, until=at.date() + timedelta(days=300))
        spending = spend(ada, 40 * factor, at=at)
        give_back(spending, 15 * factor, at=at)
        take_back(earned, 100 * factor, at=at)
        hold(ada, 7 * factor, at=at)
        ledger.adjust(key=new_key(), account_id=ben.pk, points=30 * factor, at=at, expires_on=None)
        earn(ben, 60 * factor, at=at, until=at.date())
        settle(at + timedelta(days=1))


@pytest.mark.usefixtures("life")
def test_points_of_a_month_are_those_of_the_ledger():
    february, march = months_of_points(NOON + timedelta(days=2))[-2:]

    assert march.month == MARCH
    assert march.moved == MovedPoints(
        credited_points=560,
        taken_back_points=100,
        spent_points=40,
        given_back_points=15,
        # What expired at the end of the last day of February did so in March.
        expired_points=660,
        adjusted_points=30,
    )
    [(gained,)] = fetch(
        """select sum(entry.points) from loyalty_entry entry
             join loyalty_posting posting on posting.id = entry.posting_id
            where entry.account_id > 0 and posting.effective_at >= '2026-03-01 00:00+03'"""
    )
    assert march.moved.change_points == march.outstanding_points - february.outstanding_points == gained


@pytest.mark.usefixtures("life")
def test_months_add_up_to_what_is_outstanding():
    at = NOON + timedelta(days=2)

    months = months_of_points(at)

    assert [one.month for one in months][::11] == [date(2025, 4, 1), MARCH]
    before = months[0].outstanding_points - months[0].moved.change_points
    assert before + sum(one.moved.change_points for one in months) == outstanding_points()
    assert months[-1].outstanding_points == outstanding_points() != 0
    assert months[-1].outstanding_worth_sum == outstanding_points()


def test_points_of_longer_ago_are_in_what_was_outstanding_before(ada):
    earn(ada, 700, at=NOON - timedelta(days=800), until=None)
    earn(ada, 20, at=NOON, until=None)

    months = months_of_points(NOON)

    assert [one.outstanding_points for one in months] == [700] * 11 + [720]
    assert [one.moved.issued_points for one in months] == [0] * 11 + [20]


def test_a_month_begins_at_midnight_in_the_programmes_zone(ada):
    midnight = datetime(2026, 3, 1, 0, 0, tzinfo=MOSCOW)
    earn(ada, 1, at=midnight - timedelta(seconds=1))
    earn(ada, 20, at=midnight)
    earn(ada, 300, at=NOON + timedelta(seconds=1))

    assert moved_in_march(NOON).issued_points == 20


def test_points_of_sandboxes_are_left_out(ada):
    earn(ada, 40)
    earn(MemberFactory(is_sandbox=True), 777)

    assert moved_in_march(NOON).issued_points == 40
    assert count_months(at=LATER) == 1
    assert moved_in_march(NOON).issued_points == 40


@pytest.mark.usefixtures("life")
def test_counting_ahead_changes_no_figure(ada):
    at = NOON + timedelta(days=2)
    before = months_of_points(at)

    assert count_months(at=LATER) == 2
    assert months_of_points(at) == before
    [(last_id,)] = fetch("select max(posting_id) from loyalty_entry where account_id < 0")
    assert max(CountedMonth.objects.values_list("last_posting_id", flat=True)) == last_id

    # Nothing is counted twice.
    assert count_months(at=LATER) == 0
    assert months_of_points(at) == before


@pytest.mark.usefixtures("life")
def test_what_is_recorded_late_is_added_to_its_month(ada):
    at = NOON + timedelta(days=2)
    count_months(at=LATER)
    february, march = months_of_points(at)[-2:]

    earn(ada, 5_000, at=BEFORE, until=None)

    for _turn in range(2):
        late, then = months_of_points(at)[-2:]
        assert late.moved.credited_points == february.moved.credited_points + 5_000
        assert then.moved == march.moved
        assert then.outstanding_points == march.outstanding_points + 5_000 == outstanding_points()
        count_months(at=LATER)


def test_what_may_still_come_is_not_counted_ahead(ada):
    """A posting is counted a day after it was recorded, wherever the border lies between postings."""
    for number in range(1, 12):
        earn(ada, number)
    ids = [posting_id for (posting_id,) in fetch("select id from loyalty_posting order by id")]
    for first in range(12):
        CountedMonth.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("alter table loyalty_posting disable trigger user")
            cursor.execute("update loyalty_posting set recorded_at = %s", [NOON - timedelta(hours=25)])
            cursor.execute(
                "update loyalty_posting set recorded_at = %s where id = any(%s)",
                [NOON - timedelta(hours=23), ids[first:]],
            )
            cursor.execute("alter table loyalty_posting enable trigger user")

        count_months(at=NOON)

        assert [one.credited_points for one in CountedMonth.objects.all()] == (
            [sum(range(1, 12)[:first])] if first else []
        )
        assert moved_in_march(NOON).issued_points == sum(range(1, 12))


def test_an_empty_ledger_has_moved_nothing(db):
    assert count_months(at=LATER) == 0
    assert {(one.moved.change_points, one.outstanding_points) for one in months_of_points(NOON)} == {(0, 0)}


def test_months_take_two_queries_however_many_there_are(ada):
    for days in range(0, 400, 40):
        earn(ada, 10, at=NOON - timedelta(days=days), until=None)

    with CaptureQueriesContext(connection) as queries:
        months_of_points(NOON)

    assert len(queries) == 2


@pytest.mark.usefixtures("in_english")
def test_charts_tell_each_month_and_draw_nothing_below_zero():
    debt = ProgrammeMonth(date(2026, 2, 1), MovedPoints(10, 50, 0, 0, 0, 0), -40)
    march = ProgrammeMonth(MARCH, MovedPoints(100, 0, 20, 0, 5, 0), 35)

    moved, outstanding = moved_chart([debt, march]), outstanding_chart([debt, march])

    assert [bar.height for bar in moved.bars] == [0, 0, 400, 100]
    assert [bar.title for bar in moved.bars[2:]] == [
        "March 2026: 100\N{NO-BREAK SPACE}points issued",
        "March 2026: 25\N{NO-BREAK SPACE}points spent or expired",
    ]
    assert [bar.height for bar in outstanding.bars] == [0, 350]
    assert outstanding.bars[0].title == "February 2026: \N{MINUS SIGN}40\N{NO-BREAK SPACE}points"
    assert [bar.is_unfinished for bar in outstanding.bars] == [False, True]
