"""The page of one operation: why it is that number, which lots it touched, what belongs with it."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty import wording
from loyalty.models import Posting
from loyalty.queries.lines import lines_with_lots, operation_lines
from loyalty.queries.operations import operations_page
from loyalty.services import ledger
from loyalty.services.ledger import Note
from orders.services.orders import cancel_order
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.lives import days_ago, live
from tests.loyalty.points import NEW_YEAR, earn, fetch, give, hold, new_key, settle, spend, take_back
from tests.pages import Page
from tests.supervisor.given import gift


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(TOMORROW_NOON, tick=False):
        yield


@pytest.fixture
def client(ada, client_of) -> Client:
    """Ada's browser, in English."""
    client = client_of(ada)
    client.cookies["django_language"] = "en"
    return client


def opened(client: Client, posting_id: int) -> Page:
    response = client.get(f"/operations/{posting_id}/")
    assert response.status_code == 200
    return Page(response)


def latest(member) -> int:
    return operations_page(account_id=member.pk, limit=1).operations[0].posting_id


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_operation_has_its_page(ada, ben, client_of, language):
    live(ada, ben)
    for member in (ada, ben):
        client = client_of(member)
        client.cookies["django_language"] = language
        for operation in operations_page(account_id=member.pk, limit=100).operations:
            page = opened(client, operation.posting_id)
            assert (page.count("h1"), page.count("title")) == (1, 1)
            assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)


def test_derivation_leads_from_the_order_to_the_points(ada, paid, client):
    publish_edition(("Bronze", 0, "0.03"), ("Silver", 1_000, "0.05"))
    paid(ada, 3_000, at=days_ago(7))
    earn(ada, 500, at=days_ago(6))
    paid(ada, 4_990, points=200, delivery_sum=Decimal(290))

    text = plain(opened(client, latest(ada)).text)

    assert "order 4,990 ₽ − delivery 290 ₽ − 200 points = 4,500 ₽" in text
    assert "4,500 ₽ × 5% (Silver since 3 March 2026, edition 2), rounded down = 225 points" in text


def test_derivation_of_an_order_without_deductions_begins_with_its_sum(ada, paid, client):
    paid(ada, 1_000)

    text = plain(opened(client, latest(ada)).text)

    assert "Why this number order 1,000 ₽1,000 ₽ × 3% (" in text


def test_derivation_names_the_tier_of_then(ada, paid, client):
    publish_edition(("Bronze", 0, "0.03"), ("Silver", 5_000, "0.05"))
    paid(ada, 1_000, at=days_ago(9))
    first = latest(ada)
    paid(ada, 9_000, at=days_ago(2))
    second = latest(ada)

    assert "(Bronze since 1 March 2026, edition 2)" in opened(client, first).text
    assert "(Silver since 8 March 2026, edition 2)" in opened(client, second).text


def test_page_shows_the_lots_before_and_after(ada, client):
    earn(ada, 100, until=date(2026, 6, 30))
    earn(ada, 300, until=None)
    paid_with = spend(ada, 150)
    earn(ada, 7, until=date(2026, 6, 30))

    page = opened(client, paid_with)

    assert "Balance before 400 Change −150minus 150\u00a0points Balance after 250" in page.text
    assert "Available −100minus 100\u00a0points 30 June 2026 100 → 0" in page.text
    assert "Available −50minus 50\u00a0points never expire 300 → 250" in page.text


def test_lots_add_up_to_what_the_ledger_has(ada, ben):
    live(ada, ben)
    after: dict[tuple[date | None, str], int] = {}
    for operation in reversed(operations_page(account_id=ada.pk, limit=100).operations):
        for line in lines_with_lots(account_id=ada.pk, posting_id=operation.posting_id):
            if line.lot_points_after is not None:
                place = (line.expires_on, line.bucket.value)
                assert line.lot_points_before == after.get(place, 0)
                after[place] = line.lot_points_after

    assert {(day, bucket): points for (day, bucket), points in after.items() if points} == {
        (day, bucket): points
        for day, available, held in fetch(
            "select expires_on, sum(points - held_points), sum(held_points) from loyalty_lot"
            " where account_id = %s group by 1",
            ada.pk,
        )
        for bucket, points in (("available", available), ("held", held))
        if points
    }


def test_pending_points_know_their_last_day_already(ada, client):
    credit = earn(ada, 60, available_at=TOMORROW_NOON + timedelta(days=1))
    taken = take_back(credit, 20)

    text = opened(client, credit).text
    assert "Pending +60plus 60\u00a0points 1 January 2027" in text
    assert "They can be spent from 12 March 2026." in text
    assert "Balance before 0 Pending +60plus 60\u00a0points Balance after 0" in text
    assert "Pending −20minus 20\u00a0points 1 January 2027" in opened(client, taken).text


