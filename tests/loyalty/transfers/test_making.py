"""From the form to the receipt: what a transfer is, that it is made once, and what both are told."""

from contextlib import nullcontext
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.core import mail
from django.db import DatabaseError
from django.db.transaction import atomic

from accounts.models import AuditRecord, Member, Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.errors import AccountBlocked, IntentOver, NotEnoughPoints, ProofNeeded, RecipientUnavailable
from loyalty.models import Posting, Transfer, TransferIntent
from loyalty.queries.transfers import same_transfer_before, transfer_for
from loyalty.services import ledger
from loyalty.services.blocking import block_member, transfer_of_freeze_token, unblock_member
from loyalty.services.transfers import making
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import Balance, balance, earn, every_row, fetch, new_key, spend, spendable
from tests.loyalty.transfers.giving import ask, broken_promises, confirm, messages, recorded, transfer

SPRING, SUMMER = date(2026, 4, 30), date(2026, 7, 31)
LATER = NOON + timedelta(minutes=29)


def test_points_go_over_with_their_last_days(ada, ben):
    earn(ada, 100, until=SUMMER)
    earn(ada, 50, until=SPRING)

    made = transfer(ada, ben, 70)

    assert spendable(ada) == {SUMMER: 80}
    assert spendable(ben) == {SPRING: 50, SUMMER: 20}
    assert (made.sender, made.recipient, made.points, made.made_at) == (ada, ben, 70, NOON)
    assert (made.how, made.actor_id, made.proof, made.rule_set.number) == (
        "cabinet",
        ada.user_id,
        "password",
        1,
    )
    assert broken_promises() == []


def test_posting_names_both_as_others_see_them(ada, ben):
    earn(ada, 100)

    posting = Posting.objects.get(pk=transfer(ada, ben).posting_id)

    assert posting.explanation == {"from": "Ада И.", "to": "Бен С."}
    assert (posting.actor_id, posting.effective_at) == (ada.user_id, NOON)


def test_number_has_ten_digits_and_does_not_come_from_the_id(ada, ben):
    earn(ada, 100)

    numbers = [transfer(ada, ben, 1).number for _ in range(5)]

    assert all(number.isdigit() and len(number) == 10 and number[0] != "0" for number in numbers)
    assert len({int(after) - int(before) for before, after in pairwise(numbers)}) == 4
    assert transfer_for(ben, numbers[3]).number == numbers[3]


def test_taken_number_is_followed_by_another(ada, ben, monkeypatch):
    earn(ada, 100)
    taken = transfer(ada, ben, 1).number
    numbers = iter([taken, taken, "1234567890"])
    monkeypatch.setattr(making, "new_number", lambda: next(numbers))

    assert transfer(ada, ben, 1).number == "1234567890"
    assert Transfer.objects.count() == 2


def test_both_sides_are_told(ada, ben):
    publish_edition(transfer_cooling_hours=2)
    earn(ada, 150, until=SPRING)

    made = transfer(ada, ben, 100)

    [(sent, told_ada)], [(received, told_ben)] = messages(ada), messages(ben)
    token = told_ada.pop("freeze_token")
    assert (sent, told_ada) == (
        "transfer_sent",
        {
            "number": made.number,
            "points": 100,
            "to": "Бен С.",
            "available_after": 50,
            "take_back_until_at": (NOON + timedelta(hours=2)).isoformat(),
        },
    )
    assert transfer_of_freeze_token(token) == made
    assert (received, told_ben) == (
        "transfer_received",
        {"number": made.number, "points": 100, "from": "Ада И.", "first_expires_on": "2026-04-30"},
    )


def test_address_is_asked_when_the_letter_is_sent(ada):
    shy = MemberFactory()
    earn(ada, 100)
    transfer(ada, shy, 1)
    Member.objects.filter(pk=shy.pk).update(email="shy@example.com", email_verified_at=NOON)

    assert send_waiting_letters(at=NOON) == 2
    assert [letter.to for letter in mail.outbox] == [[ada.letter_address], ["shy@example.com"]]


def test_points_that_never_expire_and_those_that_settle_a_debt_have_no_first_day(ada, ben):
    earn(ada, 10, until=None)
    transfer(ada, ben, 10)
    earn(ada, 10)
    ledger.adjust(key=new_key(), account_id=ben.pk, points=-30, at=NOON, may_owe=True)
    transfer(ada, ben, 10)

    assert [facts["first_expires_on"] for _, facts in messages(ben)] == [None, None]
    assert balance(ben) == Balance(debt=10)


def test_two_tabs_and_two_devices_make_one_transfer(ada, ben):
    earn(ada, 500)
    at_home = ask(ada, ben, 100)
    on_the_phone = ask(ada, " BEN@Example.com", 100, at=NOON + timedelta(minutes=5))

    made = confirm(at_home)
    again = [confirm(intent, at=LATER) for intent in (on_the_phone, at_home)]

    assert at_home == on_the_phone
    assert again == [made, made]
    assert balance(ada).available == 400
    assert [len(messages(member)) for member in (ada, ben)] == [1, 1]


def test_repeat_returns_what_was_made_whatever_has_happened_since(ada, ben):
    earn(ada, 100)
    intent = ask(ada, ben)
    made = confirm(intent)
    block_member(member=ada, at=NOON, actor_id=None, reason="A test")
    publish_edition(effective_at=NOON + timedelta(minutes=1), transfers_allowed=False)

    again = confirm(intent, at=NOON + timedelta(days=2), password="wrong")

    assert again == made
    assert intent.wrong_proofs == TransferIntent.objects.get().wrong_proofs == 0


