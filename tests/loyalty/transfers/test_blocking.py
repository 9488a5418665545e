"""Blocking an account, by staff or by one click in a letter, and what is written down of it."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import AuditRecord
from loyalty.errors import AccountBlocked, ReasonNeeded
from loyalty.models import PointsAccount
from loyalty.services.blocking import block_member, freeze_token, transfer_of_freeze_token, unblock_member
from tests.clock import NOON
from tests.loyalty.points import Balance, balance, earn
from tests.loyalty.transfers.giving import ask, recorded, transfer

BLOCKED, UNBLOCKED = AuditRecord.Action.ACCOUNT_BLOCKED, AuditRecord.Action.ACCOUNT_UNBLOCKED


def test_blocked_member_earns_and_gives_nothing_until_unblocked(ada, ben, stan):
    earn(ada, 100)

    block_member(member=ada, at=NOON, actor_id=stan.pk, reason="A call about a stolen phone")
    earn(ada, 10)
    with pytest.raises(AccountBlocked):
        ask(ada, ben)
    unblock_member(member=ada, at=NOON, actor_id=stan.pk, reason="It was found")

    assert balance(ada) == Balance(available=110)
    assert ask(ada, ben).points == 100
    assert recorded(BLOCKED) == [{"reason": "A call about a stolen phone"}]
    assert recorded(UNBLOCKED) == [{"reason": "It was found"}]
    assert set(AuditRecord.objects.exclude(actor_id=None).values_list("member", "actor_id")) >= {
        (ada.pk, stan.pk)
    }


def test_sent_twice_it_is_written_down_once(ada, stan):
    for _ in range(2):
        block_member(member=ada, at=NOON, actor_id=None, reason="The letter")
    assert PointsAccount.objects.get(pk=ada.pk).is_blocked
    for _ in range(2):
        unblock_member(member=ada, at=NOON, actor_id=stan.pk, reason="A call")

    assert (len(recorded(BLOCKED)), len(recorded(UNBLOCKED))) == (1, 1)


def test_unblocking_who_is_not_blocked_is_nothing(ada, stan):
    unblock_member(member=ada, at=NOON, actor_id=stan.pk, reason="A call")
    assert recorded(UNBLOCKED) == []


def test_nobody_is_blocked_without_a_reason(ada, stan):
    with pytest.raises(ReasonNeeded):
        block_member(member=ada, at=NOON, actor_id=stan.pk, reason=" ")


def test_token_of_a_letter_names_its_transfer_for_thirty_days(ada, ben):
    earn(ada, 100)
    with time_machine.travel(NOON, tick=False):
        made = transfer(ada, ben)
        token = freeze_token(made.number)
    with time_machine.travel(NOON + timedelta(days=30), tick=False):
        assert transfer_of_freeze_token(token) == made
    with time_machine.travel(NOON + timedelta(days=30, seconds=2), tick=False):
        assert transfer_of_freeze_token(token) is None


def test_token_is_over_once_staff_have_unblocked_the_account(ada, ben, stan):
    earn(ada, 100)
    token = freeze_token((made := transfer(ada, ben, 10)).number)
    later = NOON + timedelta(minutes=1)
    block_member(member=ada, at=later, actor_id=None, reason="The letter")
    assert transfer_of_freeze_token(token) == made

    unblock_member(member=ada, at=later, actor_id=stan.pk, reason="A call")

    assert transfer_of_freeze_token(token) is None
    # The letter of a later transfer has a link that works.
    after = transfer(ada, ben, 10, at=later + timedelta(minutes=1))
    assert transfer_of_freeze_token(freeze_token(after.number)) == after


@pytest.mark.parametrize(
    "forge", [lambda t: "", lambda t: t[:-1], lambda t: "1" + t[1:] + "x", lambda t: "a:b:c"]
)
def test_forged_token_names_nothing(ada, ben, forge):
    earn(ada, 100)
    assert transfer_of_freeze_token(forge(freeze_token(transfer(ada, ben).number))) is None
