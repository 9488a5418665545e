"""What the queries of operations find and add up to, and how much of a history they read."""

import random
import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty import wording
from loyalty.models import Posting
from loyalty.queries.balance import balance
from loyalty.queries.filters import EVERYTHING, OperationFilter, Sign
from loyalty.queries.operations import Operation, operations_page, operations_since
from loyalty.queries.turnover import page_turnover, turnover
from tests.clock import NOON
from tests.loyalty.lives import FRIEND, days_ago, earn_many, live
from tests.loyalty.points import earn, execute, fetch

Kind = Posting.Kind
EVERY_KIND = frozenset(Kind)
TRANSFERS = OperationFilter(kinds=frozenset({Kind.TRANSFER}))


def all_operations(member) -> list[Operation]:
    return list(operations_page(account_id=member.pk, limit=10_000).operations)


def joined_pages(member, filters: OperationFilter, limit: int) -> list[list[Operation]]:
    """The pages from the newest on; reading back from the last one gives the same pages."""
    older = [operations_page(account_id=member.pk, filters=filters, limit=limit)]
    while older[-1].older_cursor is not None:
        cursor = older[-1].older_cursor
        older.append(operations_page(account_id=member.pk, before=cursor, filters=filters, limit=limit))
    newer = [older[-1]]
    while newer[-1].newer_cursor is not None:
        cursor = newer[-1].newer_cursor
        newer.append(operations_page(account_id=member.pk, after=cursor, filters=filters, limit=limit))
    assert [page.operations for page in reversed(newer)] == [page.operations for page in older]
    return [list(page.operations) for page in older]


def is_wanted(operation: Operation, filters: OperationFilter) -> bool:
    """What a filter asks of an operation, told in Python."""
    kinds = {operation.kind, operation.origin_kind if operation.kind == Kind.REVERSE else operation.kind}
    happened_on = timezone.localdate(operation.effective_at)
    words = wording.words(operation)
    other_side = {
        Kind.TRANSFER: words.get("to" if operation.available_points < 0 else "from"),
        Kind.REVERSE: words.get("to" if operation.available_points > 0 else "from"),
    }.get(operation.kind)
    texts = [words.get(name) for name in ("order", "outlet", "friend", "reason")] + [other_side]
    return (
        (not filters.kinds or bool(kinds & filters.kinds))
        and (filters.since_on is None or happened_on >= filters.since_on)
        and (filters.until_on is None or happened_on <= filters.until_on)
        and (filters.sign is None or operation.points * filters.sign > 0)
        and (
            not filters.search
            or filters.search == str(operation.posting_id)
            or any(filters.search.lower() in text.lower() for text in texts if text)
        )
    )


def random_filter(dice: random.Random, operations: list[Operation]) -> OperationFilter:
    """Any part of a filter may be set, to something that may or may not be there."""
    since_on, until_on = sorted(timezone.localdate(days_ago(dice.randrange(-5, 95))) for _ in range(2))
    searches = ["", "", "", "A-", "невский", FRIEND[:4], "Бен", "Ада", "капучино", "%", "_", "ничего"]
    return OperationFilter(
        kinds=frozenset(dice.sample(sorted(EVERY_KIND), dice.choice([0, 0, 1, 3]))),
        since_on=dice.choice([None, since_on]),
        until_on=dice.choice([None, until_on]),
        sign=dice.choice([None, None, Sign.PLUS, Sign.MINUS]),
        search=dice.choice([*searches, str(dice.choice(operations).posting_id)]),
    )


@pytest.mark.parametrize("seed", range(40))
def test_pages_of_any_filter_joined_are_what_it_asks_for(ada, ben, seed):
    live(ada, ben)
    dice = random.Random(seed)
    for member in (ada, ben):
        operations = all_operations(member)
        for filters in (random_filter(dice, operations) for _ in range(5)):
            expected = [one for one in operations if is_wanted(one, filters)]
            limit = dice.randrange(1, 12)

            pages = joined_pages(member, filters, limit)

            assert [one for page in pages for one in page] == expected
            assert all(len(page) == limit for page in pages[:-1])


def test_a_life_has_every_kind(ada, ben):
    live(ada, ben)

    assert {one.kind for one in all_operations(ada)} == EVERY_KIND


def test_a_reversal_is_of_the_kind_that_it_undoes(ada, ben):
    live(ada, ben)

    for member in (ada, ben):
        page = operations_page(account_id=member.pk, filters=TRANSFERS)
        assert [one.kind for one in page.operations] == [Kind.REVERSE, Kind.TRANSFER]


def test_search_keeps_no_secrets_of_the_other_side(ada, ben, client_of):
    live(ada, ben)
    earn(ada, 500)

    filters = OperationFilter(search="невский")
    assert operations_page(account_id=ben.pk, filters=filters).operations == []
    other = all_operations(ada)[0].posting_id
    assert operations_page(account_id=ben.pk, filters=OperationFilter(search=str(other))).operations == []


def test_order_of_a_friend_is_not_told(ada, ben):
    live(ada, ben)

    orders = {one.order_id for one in all_operations(ada)}

    assert orders == {None, 1, 2, 3, 4, 5, 6, 7, 8}
    (share,) = operations_page(account_id=ada.pk, filters=OperationFilter(search=FRIEND)).operations
    assert share.order_id is None