def test_same_again_after_the_first_is_another_transfer_and_looks_repeated(ada, ben):
    earn(ada, 500)
    first = confirm(ask(ada, ben))
    second = ask(ada, ben, at=NOON + timedelta(minutes=9))

    assert second.key != first.key
    assert same_transfer_before(intent=second, at=NOON + timedelta(minutes=9)) == first
    assert same_transfer_before(intent=second, at=NOON + timedelta(minutes=10)) is None
    assert same_transfer_before(intent=ask(ada, ben, 99), at=NOON) is None
    assert confirm(second, at=LATER) != first


def test_another_sum_or_recipient_is_another_intent(ada, ben):
    earn(ada, 500)
    other = MemberFactory()
    assert len({ask(ada, ben, 100), ask(ada, ben, 101), ask(ada, other, 100), ask(ada, ben, 100)}) == 3


def test_intent_lives_half_an_hour(ada, ben):
    earn(ada, 500)
    intent = ask(ada, ben)
    half_an_hour_later = NOON + timedelta(minutes=30)

    with pytest.raises(IntentOver):
        confirm(intent, at=half_an_hour_later)

    assert ask(ada, ben, at=half_an_hour_later) != intent
    assert confirm(intent, at=half_an_hour_later - timedelta(microseconds=1)).points == 100


def test_points_spent_since_the_form_are_missed_under_the_lock(ada, ben):
    earn(ada, 100)
    intent = ask(ada, ben)
    spend(ada, 1)

    with pytest.raises(NotEnoughPoints) as refusal:
        confirm(intent)

    assert refusal.value.limit_points == 99
    assert not Transfer.objects.exists()
    # It was not held against the intent: once the points are there it can be made.
    earn(ada, 1)
    assert confirm(intent).points == 100


def test_account_blocked_since_the_form_gives_nothing_and_gets_nothing(ada, ben):
    earn(ada, 500)
    earn(ben, 500)
    from_ada, from_ben = ask(ada, ben), ask(ben, ada)
    block_member(member=ada, at=NOON, actor_id=None, reason="A test")

    with pytest.raises(AccountBlocked):
        confirm(from_ada)
    with pytest.raises(RecipientUnavailable):
        confirm(from_ben)


@pytest.mark.parametrize("is_inside", [False, True], ids=["by itself", "inside of a transaction"])
def test_recipient_who_can_get_nothing_ends_the_intent_so_that_polling_is_counted(ada, ben, is_inside):
    earn(ada, 100)
    transfer(ada, ben, 1)  # no proof is needed from now on
    intent = ask(ada, ben, 50)
    block_member(member=ben, at=NOON, actor_id=None, reason="A test")

    with atomic() if is_inside else nullcontext(), pytest.raises(RecipientUnavailable):
        confirm(intent)
    unblock_member(member=ben, at=NOON, actor_id=1, reason="A test")

    # Whether Ben is there again is not to be had by the same button.
    for kept in (intent, TransferIntent.objects.get(pk=intent.pk)):
        with pytest.raises(IntentOver):
            confirm(kept)
    asked_before = len(recorded(AuditRecord.Action.RECIPIENT_ASKED))
    assert ask(ada, ben, 50) != intent
    assert len(recorded(AuditRecord.Action.RECIPIENT_ASKED)) == asked_before + 1
    assert balance(ben).available == 1


def test_without_a_proof_nothing_is_learned_of_the_recipient(ada, ben):
    earn(ada, 100)
    intent = ask(ada, ben, 50)
    block_member(member=ben, at=NOON, actor_id=None, reason="A test")

    with pytest.raises(ProofNeeded):
        confirm(intent, password="")


def test_case_127_failure_after_the_ledger_leaves_no_row_at_all(ada, ben, monkeypatch):
    earn(ada, 100)
    # The accounts are opened and the intent is proved; from there on nothing may stay.
    confirm(ask(ada, ben, 1))
    intent = ask(ada, ben, 99)
    before = every_row()

    def fail(*_tellings):
        assert fetch("select count(*) from loyalty_posting where kind = 'transfer'") == [(2,)]
        raise RuntimeError("cut")

    monkeypatch.setattr(making, "tell", fail)
    with pytest.raises(RuntimeError, match="cut"):
        confirm(intent)

    assert every_row() == before
    assert (Transfer.objects.count(), Message.objects.count()) == (1, 2)
    assert broken_promises() == []


def test_database_keeps_a_transfer_as_it_was_made(ada, ben):
    earn(ada, 100)
    made = transfer(ada, ben)

    for change in ({"points": 1}, {"number": "1111111111"}, {"recipient_id": ada.pk + 1000}):
        with pytest.raises(DatabaseError, match="stays as it was made"), atomic():
            Transfer.objects.filter(pk=made.pk).update(**change)


def test_members_of_the_sandbox_give_to_each_other_only(ada):
    one, other = MemberFactory(is_sandbox=True), MemberFactory(is_sandbox=True, email="other@example.com")
    earn(one, 100)
    earn(ada, 100)

    with pytest.raises(RecipientUnavailable):
        ask(one, ada)
    with pytest.raises(RecipientUnavailable):
        ask(ada, one)

    # Its members have proved nothing, so any contact names them.
    assert ask(one, "other@example.com").recipient == other
