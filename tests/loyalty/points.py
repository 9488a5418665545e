"""Short words for the ledger in tests: earn, pay, and what a member then has."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connection

from accounts.models import Member
from loyalty.models import Fund
from loyalty.services import ledger
from tests.clock import NOON

MOSCOW = "Europe/Moscow"
TABLES = ("points_account", "posting", "entry", "lot", "credit", "hold", "spending", "request")
NEW_YEAR = date(2027, 1, 1)
TODAY = NOON.date()


class Balance(NamedTuple):
    """The four numbers of an account."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


def new_key() -> UUID:
    """A key that no request has used."""
    return uuid4()


def earn(
    member: Member,
    points: int,
    *,
    until: date | None = NEW_YEAR,
    at: datetime = NOON,
    available_at: datetime | None = None,
    fund: Fund = Fund.PURCHASES,
) -> int:
    """Credit points; what comes back is the credit's id."""
    return ledger.credit(
        key=new_key(),
        account_id=member.pk,
        points=points,
        at=at,
        expires_on=until,
        available_at=available_at,
        fund=fund,
    ).posting_id


def spend(member: Member, points: int, *, at: datetime = NOON) -> int:
    """Pay with points; what comes back is the spending's id."""
    return ledger.spend(key=new_key(), account_id=member.pk, points=points, at=at).posting_id


def hold(member: Member, points: int, *, at: datetime = NOON, hours: int = 24) -> int:
    """Set points aside; what comes back is the hold's id."""
    return ledger.hold(
        key=new_key(), account_id=member.pk, points=points, at=at, expires_at=at + timedelta(hours=hours)
    ).posting_id


def give(giver: Member, receiver: Member, points: int, *, at: datetime = NOON) -> int:
    """Transfer points; what comes back is the posting's id."""
    return ledger.transfer(
        key=new_key(), from_account_id=giver.pk, to_account_id=receiver.pk, points=points, at=at
    ).posting_id


def give_back(spending_id: int, points: int, *, at: datetime = NOON, least: date | None = None) -> int:
    """Give spent points back, for 30 days at least."""
    least = least or (at + timedelta(days=30)).date()
    return ledger.give_back(
        key=new_key(), spending_id=spending_id, points=points, at=at, least_expires_on=least
    ).posting_id


def take_back(credit_id: int, points: int, *, at: datetime = NOON) -> int:
    """Take credited points back."""
    return ledger.take_back(key=new_key(), credit_id=credit_id, points=points, at=at).posting_id


def balance(member: Member, *, at: datetime = NOON) -> Balance:
    """The account as it is at a moment, whatever jobs have run."""
    found = fetch(
        "select available_points, pending_points, held_points, debt_points from ledger.balances(%s, %s, %s)",
        [member.pk],
        at,
        MOSCOW,
    )
    return Balance(*found[0]) if found else Balance()


def spendable(member: Member, *, at: datetime = NOON) -> dict[date | None, int]:
    """What can be spent at a moment, by last day."""
    return {
        day: int(points)
        for day, points in fetch(
            "select expires_on, sum(points) from ledger.spendable(%s, %s, %s) group by expires_on order by 1",
            [member.pk],
            at,
            MOSCOW,
        )
    }


def lots(member: Member) -> dict[date | None, tuple[int, int]]:
    """The lots as they are stored, the empty ones too: points and, of them, held, by last day."""
    return {
        day: (points, held)
        for day, points, held in fetch(
            "select expires_on, points, held_points from loyalty_lot where account_id = %s order by 1",
            member.pk,
        )
    }


def settle(at: datetime) -> int:
    """What the job does every minute; the number of accounts it found something to do on."""
    return ledger.settle_due(at=at, limit=500)


def every_row() -> dict[str, list[Any]]:
    """The whole ledger, to compare before and after."""
    return {table: fetch(f"select * from loyalty_{table} order by 1, 2") for table in TABLES}


def fetch(sql: str, *parameters: object) -> list[Any]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall()


def execute(sql: str) -> None:
    """Run a statement that returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
