"""Points of which a person has yet to say whether they become available: nobody reads a day of it."""

import pytest
import time_machine
from django.conf import settings

from loyalty.exports import csv_parts
from loyalty.models import UNDECIDED_AT, Purpose
from loyalty.queries.balance import balance
from loyalty.queries.filters import EVERYTHING
from loyalty.queries.operations import operation
from loyalty.services import ledger
from loyalty.services.ledger import Note
from orders.api.answers.members import PendingAnswer
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.loyalty.points import NEW_YEAR, earn, new_key
from tests.pages import Page


@pytest.fixture
def undecided(ada) -> int:
    """The credit of points that wait for a decision."""
    return ledger.credit(
        key=new_key(),
        account_id=ada.pk,
        points=45,
        at=NOON,
        available_at=UNDECIDED_AT,
        expires_on=NEW_YEAR,
        note=Note(purpose=Purpose.REFERRAL, explanation={"friend": "Роман Л."}),
    ).posting_id


def test_they_are_pending_without_a_moment_after_those_that_have_one(ada, undecided):
    earn(ada, 10, available_at=TOMORROW_NOON)

    found = balance(account_id=ada.pk, at=NOON)

    assert found.pending_points == 55
    assert [(part.points, part.available_at) for part in found.pending] == [(10, TOMORROW_NOON), (45, None)]


def test_their_operation_has_no_moment_until_it_is_decided(ada, undecided):
    waiting = operation(account_id=ada.pk, posting_id=undecided)
    assert (waiting.available_at, waiting.is_undecided) == (None, True)

    ledger.schedule(key=new_key(), credit_id=undecided, available_at=TOMORROW_NOON, at=AN_HOUR_LATER)
    decided = operation(account_id=ada.pk, posting_id=undecided)
    assert (decided.available_at, decided.is_undecided) == (TOMORROW_NOON, False)


def test_nothing_waits_any_more_of_what_was_taken_back(ada, undecided):
    ledger.take_back(key=new_key(), credit_id=undecided, points=45, at=AN_HOUR_LATER)

    taken = operation(account_id=ada.pk, posting_id=undecided)

    assert (taken.available_at, taken.is_undecided) == (None, False)
    assert balance(account_id=ada.pk, at=AN_HOUR_LATER).pending == []


@pytest.mark.parametrize("address", ["/", "/operations/", "/operations/{undecided}/"])
def test_pages_say_that_they_are_checked_and_no_day(ada, client_of, undecided, address):
    client = client_of(ada)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    with time_machine.travel(NOON, tick=False):
        text = Page(client.get(address.format(undecided=undecided))).text

    assert "check" in text
    assert "9999" not in text
    assert "None" not in text


def test_the_file_and_the_api_say_no_day_either(ada, undecided):
    file = b"".join(csv_parts(account_id=ada.pk, filters=EVERYTHING, language="en")).decode()

    assert "45" in file
    assert "9999" not in file
    (part,) = balance(account_id=ada.pk, at=NOON).pending
    answer = PendingAnswer(points=part.points, available_at=part.available_at)
    assert answer.model_dump(mode="json") == {"points": 45, "available_at": None}
