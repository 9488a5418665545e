"""A member's life with points, in which every kind of operation happens."""

from datetime import date, datetime, timedelta

from accounts.models import Member
from loyalty.models import Purpose
from loyalty.services import ledger
from loyalty.services.ledger import Note
from tests.clock import NOON
from tests.loyalty.points import NEW_YEAR, new_key

FRIEND = "Клара З."
REASON = "Извините за остывший капучино"


def days_ago(days: int) -> datetime:
    """Noon, so many days ago."""
    return NOON - timedelta(days=days)


def order_note(number: str, order_id: int, **more: object) -> Note:
    """What an order says about its operations."""
    return Note(purpose=Purpose.ORDER, order_id=order_id, explanation={"order": number, **more})


def live(ada: Member, ben: Member) -> None:
    """Ada's winter: every kind of operation, some on one day, some recorded late."""
    in_winter = date(2026, 1, 31)
    first = _credit(ada, 1_000, days_ago(90), note=order_note("A-1", 1, outlet="Невский"))
    _credit(ada, 320, days_ago(89), until=in_winter, note=order_note("A-2", 2, outlet="Сайт"))
    _credit(
        ada,
        60,
        days_ago(80),
        note=Note(purpose=Purpose.REFERRAL, order_id=77, explanation={"friend": FRIEND}),
    )
    pending = _credit(
        ada, 300, days_ago(70), available_at=days_ago(60), note=order_note("W-3", 3, outlet="Сайт")
    )
    ledger.take_back(key=new_key(), credit_id=pending, points=40, at=days_ago(65), note=order_note("W-3", 3))
    spending = ledger.spend(
        key=new_key(), account_id=ada.pk, points=200, at=days_ago(50), note=order_note("A-4", 4)
    ).posting_id
    ledger.give_back(
        key=new_key(),
        spending_id=spending,
        points=50,
        at=days_ago(45),
        least_expires_on=NEW_YEAR,
        note=order_note("A-4", 4),
    )
    held = _hold(ada, 150, days_ago(30), order_note("W-5", 5))
    ledger.capture(key=new_key(), hold_id=held, points=100, at=days_ago(29), note=order_note("W-5", 5))
    ledger.release(key=new_key(), hold_id=held, points=50, at=days_ago(29), note=order_note("W-5", 5))
    given = ledger.transfer(
        key=new_key(),
        from_account_id=ada.pk,
        to_account_id=ben.pk,
        points=70,
        at=days_ago(20),
        note=Note(explanation={"from": "Ада И.", "to": "Бен С."}),
    ).posting_id
    ledger.reverse(
        key=new_key(), posting_id=given, at=days_ago(19), least_expires_on=NEW_YEAR, note=Note(explanation={})
    )
    _adjust(ada, 100, days_ago(10), until=NEW_YEAR)
    _adjust(ada, -30, days_ago(9))
    ledger.take_back(key=new_key(), credit_id=first, points=500, at=days_ago(8), note=order_note("A-1", 1))
    # A till that was offline sends its order of a fortnight ago today.
    _credit(ada, 33, days_ago(14), note=order_note("A-6", 6, outlet="Невский"))
    _credit(ada, 25, NOON, available_at=NOON + timedelta(days=14), note=order_note("A-7", 7))
    _hold(ada, 80, NOON, order_note("W-8", 8))


def _credit(
    member: Member,
    points: int,
    at: datetime,
    *,
    note: Note,
    until: date = NEW_YEAR,
    available_at: datetime | None = None,
) -> int:
    return ledger.credit(
        key=new_key(),
        account_id=member.pk,
        points=points,
        at=at,
        expires_on=until,
        available_at=available_at,
        note=note,
    ).posting_id


def _hold(member: Member, points: int, at: datetime, note: Note) -> int:
    return ledger.hold(
        key=new_key(),
        account_id=member.pk,
        points=points,
        at=at,
        expires_at=at + timedelta(days=2),
        note=note,
    ).posting_id


def _adjust(member: Member, points: int, at: datetime, *, until: date | None = None) -> None:
    ledger.adjust(
        key=new_key(),
        account_id=member.pk,
        points=points,
        at=at,
        expires_on=until,
        note=Note(explanation={"reason": REASON}),
    )


def earn_many(member: Member, count: int) -> None:
    """So many credits of 10 points for orders, a minute apart, until noon."""
    begun_at = NOON - timedelta(minutes=count)
    ledger.credit_many(
        rows=[
            ledger.CreditRow(
                key=new_key(),
                account_id=member.pk,
                points=10,
                at=begun_at + timedelta(minutes=turn),
                available_at=begun_at + timedelta(minutes=turn),
                expires_on=NEW_YEAR,
                note=ledger.Note(explanation={"order": f"A-{turn}"}),
            )
            for turn in range(count)
        ]
    )
