"""What pages and the console read of transfers: whose they are, lists, numbers."""

from uuid import uuid4

import pytest

from loyalty.queries.transfers import (
    intent_of,
    transfer_by_key,
    transfer_for,
    transfer_numbers,
    transfers_page,
)
from loyalty.services.transfers import take_back_transfer
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, give
from tests.loyalty.transfers.giving import ask, confirm, proved_intent, transfer


@pytest.fixture
def cid(db):
    return MemberFactory(has_login=True)


def test_receipt_is_for_both_sides_and_nobody_else(ada, ben, cid):
    earn(ada, 100)
    made = transfer(ada, ben)

    assert transfer_for(ada, made.number) == transfer_for(ben, made.number) == made
    assert transfer_for(cid, made.number) is None
    assert transfer_for(ada, "") is None


def test_intent_is_for_its_sender_only(ada, ben):
    earn(ada, 100)
    intent = ask(ada, ben)

    assert intent_of(ada, intent.key) == intent
    assert intent_of(ben, intent.key) is None
    assert intent_of(ada, uuid4()) is None
    assert transfer_by_key(intent.key) is None


def test_numbers_behind_operations(ada, ben):
    publish_edition(transfer_cooling_hours=1)
    earn(ada, 100)
    made = transfer(ada, ben, 10)
    ended = take_back_transfer(transfer=transfer(ada, ben, 20), at=NOON, actor_id=None)
    by_hand = give(ada, ben, 1)

    assert transfer_numbers([made.posting_id, ended.posting_id, ended.reversal_id, by_hand]) == {
        made.posting_id: made.number,
        ended.posting_id: ended.number,
        ended.reversal_id: ended.number,
    }
    assert transfer_numbers([ended.reversal_id]) == {ended.reversal_id: ended.number}


def test_pages_go_there_and_back(ada, ben):
    earn(ada, 100)
    made = [transfer(ada, ben, points) for points in range(1, 8)][::-1]

    first = transfers_page(limit=3)
    second = transfers_page(before=first.older_cursor, limit=3)
    third = transfers_page(before=second.older_cursor, limit=3)

    assert [*first.transfers, *second.transfers, *third.transfers] == made
    assert (first.newer_cursor, third.older_cursor) == (None, None)
    assert transfers_page(after=third.newer_cursor, limit=3).transfers == second.transfers
    back = transfers_page(after=second.newer_cursor, limit=3)
    assert (back.transfers, back.newer_cursor) == (first.transfers, None)
    assert transfers_page(after=first.transfers[0].pk).transfers == []


def test_page_of_a_number(ada, ben, cid):
    earn(ada, 100)
    to_ben, to_cid = transfer(ada, ben, 10), transfer(ada, cid, 20)

    assert transfers_page(number=to_ben.number).transfers == [to_ben]
    assert transfers_page().transfers == [to_cid, to_ben]
    assert transfers_page(number="no such").transfers == []


@pytest.mark.parametrize("count", [1, 30])
def test_page_is_one_query_however_many_there_are(ada, ben, count, django_assert_num_queries):
    earn(ada, 1000)
    for points in range(1, count + 1):
        confirm(proved_intent(ada, ben, points))
    with django_assert_num_queries(1):
        names = [(one.sender.masked_name, one.recipient.masked_name) for one in transfers_page().transfers]
    assert len(names) == min(count, 25)
