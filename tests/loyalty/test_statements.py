"""The monthly statement: on the first at ten by the programme's clock, once, and its lines add up."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Message
from loyalty.services import ledger
from loyalty.services.statements import tell_statements
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn, give, give_back, hold, new_key, settle, spend, take_back

MOSCOW = ZoneInfo("Europe/Moscow")
FIRST = datetime(2026, 4, 1, 10, tzinfo=MOSCOW)


def statement(member):
    return Message.objects.get(member=member, kind="statement").facts


def test_statement_of_a_month_adds_up(ada, ben):
    earn(ada, 1_000, at=NOON - timedelta(days=30), until=date(2026, 3, 20))
    settle(NOON)
    credit_id = earn(ada, 150)
    earn(ada, 40, available_at=NOON + timedelta(days=5))
    spending_id = spend(ada, 300, at=NOON + timedelta(days=6))
    give_back(spending_id, 50, at=NOON + timedelta(days=7))
    take_back(credit_id, 20, at=NOON + timedelta(days=8))
    give(ada, ben, 60, at=NOON + timedelta(days=8))
    give(ben, ada, 7, at=NOON + timedelta(days=8))
    hold(ada, 11, at=NOON + timedelta(days=8), hours=2_000)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-5, at=NOON + timedelta(days=9))
    settle(datetime(2026, 4, 1, 0, 1, tzinfo=MOSCOW))
    # What happens later is the next month's, although the statement is made after it.
    earn(ada, 9_999, at=datetime(2026, 4, 1, 0, 1, tzinfo=MOSCOW))

    assert tell_statements(at=FIRST) == 2

    facts = statement(ada)
    assert facts["month_on"] == "2026-03-01"
    assert facts["opening_points"] == 1_000
    assert facts["changes"] == {
        "earned": 190,
        "spent": -311,
        "returned": 30,
        "received": 7,
        "given": -60,
        "expired": facts["changes"]["expired"],
        "adjusted": -5,
    }
    assert facts["changes"]["expired"] < 0
    assert facts["closing_points"] == 1_000 + sum(facts["changes"].values())
    assert Message.objects.get(member=ada, kind="statement").key == "statement:2026-03"
    other = statement(ben)
    assert (other["opening_points"], other["changes"]["received"], other["changes"]["given"]) == (0, 60, -7)


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (FIRST - timedelta(minutes=1), None),
        (FIRST, "2026-03-01"),
        (FIRST + timedelta(days=20), "2026-03-01"),
        (datetime(2027, 1, 1, 10, tzinfo=MOSCOW), "2026-12-01"),
    ],
)
def test_statement_comes_on_the_first_at_ten(ada, at, month):
    earn(ada, 100)

    assert tell_statements(at=at) == (month is not None)

    if month:
        assert statement(ada)["month_on"] == month


def test_statement_is_told_once_however_often_the_job_runs(ada, ben, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("loyalty.services.batches.BATCH_MEMBERS", 1)
    earn(ada, 100)
    earn(ben, 100)

    assert tell_statements(at=FIRST) == 2
    spend(ada, 30, at=FIRST)
    # Nobody who was told is added up again.
    with django_assert_num_queries(1):
        assert tell_statements(at=FIRST + timedelta(hours=1)) == 0

    # The figures are those of the month, whatever happens later.
    assert statement(ada)["closing_points"] == 100


def test_whoever_has_no_points_and_moved_none_gets_none(ada, ben):
    sandbox = MemberFactory(is_sandbox=True, user=None)
    earn(sandbox, 100)
    earn(ada, 100, at=NOON - timedelta(days=40))
    spend(ada, 100, at=NOON - timedelta(days=39))
    earn(ben, 100)
    spend(ben, 100)

    assert tell_statements(at=FIRST) == 1

    assert statement(ben)["closing_points"] == 0
