"""Random histories of every operation: the ledger against a plain program (tests.loyalty.ledger_model).

Some thousand steps in a usual run. LEDGER_EXAMPLES=2000 runs for longer; a failure prints the
shortest history that shows it.
"""

import os
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.errors import KeyReused, PointsRefused
from loyalty.models import UNDECIDED_AT, Fund, PointsAccount
from loyalty.queries.audit import CHECKS, findings
from loyalty.services import ledger
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.ledger_model import Account, Ledger, Refused
from tests.loyalty.points import every_row, fetch, settle

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "30"))
STEPS = 50

MEMBERS = st.integers(0, 3)
POINTS = st.integers(1, 60)
DAYS = st.none() | st.integers(-1, 6)
FUNDS = st.sampled_from([Fund.PURCHASES, Fund.PARTNERS])
HOURS = st.integers(0, 72)
PICKS = st.integers(0, 1_000)


class LedgerMachine(RuleBasedStateMachine):
    """One history: four members, a clock that moves on, and requests that may come twice."""

    @initialize()
    def begin(self):
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.members = [MemberFactory().pk for _ in range(4)]
        ledger.lock_accounts(*self.members)
        self.model = Ledger(NOON, MOSCOW)
        for member in self.members:
            self.model.accounts[member] = Account()
        self.answers = []

    def teardown(self):
        if not hasattr(self, "rollback"):
            return
        try:
            self.settle_by_a_job()
            assert [
                (found.check.name, found.found_rows) for found in findings(CHECKS) if found.found_count
            ] == []
        finally:
            transaction.set_rollback(True)
            self.rollback.__exit__(None, None, None)

    # The operations

    @rule(member=MEMBERS, points=POINTS, days=DAYS, hours=HOURS, fund=FUNDS)
    def credit(self, member, points, days, hours, fund):
        at, available_at = self.model.now, self.model.now + timedelta(hours=hours)
        day = self.day(days)
        self.ask(
            "credit",
            {"account_id": self.members[member], "points": points, "at": at, "available_at": available_at}
            | {"expires_on": day, "fund": fund},
            lambda made: self.model.credit(
                made, self.members[member], points, (day, fund.value), available_at
            ),
        )

    @rule(
        rows=st.lists(st.tuples(MEMBERS, POINTS, DAYS, st.booleans()), min_size=1, max_size=4),
        settles=st.booleans(),
    )
    def credit_many(self, rows, settles):
        now, given = self.model.now, []
        for member, points, days, waits in rows:
            available_at = now + timedelta(hours=30 if waits else 0)
            given.append(
                ledger.CreditRow(
                    uuid4(), self.members[member], points, now, available_at, self.day(days), ledger.NO_NOTE
                )
            )
        until = now if settles else None
        assert ledger.credit_many(rows=[*given, given[0]], settle_until=until) == len(given)
        assert ledger.credit_many(rows=given) == 0
        for row in given:
            made = fetch("select posting_id from loyalty_request where key = %s", row.key)[0][0]
            lot = (row.expires_on, Fund.PURCHASES.value)
            self.model.credit(made, row.account_id, row.points, lot, row.available_at)
        self.model.wait_until(now)
        self.compare()

    @rule(member=MEMBERS, points=POINTS, is_tidy=st.booleans())
    def spend(self, member, points, is_tidy):
        account = self.members[member]
        self.ask(
            "spend",
            {"account_id": account, "points": points, "at": self.model.now},
            lambda made: self.model.spend(made, account, points),
            is_tidy,
        )

    @rule(member=MEMBERS, points=POINTS, hours=HOURS)
    def hold(self, member, points, hours):
        account, expires_at = self.members[member], self.model.now + timedelta(hours=hours)
        self.ask(
            "hold",
            {"account_id": account, "points": points, "at": self.model.now, "expires_at": expires_at},
            lambda made: self.model.hold(made, account, points, expires_at),
        )

    @precondition(lambda self: self.model.holds)
    @rule(pick=PICKS, points=POINTS, operation=st.sampled_from(["capture", "release"]), is_tidy=st.booleans())
    def capture_or_release(self, pick, points, operation, is_tidy):
        hold_id = self.pick(self.model.holds, pick)
        self.ask(
            operation,
            {"hold_id": hold_id, "points": points, "at": self.model.now},
            lambda made: (
                self.model.capture(made, hold_id, points)
                if operation == "capture"
                else self.model.release(hold_id, points)
            ),
            is_tidy,
        )

    @precondition(lambda self: self.model.spendings)
    @rule(pick=PICKS, points=POINTS, is_tidy=st.booleans())
    def give_back(self, pick, points, is_tidy):
        spending_id = self.pick(self.model.spendings, pick)
        self.ask(
            "give_back",
            {
                "spending_id": spending_id,
                "points": points,
                "at": self.model.now,
                "least_expires_on": self.day(30),
            },
            lambda made: self.model.give_back(spending_id, points),
            is_tidy,
        )

    @precondition(lambda self: self.model.credits)
    @rule(pick=PICKS, points=POINTS, is_tidy=st.booleans())
    def take_back(self, pick, points, is_tidy):
        credit_id = self.pick(self.model.credits, pick)
        self.ask(
            "take_back",
            {"credit_id": credit_id, "points": points, "at": self.model.now},
            lambda made: self.model.take_back(credit_id, points),
            is_tidy,
        )

    @precondition(lambda self: self.model.credits)
    @rule(pick=PICKS, hours=st.none() | st.integers(-24, 72), is_tidy=st.booleans())
    def schedule(self, pick, hours, is_tidy):
        credit_id = self.pick(self.model.credits, pick)
        available_at = UNDECIDED_AT if hours is None else self.model.now + timedelta(hours=hours)
        self.ask(
            "schedule",
            {"credit_id": credit_id, "available_at": available_at, "at": self.model.now},
            lambda made: self.model.schedule(credit_id, available_at),
            is_tidy,
        )

    @rule(giver=MEMBERS, step=st.integers(1, 3), points=POINTS, is_tidy=st.booleans())
    def transfer(self, giver, step, points, is_tidy):
        giver, receiver = self.members[giver], self.members[(giver + step) % 4]
        self.ask(
            "transfer",
            {"from_account_id": giver, "to_account_id": receiver, "points": points, "at": self.model.now},
            lambda made: self.model.transfer(made, giver, receiver, points),
            is_tidy,
        )

    @rule(member=MEMBERS, points=st.integers(-60, 60).filter(bool), days=DAYS, may_owe=st.booleans())
    def adjust(self, member, points, days, may_owe):
        account, day = self.members[member], self.day(days)
        self.ask(
            "adjust",
            {
                "account_id": account,
                "points": points,
                "at": self.model.now,
                "expires_on": day,
                "may_owe": may_owe,
            },
            lambda made: self.model.adjust(made, account, points, (day, Fund.PROMOTIONS.value), may_owe),
        )

    @precondition(lambda self: self.model.moves)
    @rule(pick=PICKS, is_tidy=st.booleans())
    def reverse(self, pick, is_tidy):
        posting_id = self.pick(self.model.moves, pick)
        self.ask(
            "reverse",
            {"posting_id": posting_id, "at": self.model.now, "least_expires_on": self.day(30)},
            lambda made: self.model.reverse(posting_id),
            is_tidy,
        )

    @rule(member=MEMBERS, is_blocked=st.booleans())
    def block(self, member, is_blocked):
        ledger.block(account_id=self.members[member], is_blocked=is_blocked)
        self.model.accounts[self.members[member]].is_blocked = is_blocked

    # What else happens: time passes, jobs come by, requests come twice

    @rule(minutes=st.integers(1, 4 * 24 * 60))
    def wait(self, minutes):
        self.model.wait_until(self.model.now + timedelta(minutes=minutes))
        self.compare()

    @rule()
    def wait_until_midnight(self):
        midnight = datetime.combine(self.day(1), datetime.min.time(), MOSCOW)
        self.model.wait_until(midnight - timedelta(microseconds=1))
        self.compare()
        self.model.wait_until(midnight)
        self.compare()

    @rule()
    def settle_by_a_job(self):
        while settle(self.model.now):
            pass
        self.compare()
        self.compare_rows()

    @precondition(lambda self: self.answers)
    @rule(pick=PICKS)
    def repeat(self, pick):
        operation, arguments, key, answer = self.answers[pick % len(self.answers)]
        before = every_row()
        # A repeat is later than the first, and gets the answer of then.
        assert self.answer(operation, {**arguments, "at": self.model.now}, key) == answer
        assert every_row() == before

    @precondition(lambda self: self.answers)
    @rule(pick=PICKS, member=MEMBERS)
    def use_a_key_for_something_else(self, pick, member):
        _operation, _arguments, key, _answer = self.answers[pick % len(self.answers)]
        before = every_row()
        try:
            with transaction.atomic():
                ledger.adjust(key=key, account_id=self.members[member], points=-997, at=self.model.now)
        except KeyReused:
            assert every_row() == before
        else:
            raise AssertionError("A key was used twice.")

    # How the two are held against each other

    def ask(self, operation, arguments, model_does, is_tidy=False):
        """Ask the ledger, then the model; both do the same, or refuse for the same reason."""
        if is_tidy:
            self.settle_by_a_job()
            before = every_row()
        key = uuid4()
        answer = self.answer(operation, arguments, key)
        self.answers.append((operation, arguments, key, answer))
        try:
            model_does(answer if isinstance(answer, int) else 0)
            was_refused = None
        except Refused as refusal:
            was_refused = refusal.args
        if was_refused is None:
            assert isinstance(answer, int), answer
        else:
            assert answer == was_refused
        if was_refused and is_tidy:
            after = every_row()
            after["request"] = [row for row in after["request"] if row[0] != key]
            assert after == before
        self.model.wait_until(self.model.now)
        self.compare()

    def answer(self, operation, arguments, key: UUID):
        """The posting's id, or the refusal."""
        try:
            return getattr(ledger, operation)(key=key, **arguments).posting_id
        except PointsRefused as refusal:
            return (refusal.code, refusal.limit_points)

    def compare(self):
        """L2: every balance at this moment, whether or not a job has run."""
        zone = str(MOSCOW)
        balances = fetch("select * from ledger.balances(%s, %s, %s)", self.members, self.model.now, zone)
        expected = {
            member: (
                account.available,
                self.model.pending(member),
                self.model.held(member),
                account.debt,
                account.is_blocked,
            )
            for member, account in self.model.accounts.items()
        }
        assert {row[0]: row[1:] for row in balances} == expected
        spendable = fetch("select * from ledger.spendable(%s, %s, %s)", self.members, self.model.now, zone)
        assert {(member, day, fund): points for member, day, fund, points in spendable} == {
            (member, *lot): points
            for member, account in self.model.accounts.items()
            for lot, points in account.lots.items()
            if points
        }

    def compare_rows(self):
        """Once everything due is posted, the rows themselves say the same."""
        for account in PointsAccount.objects.filter(pk__in=self.members):
            expected = self.model.accounts[account.pk]
            assert (account.available_points, account.debt_points) == (expected.available, expected.debt)
        rows = fetch(
            """select account_id, expires_on, fund, points - held_points
                 from loyalty_lot where points > held_points"""
        )
        assert {row[:3]: row[3] for row in rows} == {
            (member, *lot): points
            for member, account in self.model.accounts.items()
            for lot, points in account.lots.items()
            if points
        }

    def day(self, days):
        return None if days is None else self.model.today + timedelta(days=days)

    def pick(self, things, pick):
        return list(things)[pick % len(things)]


def test_any_history_agrees_with_the_plain_program(db):
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
