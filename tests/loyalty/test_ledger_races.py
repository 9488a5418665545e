"""Many requests at once, by real threads over real connections: each race is run many times (L3, L4)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import close_old_connections, connection

from loyalty.errors import KeyReused, LoyaltyError
from loyalty.queries.audit import CHECKS, findings
from loyalty.services import ledger
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import (
    NEW_YEAR,
    TODAY,
    Balance,
    balance,
    earn,
    fetch,
    give,
    hold,
    new_key,
    settle,
    spend,
)

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 50
MANY = 20


class Racers:
    """Threads with a connection each, kept for all repetitions of a race."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.start = Barrier(count)
        self.pool = ThreadPoolExecutor(count)

    def run(self, *jobs: Callable[[], object]) -> list[object]:
        """Do all jobs at the same moment; what comes back is each one's result, or its refusal."""
        assert len(jobs) == self.count
        return list(self.pool.map(self._run, jobs))

    def _run(self, job: Callable[[], object]) -> object:
        connection.ensure_connection()
        self.start.wait(timeout=20)
        try:
            return job()
        except LoyaltyError as refusal:
            return type(refusal).__name__

    def close(self) -> None:
        """Give the connections back and end the threads."""

        def leave() -> None:
            self.start.wait(timeout=20)
            connection.close()

        list(self.pool.map(lambda _number: leave(), range(self.count)))
        self.pool.shutdown()
        close_old_connections()


@pytest.fixture
def racers(transactional_db) -> Iterator[Callable[[int], Racers]]:
    """Makes threads that are ended with the test, when no audit found anything."""
    # One connection for each thread, more than the pool that serves pages has.
    options = connection.settings_dict["OPTIONS"]
    pool_of_pages = options.pop("pool", None)
    made: list[Racers] = []

    def make(count: int) -> Racers:
        made.append(Racers(count))
        return made[-1]

    connection.close()
    deadlocks = fetch("select deadlocks from pg_stat_database where datname = current_database()")
    yield make
    for one in made:
        one.close()
    assert [found.check.name for found in findings(CHECKS) if found.found_count] == []
    assert fetch("select deadlocks from pg_stat_database where datname = current_database()") == deadlocks
    connection.close()
    if pool_of_pages is not None:
        options["pool"] = pool_of_pages


def test_of_many_spendings_of_the_whole_balance_one_wins(racers):
    many = racers(MANY)
    for _ in range(TIMES):
        member = MemberFactory()
        earn(member, 100)

        results = many.run(*[lambda member=member: spend(member, 100)] * MANY)

        assert results.count("NotEnoughPoints") == MANY - 1
        assert balance(member) == Balance()


def test_case_129_of_many_transfers_of_everything_one_wins(racers):
    many = racers(MANY)
    for _ in range(TIMES // 2):
        giver, *receivers = [MemberFactory() for _ in range(5)]
        earn(giver, 100)

        results = many.run(
            *[lambda giver=giver, to=receivers[number % 4]: give(giver, to, 100) for number in range(MANY)]
        )

        assert results.count("NotEnoughPoints") == MANY - 1
        assert sum(balance(member).available for member in receivers) == 100


def test_spending_and_expiry_never_both_take_the_same_points(racers):
    two = racers(3)
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    for _ in range(TIMES):
        member = MemberFactory()
        earn(member, 100, until=TODAY)

        spent, _settled, late = two.run(
            lambda member=member: spend(member, 100, at=midnight - timedelta(seconds=1)),
            lambda: settle(midnight),
            lambda member=member: spend(member, 1, at=midnight),
        )

        # Whoever was first took all: the purse of the day, or the midnight after it.
        assert late == "NotEnoughPoints"
        (expired,) = fetch(
            """select coalesce(sum(-points), 0)::int
                 from loyalty_entry join loyalty_posting on id = posting_id
                where kind = 'expire' and account_id = %s""",
            member.pk,
        )[0]
        assert expired == (100 if spent == "NotEnoughPoints" else 0)
        assert balance(member, at=midnight) == Balance()


def test_one_credit_sent_many_times_at_once_counts_once(racers):
    many = racers(MANY)
    for _ in range(TIMES):
        # The account does not exist yet either.
        member, key = MemberFactory(), new_key()

        def send(member=member, key=key):
            return ledger.credit(key=key, account_id=member.pk, points=70, at=NOON, expires_on=NEW_YEAR)

        results = many.run(*[send] * MANY)

        assert len({done.posting_id for done in results}) == 1
        assert [done.is_repeat for done in results].count(False) == 1
        assert balance(member) == Balance(available=70)


def test_opposite_transfers_do_not_wait_for_each_other_for_ever(racers):
    four = racers(4)
    for _ in range(TIMES):
        one, other = MemberFactory(), MemberFactory()
        earn(one, 100)
        earn(other, 100)

        four.run(
            lambda one=one, other=other: give(one, other, 60),
            lambda one=one, other=other: give(other, one, 70),
            lambda one=one, other=other: give(one, other, 5),
            lambda one=one, other=other: ledger.lock_accounts(other.pk, one.pk),
        )

        assert (balance(one).available, balance(other).available) == (105, 95)


def test_capture_and_release_of_one_hold_cannot_both_have_it(racers):
    four = racers(4)
    for _ in range(TIMES):
        member = MemberFactory()
        earn(member, 100)
        hold_id = hold(member, 100)

        results = four.run(
            lambda hold_id=hold_id: (
                ledger.capture(key=new_key(), hold_id=hold_id, points=100, at=NOON).posting_id
            ),
            lambda hold_id=hold_id: (
                ledger.release(key=new_key(), hold_id=hold_id, points=100, at=NOON).posting_id
            ),
            lambda hold_id=hold_id: (
                ledger.capture(key=new_key(), hold_id=hold_id, points=100, at=NOON).posting_id
            ),
            lambda: settle(TOMORROW_NOON),
        )

        assert results[:3].count("AboveHold") >= 2
        was_captured = any(isinstance(result, int) for result in (results[0], results[2]))
        assert balance(member) == (Balance() if was_captured else Balance(available=100))


def test_one_key_used_at_once_for_two_members_counts_for_one(racers):
    two = racers(2)
    for _ in range(TIMES):
        members, key = [MemberFactory(), MemberFactory()], new_key()

        results = two.run(
            *[
                lambda member=member, key=key: (
                    ledger.credit(
                        key=key, account_id=member.pk, points=10, at=NOON, expires_on=None
                    ).posting_id
                )
                for member in members
            ]
        )

        assert results.count(KeyReused.__name__) == 1
        assert sorted(balance(member) for member in members) == [Balance(), Balance(available=10)]


def test_two_jobs_settle_every_account_once(racers):
    three = racers(3)
    for turn in range(1, TIMES // 5 + 1):
        members = [MemberFactory() for _ in range(10)]
        for member in members:
            earn(member, 10, until=TODAY)
            earn(member, 5, available_at=NOON + timedelta(hours=1))

        three.run(*[lambda: settle(TOMORROW_NOON)] * 3)
        settle(TOMORROW_NOON)

        assert {balance(member, at=TOMORROW_NOON) for member in members} == {Balance(available=5)}
        matured = """select count(*), count(distinct account_id)
                       from loyalty_entry where bucket = 'pending' and points < 0"""
        assert fetch(matured) == [(10 * turn, 10 * turn)]
