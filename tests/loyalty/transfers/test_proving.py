"""When a member must prove who they are once more, by what, and how often they may be wrong."""

import re
from datetime import timedelta

import pytest

from accounts.models import AuditRecord
from loyalty.errors import (
    CodeSentTooOften,
    IntentOver,
    NotEnoughPoints,
    NoWayToProve,
    ProofNeeded,
    TooManyWrongProofs,
    WrongProof,
)
from loyalty.models import Transfer, TransferIntent
from loyalty.queries.transfers import ProofWays, proof_needed, proof_ways
from loyalty.services.transfers import make_transfer, send_code, take_back_transfer
from tests.clock import NOON
from tests.factories import PASSWORD, MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn
from tests.loyalty.transfers.giving import ask, confirm, recorded, transfer

Action = AuditRecord.Action


def without_proof(intent, *, at=NOON, code="", password="") -> Transfer:
    return make_transfer(
        intent=intent, at=at, how=Transfer.How.SHOP, actor_id=None, code=code, password=password
    )


@pytest.fixture
def rich_ada(ada):
    earn(ada, 10_000)
    return ada


def test_new_recipient_needs_a_proof_and_a_known_one_does_not(rich_ada, ben):
    first = ask(rich_ada, ben)
    assert proof_needed(intent=first, at=NOON)
    with pytest.raises(ProofNeeded):
        without_proof(first)
    confirm(first)

    second = ask(rich_ada, ben)
    assert not proof_needed(intent=second, at=NOON)
    made = without_proof(second)
    assert (made.how, made.proof) == ("shop", "")
    # Who has only received points from somebody does not know them as a recipient yet.
    assert proof_needed(intent=ask(ben, rich_ada, 1), at=NOON)


def test_recipient_who_had_to_give_all_back_is_new_again(rich_ada, ben):
    publish_edition(transfer_cooling_hours=1)
    take_back_transfer(transfer=transfer(rich_ada, ben), at=NOON, actor_id=None)
    with pytest.raises(ProofNeeded):
        without_proof(ask(rich_ada, ben))


def test_sum_above_the_editions_limit_needs_a_proof(rich_ada, ben):
    publish_edition(transfer_step_up_points=500)
    transfer(rich_ada, ben, 1)

    assert without_proof(ask(rich_ada, ben, 500)).points == 500
    with pytest.raises(ProofNeeded):
        without_proof(ask(rich_ada, ben, 501))
    assert confirm(ask(rich_ada, ben, 501)).proof == "password"


def test_proof_is_kept_for_the_intent_though_the_points_did_not_move(rich_ada, ben):
    intent = ask(rich_ada, ben, 10_000)
    transfer(rich_ada, MemberFactory(), 1)
    with pytest.raises(NotEnoughPoints):
        confirm(intent)
    earn(rich_ada, 1)

    assert without_proof(intent).proof == "password"


def test_five_wrong_passwords_end_the_intent_and_are_written_down(rich_ada, ben):
    intent = ask(rich_ada, ben)

    for left in (4, 3, 2, 1):
        with pytest.raises(WrongProof) as refusal:
            confirm(intent, password="wrong")
        assert refusal.value.tries_left == left
    with pytest.raises(IntentOver):
        confirm(intent, password="wrong")
    with pytest.raises(IntentOver):
        confirm(intent, password=PASSWORD)

    assert TransferIntent.objects.get().wrong_proofs == 5
    assert recorded(Action.PROOF_FAILED) == [{"by": "password", "intent": str(intent.key)}] * 5
    assert ask(rich_ada, ben) != intent
    assert not Transfer.objects.exists()