def test_the_first_line_says_what_was_done(ada, ben, client, placed):
    earn(ada, 500)
    gift(ada, ben, 100)
    given = latest(ada)
    gift(ben, ada, 30)
    got = latest(ada)
    placed(ada, 900, points=250)
    held = latest(ada)

    text = plain(opened(client, given).text)
    assert "Why this number You gave 100 points to Бен С., without a fee.Points that are given" in text
    assert "Why this number Бен С. gave you 30 points, without a fee." in plain(opened(client, got).text)
    text = plain(opened(client, held).text)
    assert re.search(r"Why this number ?You set 250 points aside to pay for order \S+\.", text)


def test_points_that_became_available_repeat_how_they_were_earned(ada, paid, client):
    publish_edition(("Bronze", 0, "0.03"), waiting_days=1)
    paid(ada, 1_000, at=days_ago(3))
    settle(NOON)

    text = plain(opened(client, latest(ada)).text)

    assert re.search(r"30 points for order \S+: 1,000 ₽ × 3%\. ?Their waiting time is over", text)


def test_transfer_and_its_reversal_lead_to_each_other(ada, ben, client):
    earn(ada, 500)
    given = give(ada, ben, 300)
    undone = ledger.reverse(
        key=new_key(), posting_id=given, at=AN_HOUR_LATER, least_expires_on=NEW_YEAR
    ).posting_id

    there, back = opened(client, given), opened(client, undone)

    assert "Was undone by Taken back: transfer to" in there.text
    assert f"/operations/{undone}/" in there.hrefs()
    assert "Undoes Transfer to" in back.text
    assert f"/operations/{given}/" in back.hrefs()


def test_hold_and_what_became_of_it_lead_to_each_other(ada, client):
    earn(ada, 500)
    held = hold(ada, 300)
    captured = ledger.capture(key=new_key(), hold_id=held, points=200, at=AN_HOUR_LATER).posting_id
    ledger.release(key=new_key(), hold_id=held, points=100, at=AN_HOUR_LATER)

    assert opened(client, held).text.count("Went on with") == 2
    text = opened(client, captured).text
    assert "Goes on from Set aside" in text
    assert "Goes on from the same operation Released" in text


def test_operations_of_an_order_lead_to_each_other(ada, paid, client):
    earn(ada, 500)
    order = paid(ada, 1_000, points=200)
    earned = latest(ada)
    cancel_order(order=order, cancelled_at=AN_HOUR_LATER)

    page = opened(client, earned)

    assert "Points were taken back by Taken back: order A-1 was returned" in page.text
    assert "Of the same order Order A-1 paid with the points set aside" in page.text
    assert "Of the same order Points returned to you: order A-1" in page.text
    assert f"/orders/{order.pk}/" in page.hrefs()


def test_friends_order_leads_to_no_order(ada, client):
    share = ledger.credit(
        key=new_key(),
        account_id=ada.pk,
        points=10,
        at=NOON,
        expires_on=NEW_YEAR,
        note=Note(purpose=ledger.Purpose.REFERRAL, order_id=4_711, explanation={"friend": "Клара З."}),
    ).posting_id

    page = opened(client, share)

    assert "4711" not in "".join(page.hrefs())
    assert "Of the same order" not in page.text


def test_related_operations_are_ones_own(ada, ben, client, client_of):
    earn(ada, 500)
    given = give(ada, ben, 300)
    spend(ben, 1)
    undone = ledger.transfer(
        key=new_key(), from_account_id=ada.pk, to_account_id=ben.pk, points=10, at=NOON
    ).posting_id

    assert client.get(f"/operations/{undone}/").status_code == 200
    assert [line.points for line in operation_lines(account_id=ben.pk, posting_ids=[given])] == [300]
    assert [line.points for line in operation_lines(account_id=ada.pk, posting_ids=[given])] == [-300]
    assert client_of(ben).get(f"/operations/{spend(ben, 1)}/").status_code == 200
    assert client.get(f"/operations/{latest(ben)}/").status_code == 404


def test_page_takes_the_same_queries_for_one_relation_and_for_many(ada, client):
    earn(ada, 500)
    spent = [spend(ada, 100), spend(ada, 100)]
    for points in [1] * 20:
        ledger.give_back(
            key=new_key(), spending_id=spent[1], points=points, at=NOON, least_expires_on=NEW_YEAR
        )
    ledger.give_back(key=new_key(), spending_id=spent[0], points=1, at=NOON, least_expires_on=NEW_YEAR)

    counts = []
    for posting_id in (*spent, spent[0]):
        with CaptureQueriesContext(connection) as captured:
            page = opened(client, posting_id)
        counts.append(len(captured))
    assert opened(client, spent[1]).text.count("Points were returned by") == 20
    assert page.text.count("Points were returned by") == 1
    assert counts[1] == counts[2] <= 8


def test_transfer_names_the_other_side_only(ada, ben, in_english):
    live(ada, ben)

    texts = [
        [
            wording.title(one)
            for one in operations_page(account_id=member.pk, limit=100).operations
            if one.kind in (Posting.Kind.TRANSFER, Posting.Kind.REVERSE)
        ]
        for member in (ada, ben)
    ]

    assert texts == [
        ["Taken back: transfer to Бен С.", "Transfer to Бен С."],
        ["Taken back: transfer from Ада И.", "Transfer from Ада И."],
    ]
