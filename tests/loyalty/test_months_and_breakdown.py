"""What the operations add up to: by month, and by what moved the points."""

import os
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from loyalty.models import UNDECIDED_AT
from loyalty.queries.balance import balance
from loyalty.queries.breakdown import LineKind, breakdown
from loyalty.queries.filters import OperationFilter
from loyalty.queries.months import points_by_month
from loyalty.queries.operations import operations_page
from loyalty.queries.turnover import turnover
from loyalty.services import ledger
from tests.clock import MOSCOW, NOON
from tests.loyalty.lives import days_ago, live
from tests.loyalty.points import earn, give, hold, new_key, settle, spend, take_back
from tests.loyalty.test_ledger_property import EXAMPLES, STEPS, LedgerMachine


def lines_of(member, at=NOON) -> dict[str, int]:
    """The lines by their kind."""
    return {kind.value: points for kind, points in breakdown(account_id=member.pk, at=at).lines}


# By month


def test_months_say_what_the_list_says_of_each_of_them(ada, ben):
    live(ada, ben)
    settle(NOON)

    months = points_by_month(account_id=ada.pk, until_at=NOON)

    assert [month.month for month in months][-4:] == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]
    assert len(months) == 12
    for month in months:
        until_on = (month.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        listed = turnover(account_id=ada.pk, filters=OperationFilter(since_on=month.month, until_on=until_on))
        assert (month.earned_points, month.spent_points) == (listed.plus_points, -listed.minus_points)
    everything = balance(account_id=ada.pk, at=NOON).available_points
    assert sum(month.change_points for month in months) == everything
    assert len([month for month in months if month.earned_points and month.spent_points]) == 2


def test_months_begin_at_midnight_of_the_programme(ada):
    new_year = NOON.replace(year=2026, month=1, day=1, hour=0)
    earn(ada, 5, at=new_year - timedelta(microseconds=1))
    earn(ada, 70, at=new_year)

    months = points_by_month(account_id=ada.pk, until_at=NOON, months=4)

    assert [(month.month.month, month.earned_points) for month in months] == [
        (12, 5),
        (1, 70),
        (2, 0),
        (3, 0),
    ]


def test_months_leave_out_what_came_before_them_and_what_is_not_in_the_balance_yet(ada):
    earn(ada, 900, at=days_ago(400))
    earn(ada, 40, available_at=NOON + timedelta(days=1))
    earn(ada, 3)

    months = points_by_month(account_id=ada.pk, until_at=NOON)

    assert sum(month.earned_points for month in months) == 3


def test_months_of_somebody_without_points_are_empty(ada):
    months = points_by_month(account_id=ada.pk, until_at=NOON, months=2)

    assert [(month.earned_points, month.spent_points) for month in months] == [(0, 0), (0, 0)]


# By what moved the points


def test_lines_name_what_moved_the_points(ada, ben):
    live(ada, ben)
    settle(NOON)

    assert lines_of(ada) == {
        "orders": 1_000 + 320 + 300 + 33 + 25,
        "friends": 60,
        "returned": 50,
        "corrected": 100 - 30,
        "spent": -200 - 100,
        "taken_back": -40 - 500,
        "expired": -(320 - 200),
        "pending": -25,
        "held": -80,
    }
    assert sum(lines_of(ada).values()) == balance(account_id=ada.pk, at=NOON).available_points
    # What she gave was given back: nothing is left of it on either side.
    assert lines_of(ben) == {}


def test_lines_tell_what_came_from_what_went_to_others(ada, ben):
    earn(ada, 100)
    earn(ben, 100)
    given = give(ada, ben, 70)
    give(ben, ada, 5)
    assert lines_of(ada) == {"others": 100, "received": 5, "given": -70}
    assert lines_of(ben) == {"others": 100, "received": 70, "given": -5}

    ledger.reverse(key=new_key(), posting_id=given, at=NOON, least_expires_on=None)

    assert lines_of(ada) == {"others": 100, "received": 5}
    assert lines_of(ben) == {"others": 100, "given": -5}


def test_a_debt_is_a_line_of_its_own(ada):
    credit_id = earn(ada, 150)
    spend(ada, 150)
    take_back(credit_id, 150)

    assert lines_of(ada) == {"others": 150, "spent": -150, "taken_back": -150, "debt": 150}

    earn(ada, 200)
    assert lines_of(ada) == {"others": 350, "spent": -150, "taken_back": -150}


def test_points_that_expired_are_a_line_before_a_job_posts_it(ada):
    earn(ada, 30, until=NOON.date())
    hold(ada, 10, hours=48)
    after = NOON + timedelta(days=3)

    assert lines_of(ada, after) == {"others": 30, "expired": -30}

    settle(after)
    assert lines_of(ada, after) == {"others": 30, "expired": -30}


def test_points_that_nobody_has_decided_on_are_pending(ada):
    earn(ada, 30, available_at=UNDECIDED_AT)

    assert lines_of(ada) == {"others": 30, "pending": -30}
    assert breakdown(account_id=ada.pk, at=NOON).available_points == 0


def test_nobody_without_points_has_lines(ada):
    assert breakdown(account_id=ada.pk, at=NOON).lines == []


class LinesMachine(LedgerMachine):
    """After every step of a random history, the lines are those of the ledger once its jobs have run."""

    def lines(self):
        return [breakdown(account_id=member, at=self.model.now).lines for member in self.members]

    @rule()
    def settle_by_a_job(self):
        before = self.lines()
        super().settle_by_a_job()
        assert self.lines() == before

    def compare(self):
        super().compare()
        for member in self.members:
            found = breakdown(account_id=member, at=self.model.now)
            own = balance(account_id=member, at=self.model.now)
            assert sum(points for _kind, points in found.lines) == found.available_points
            assert found.available_points == own.available_points
            signs = {kind: points > 0 for kind, points in found.lines}
            always_plus = {LineKind.ORDERS, LineKind.FRIENDS, LineKind.OTHERS, LineKind.RECEIVED}
            always_minus = {LineKind.SPENT, LineKind.GIVEN, LineKind.TAKEN_BACK, LineKind.EXPIRED}
            assert all(signs.get(kind, True) for kind in (*always_plus, LineKind.RETURNED, LineKind.DEBT))
            assert not any(signs.get(kind) for kind in (*always_minus, LineKind.PENDING, LineKind.HELD))

    def compare_rows(self):
        """The jobs have run: the same lines, and the months are those of the list."""
        super().compare_rows()
        for member in self.members:
            operations = operations_page(account_id=member, limit=10_000).operations
            listed: dict[date, list[int]] = {}
            for operation in operations:
                month = operation.effective_at.astimezone(MOSCOW).date().replace(day=1)
                listed.setdefault(month, []).append(operation.available_points)
            for month in points_by_month(account_id=member, until_at=self.model.now):
                changes = listed.pop(month.month, [])
                assert month.earned_points == sum(change for change in changes if change > 0)
                assert month.spent_points == -sum(change for change in changes if change < 0)
            assert not listed


def test_any_history_adds_up(db):
    run_state_machine_as_test(
        LinesMachine,
        settings=settings(
            max_examples=max(EXAMPLES // 5, 1),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