def test_running_balance_is_an_unbroken_chain_to_the_balance(ada, ben):
    live(ada, ben)
    operations = all_operations(ada)

    assert operations[0].available_after == balance(account_id=ada.pk, at=NOON).available_points
    for newer, older in pairwise(operations):
        assert newer.available_after - newer.available_points == older.available_after
    assert operations[-1].available_after == operations[-1].available_points
    for one in operations:
        assert not one.is_pending or one.available_points == 0


@pytest.mark.parametrize("limit", [1, 2, 5, 25])
def test_pages_sums_lead_from_one_to_the_next(ada, ben, limit):
    live(ada, ben)

    sums = [page_turnover(page) for page in joined_pages(ada, EVERYTHING, limit)]

    assert sums[-1].opening_points == 0
    for newer, older in pairwise(sums):
        assert newer.opening_points == older.closing_points
    assert sums[0].closing_points == balance(account_id=ada.pk, at=NOON).available_points


def test_periods_lead_from_one_balance_to_the_next(ada, ben):
    live(ada, ben)
    days = [timezone.localdate(days_ago(days)) for days in range(95, -2, -1)]

    periods = [
        turnover(
            account_id=ada.pk, filters=OperationFilter(since_on=first, until_on=last - timedelta(days=1))
        )
        for first, last in pairwise([*days[::7], days[-1]])
    ]

    assert periods[0].opening_points == 0
    for earlier, later in pairwise(periods):
        assert earlier.closing_points == later.opening_points
    assert periods[-1].closing_points == balance(account_id=ada.pk, at=NOON).available_points
    assert sum(period.count for period in periods) == len(all_operations(ada))


@pytest.mark.parametrize("seed", range(10))
def test_turnover_is_that_of_what_is_found(ada, ben, seed):
    live(ada, ben)
    dice = random.Random(seed)
    operations = all_operations(ada)
    for filters in (random_filter(dice, operations) for _ in range(10)):
        found = [one for one in operations if is_wanted(one, filters)]

        sums = turnover(account_id=ada.pk, filters=filters)

        changes = [one.available_points for one in found]
        assert (sums.count, sums.plus_points, sums.minus_points) == (
            len(found),
            sum(change for change in changes if change > 0),
            sum(change for change in changes if change < 0),
        )
        assert (sums.opening_points is not None) == (filters.is_period or filters.is_empty)


def test_footer_of_a_page_with_late_operations_names_no_balance(ada, ben):
    live(ada, ben)
    both = OperationFilter(since_on=date(2026, 2, 19), until_on=date(2026, 2, 27))
    page = operations_page(account_id=ada.pk, filters=both)

    assert page_turnover(page.operations).opening_points is None
    found = turnover(account_id=ada.pk, filters=both)
    assert found.opening_points + 70 + 33 == found.closing_points


@pytest.mark.parametrize("planner", ["analyzed", "ignorant", "misled"])
@pytest.mark.parametrize("place", [{}, {"before": 1_500}, {"after": 1_500}])
def test_page_reads_no_more_of_a_long_history_than_it_shows(ada, planner, place):
    earn_many(ada, 3_000)
    tables = "loyalty_entry", "loyalty_posting", "loyalty_credit", "loyalty_lot"
    if planner == "analyzed":
        execute(f"analyze {', '.join(tables)}")
    if planner == "misled":
        # What autovacuum leaves when it comes by while the rows are not committed yet.
        execute(f"update pg_class set relpages = 10, reltuples = 0 where relname in {tables}")

    for filters in (EVERYTHING, OperationFilter(kinds=frozenset({Kind.CREDIT}), sign=Sign.PLUS)):
        with CaptureQueriesContext(connection) as captured:
            operations_page(account_id=ada.pk, filters=filters, **place)
        plan = fetch(f"explain (analyze, costs off, timing off) {captured[0]['sql']}".replace("%", "%%"))
        read = re.findall(r" on loyalty_.*?actual rows=(\d+)[.\d]* loops=(\d+)", str(plan))
        assert 0 < sum(int(rows) * int(loops) for rows, loops in read) < 500


def test_operations_since_are_read_on_from_a_version(ada, ben):
    live(ada, ben)
    everything = all_operations(ada)[::-1]

    read: list[Operation] = []
    while found := operations_since(
        account_id=ada.pk, after_version=read[-1].version if read else 0, limit=4
    ):
        read += found

    assert read == everything


def test_operations_since_a_moment_are_those_recorded_later(ada, ben):
    live(ada, ben)
    everything = all_operations(ada)[::-1]
    assert [one.recorded_at for one in everything] == sorted(one.recorded_at for one in everything)

    for known in (everything[0], everything[7], everything[-1]):
        later = [one for one in everything if one.recorded_at > known.recorded_at]
        assert operations_since(account_id=ada.pk, changed_since=known.recorded_at, limit=1_000) == later
        for place in (everything[3].version, everything[-3].version):
            assert operations_since(
                account_id=ada.pk, after_version=place, changed_since=known.recorded_at, limit=1_000
            ) == [one for one in later if one.version > place]


def test_operations_since_are_nobody_elses(ada, ben):
    live(ada, ben)

    assert {one.kind for one in operations_since(account_id=ben.pk)} == {Kind.TRANSFER, Kind.REVERSE}
