"""The ledger's promises as a plain program: dictionaries and loops, no database, no jobs, no keys.

It does at once whatever becomes due, for every account, at every step. The real ledger does it when
a job comes by or somebody touches the account; a property test holds the two against each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Points that expire on one day and come from one fund are one lot.
type_of_lot = tuple[date | None, str]


class Refused(Exception):
    """What the ledger would not do, and how many points there could have been."""

    def __init__(self, code: str, limit_points: int = 0) -> None:
        super().__init__(code, limit_points)


def soonest_first(lot: type_of_lot) -> tuple[bool, date, str]:
    """L5: never-expiring points come last."""
    day, fund = lot
    return (day is None, day or date.max, fund)


@dataclass
class Credit:
    account: int
    points: int
    lot: type_of_lot
    available_at: datetime
    taken_back: int = 0
    is_pending: bool = True


@dataclass
class Hold:
    account: int
    parts: dict[type_of_lot, int]
    expires_at: datetime

    @property
    def points(self) -> int:
        return sum(self.parts.values())

    def draw(self, points: int) -> Iterator[tuple[type_of_lot, int]]:
        yield from draw(self.parts, points, sorted(self.parts, key=soonest_first))


@dataclass
class Account:
    lots: dict[type_of_lot, int] = field(default_factory=dict)
    debt: int = 0
    is_blocked: bool = False

    @property
    def available(self) -> int:
        return sum(self.lots.values())

    def receive(self, lot: type_of_lot, points: int) -> int:
        """L8: a debt is settled first. What comes back is how many points that took."""
        settled = min(self.debt, points)
        self.debt -= settled
        self.lots[lot] = self.lots.get(lot, 0) + points - settled
        return settled

    def draw(self, points: int, first: type_of_lot | None = None) -> Iterator[tuple[type_of_lot, int]]:
        """L5: soonest-expiring first, but before all others from the lot `first`."""
        order = sorted(self.lots, key=lambda lot: (lot != first, soonest_first(lot)))
        yield from draw(self.lots, points, order)


def draw(
    source: dict[type_of_lot, int], points: int, order: list[type_of_lot]
) -> Iterator[tuple[type_of_lot, int]]:
    for lot in order:
        part = min(source[lot], points)
        source[lot] -= part
        points -= part
        if part:
            yield lot, part


class Ledger:
    """Every operation by its name; what comes back is the number of the thing it made."""

    def __init__(self, now: datetime, zone: ZoneInfo) -> None:
        self.now = now
        self.zone = zone
        self.accounts: dict[int, Account] = {}
        self.credits: dict[int, Credit] = {}
        self.holds: dict[int, Hold] = {}
        # A spending is what is still not given back of it, latest-expiring first.
        self.spendings: dict[int, tuple[int, list[tuple[type_of_lot, int]]]] = {}
        # What can be reversed: each account's part of it, lot by lot; None once it cannot be.
        self.moves: dict[int, list[tuple[int, type_of_lot, int]] | str] = {}

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def pending(self, account: int) -> int:
        return sum(
            c.points - c.taken_back for c in self.credits.values() if c.account == account and c.is_pending
        )

    def held(self, account: int) -> int:
        return sum(hold.points for hold in self.holds.values() if hold.account == account)

    def wait_until(self, now: datetime) -> None:
        """L2: time alone matures, frees and expires points, in the order of the moments."""
        self.now = now
        while due := min(self._due(), key=lambda event: event[:3], default=None):
            due[3]()

    def _due(self) -> Iterator[tuple[datetime, int, int, Callable[[], None]]]:
        for number, credit in self.credits.items():
            if credit.is_pending and credit.available_at <= self.now:
                yield credit.available_at, 1, number, lambda credit=credit: self._mature(credit)
        for number, hold in self.holds.items():
            if hold.points and hold.expires_at <= self.now:
                yield (
                    hold.expires_at,
                    2,
                    number,
                    lambda number=number, hold=hold: self._free(hold, hold.points),
                )
        for account in self.accounts.values():
            for lot, points in account.lots.items():
                if points and lot[0] and lot[0] < self.today:
                    over_at = datetime.combine(lot[0] + timedelta(days=1), time(), self.zone)
                    yield over_at, 3, 0, lambda account=account, lot=lot: account.lots.update({lot: 0})

    def _mature(self, credit: Credit) -> None:
        credit.is_pending = False
        self.accounts[credit.account].receive(credit.lot, credit.points - credit.taken_back)

    def _free(self, hold: Hold, points: int) -> None:
        for lot, part in hold.draw(points):
            self.accounts[hold.account].receive(lot, part)

    def _refuse_to_give(self, account: Account, points: int) -> None:
        if account.is_blocked:
            raise Refused("account_blocked")
        if account.available < points:  # L3
            raise Refused("not_enough_points", account.available)

    def credit(
        self, number: int, account: int, points: int, lot: type_of_lot, available_at: datetime
    ) -> None:
        credit = self.credits[number] = Credit(account, points, lot, available_at)
        if available_at <= self.now:
            self._mature(credit)  # L6: the lot is chosen here, once and for all.

    def schedule(self, number: int, available_at: datetime) -> None:
        if not self.credits[number].is_pending:
            raise Refused("not_pending")
        self.credits[number].available_at = max(available_at, self.now)

    def spend(self, number: int, account: int, points: int) -> None:
        self._refuse_to_give(self.accounts[account], points)
        self._spent(number, account, list(self.accounts[account].draw(points)))

    def _spent(self, number: int, account: int, parts: list[tuple[type_of_lot, int]]) -> None:
        latest_first = sorted(parts, key=lambda part: part[0][1])
        latest_first.sort(key=lambda part: part[0][0] or date.max, reverse=True)
        self.spendings[number] = (account, latest_first)

    def hold(self, number: int, account: int, points: int, expires_at: datetime) -> None:
        self._refuse_to_give(self.accounts[account], points)
        self.holds[number] = Hold(account, dict(self.accounts[account].draw(points)), expires_at)

    def capture(self, number: int, hold_number: int, points: int) -> None:
        hold = self._open_hold(hold_number, points)
        self._spent(number, hold.account, list(hold.draw(points)))

    def release(self, hold_number: int, points: int) -> None:
        self._free(self._open_hold(hold_number, points), points)

    def _open_hold(self, number: int, points: int) -> Hold:
        if self.holds[number].points < points:
            raise Refused("above_hold", self.holds[number].points)
        return self.holds[number]

    def give_back(self, spending: int, points: int) -> None:
        account, parts = self.spendings[spending]
        left = sum(part for _lot, part in parts)
        if left < points:
            raise Refused("above_spending", left)
        while points:
            (day, fund), part = parts.pop(0)
            if part > points:
                parts.insert(0, ((day, fund), part - points))
            # L8: the old last day, but 30 days at least.
            lives_until = day and max(day, self.today + timedelta(days=30))
            self.accounts[account].receive((lives_until, fund), min(part, points))
            points -= min(part, points)

    def take_back(self, number: int, points: int) -> None:
        credit = self.credits[number]
        if credit.points - credit.taken_back < points:
            raise Refused("above_credit", credit.points - credit.taken_back)
        credit.taken_back += points
        if not credit.is_pending:
            self._take(credit.account, points, first=credit.lot)
        elif credit.taken_back == credit.points:
            credit.is_pending = False

    def _take(
        self, account: int, points: int, first: type_of_lot | None = None
    ) -> list[tuple[type_of_lot, int]]:
        """L8: what is not there any more becomes a debt."""
        parts = list(self.accounts[account].draw(points, first))
        self.accounts[account].debt += points - sum(part for _lot, part in parts)
        return parts

    def transfer(self, number: int, giver: int, receiver: int, points: int) -> None:
        self._refuse_to_give(self.accounts[giver], points)
        settled = 0
        moves = self.moves[number] = []
        for lot, part in self.accounts[giver].draw(points):
            settled += self.accounts[receiver].receive(lot, part)  # L7: the lot goes along.
            moves += [(giver, lot, -part), (receiver, lot, part)]
        if settled:
            self.moves[number] = "not_reversible"

    def adjust(self, number: int, account: int, points: int, lot: type_of_lot, may_owe: bool) -> None:
        owner = self.accounts[account]
        if points > 0:
            settled = owner.receive(lot, points)
            self.moves[number] = "not_reversible" if settled else [(account, lot, points)]
            return
        if not may_owe and owner.available < -points:
            raise Refused("not_enough_points", owner.available)
        debt_before = owner.debt
        parts = self._take(account, -points)
        has_debt = owner.debt > debt_before
        self.moves[number] = "not_reversible" if has_debt else [(account, lot, -part) for lot, part in parts]

    def reverse(self, number: int) -> None:
        moves = self.moves[number]
        if isinstance(moves, str):
            raise Refused(moves)
        missing = sum(
            max(0, points - self.accounts[account].lots[lot]) for account, lot, points in moves if points > 0
        )
        if missing:
            raise Refused("points_moved_on", missing)
        for account, (day, fund), points in moves:
            if points > 0:
                self.accounts[account].lots[day, fund] -= points
            else:
                lives_until = self.today + timedelta(days=30) if day and day < self.today else day
                self.accounts[account].receive((lives_until, fund), -points)
        self.moves[number] = "already_reversed"