def test_ten_wrong_passwords_an_hour_stop_the_right_one_as_well(rich_ada, ben):
    for turn in range(10):
        with pytest.raises((WrongProof, IntentOver)):
            confirm(ask(rich_ada, ben, turn // 4 + 1), password="wrong", at=NOON + timedelta(minutes=turn))
    at = NOON + timedelta(minutes=59)
    intent = ask(rich_ada, ben, 7, at=at)

    with pytest.raises(TooManyWrongProofs) as refusal:
        confirm(intent, at=at)
    with pytest.raises(TooManyWrongProofs):
        send_code(intent=intent, at=at)

    assert refusal.value.allowed_at == NOON + timedelta(hours=1)
    assert len(recorded(Action.PROOF_FAILED)) == 10
    assert confirm(intent, at=refusal.value.allowed_at).points == 7


def test_wrong_password_where_none_is_needed_is_not_looked_at(rich_ada, ben):
    transfer(rich_ada, ben)
    assert confirm(ask(rich_ada, ben), password="wrong").points == 100
    assert recorded(Action.PROOF_FAILED) == []


def code_in(mailbox) -> str:
    return re.search(r"^\d{6}$", mailbox[-1].body, re.MULTILINE)[0]


def test_code_by_letter_proves_as_well(rich_ada, ben, mailoutbox):
    intent = ask(rich_ada, ben)
    send_code(intent=intent, at=NOON)

    [letter] = mailoutbox
    code = code_in(mailoutbox)
    assert letter.to == ["ada@example.com"]
    assert code in letter.subject
    assert "Бен С." in letter.body
    assert code not in TransferIntent.objects.get().code_hash
    made = without_proof(intent, code=f" {code[:3]} {code[3:]} ", at=NOON + timedelta(minutes=9, seconds=59))
    assert made.proof == "code"


def test_code_is_good_for_ten_minutes_for_its_intent_and_until_the_next(rich_ada, ben, mailoutbox):
    intent, other = ask(rich_ada, ben), ask(rich_ada, ben, 99)
    send_code(intent=intent, at=NOON)
    first = code_in(mailoutbox)
    with pytest.raises(WrongProof):
        without_proof(intent, code=first, at=NOON + timedelta(minutes=10))
    with pytest.raises(WrongProof):
        without_proof(other, code=first)
    send_code(intent=intent, at=NOON)
    second = code_in(mailoutbox)
    if first != second:
        with pytest.raises(WrongProof):
            without_proof(intent, code=first)
    assert without_proof(intent, code=second).points == 100
    assert {facts["by"] for facts in recorded(Action.PROOF_FAILED)} == {"code"}


def test_no_code_was_sent_so_none_is_right(rich_ada, ben):
    for code in ("", "000000", " "):
        with pytest.raises((WrongProof, ProofNeeded)):
            without_proof(ask(rich_ada, ben), code=code)


def test_codes_are_sent_three_times_for_an_intent_and_ten_times_an_hour(rich_ada, ben, mailoutbox):
    intent = ask(rich_ada, ben)
    for _ in range(3):
        send_code(intent=intent, at=NOON)
    with pytest.raises(CodeSentTooOften) as refusal:
        send_code(intent=intent, at=NOON)
    assert refusal.value.allowed_at == intent.expires_at

    for points in range(1, 8):
        send_code(intent=ask(rich_ada, ben, points), at=NOON + timedelta(minutes=1))
    with pytest.raises(CodeSentTooOften) as refusal:
        send_code(intent=ask(rich_ada, ben, 50), at=NOON + timedelta(minutes=2))
    assert refusal.value.allowed_at == NOON + timedelta(hours=1)
    assert len(mailoutbox) == 10


def test_nothing_is_sent_for_an_intent_that_is_over_made_or_proved(rich_ada, ben, mailoutbox):
    intent = ask(rich_ada, ben)
    with pytest.raises(IntentOver):
        send_code(intent=intent, at=NOON + timedelta(minutes=30))
    confirm(intent)
    with pytest.raises(IntentOver):
        send_code(intent=intent, at=NOON)
    assert mailoutbox == []


def test_code_goes_to_the_phone_of_who_has_no_address(db, ben, mailoutbox, caplog):
    caplog.set_level("INFO")
    caller = MemberFactory(phone="+79161234567", phone_verified_at=NOON)
    earn(caller, 100)
    intent = ask(caller, ben)
    assert proof_ways(caller) == ProofWays(False, "+7\u00a0•••\u00a067")

    send_code(intent=intent, at=NOON)

    assert mailoutbox == []
    code = re.search(r"\b(\d{6})\b", caplog.text.split("Text message to +79161234567", 1)[1])[1]
    assert without_proof(intent, code=code).proof == "code"


def test_who_has_neither_cannot_prove_anything(db, ben):
    stranger = MemberFactory(email="typed@example.com", phone="+79161234567")
    earn(stranger, 100)
    assert proof_ways(stranger) == ProofWays(False, "")
    with pytest.raises(NoWayToProve):
        send_code(intent=ask(stranger, ben), at=NOON)


def test_ways_of_a_member_with_a_login(ada):
    assert proof_ways(ada) == ProofWays(True, "a•••@example.com")


def test_sandbox_has_a_code_of_its_own_and_writes_to_nobody(db, mailoutbox):
    one, other = MemberFactory(is_sandbox=True, email="real@example.com"), MemberFactory(is_sandbox=True)
    earn(one, 100)
    intent = ask(one, other)

    send_code(intent=intent, at=NOON)

    assert mailoutbox == []
    with pytest.raises(WrongProof):
        without_proof(intent, code="111111")
    assert without_proof(intent, code="000000").points == 100
