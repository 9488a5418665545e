"""What transfers say is held against the ledger: each kind of lie is found."""

import pytest
from django.utils import timezone

from loyalty.queries.audit import CHECKS, findings
from loyalty.services import ledger
from loyalty.services.transfers import take_back_transfer
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import TODAY, earn, execute, new_key
from tests.loyalty.transfers.giving import transfer

LIES = {
    "update loyalty_transfer set points = 7": "transfer_equals_its_posting",
    "update loyalty_transfer set sender_id = recipient_id, recipient_id = sender_id": (
        "transfer_equals_its_posting"
    ),
    "update loyalty_transfer set actor_id = 1": "transfer_equals_its_posting",
    "update loyalty_transfer set made_at = made_at + interval '1 second'": "transfer_equals_its_posting",
    "update loyalty_transfer set posting_id = 999999 where taken_back_at is null": (
        "transfer_equals_its_posting"
    ),
    """update loyalty_transfer set taken_back_at = null, reversal_id = null, ended_by = '',
        ended_actor_id = null""": "transfer_equals_its_reversal",
    """update loyalty_transfer set taken_back_at = now(), reversal_id = 1, ended_by = 'sender'
        where taken_back_at is null""": "transfer_equals_its_reversal",
    "update loyalty_transfer set ended_actor_id = 1 where taken_back_at is not null": (
        "transfer_equals_its_reversal"
    ),
    "update loyalty_transfer set recipient_id = 999999": "transfer_is_between_members",
    "update accounts_member set is_sandbox = true where user_id is null": "transfer_is_between_members",
    "delete from loyalty_transfer_intent": "transfer_comes_from_one_intent",
    "update loyalty_transfer_intent set points = 7": "transfer_comes_from_one_intent",
    "update loyalty_transfer set proof = 'code'": "transfer_comes_from_one_intent",
    "alter table loyalty_transfer disable trigger only_taken_back": "guards_are_in_place",
    "alter table loyalty_transfer drop constraint transfer_moves_points": "limits_are_in_place",
}


def broken() -> set[str]:
    return {finding.check.name for finding in findings(CHECKS) if finding.found_count}


@pytest.fixture
def transfers(ada):
    publish_edition(transfer_cooling_hours=1)
    earn(ada, 100)
    one, other = MemberFactory(), MemberFactory()
    # Intents are held against transfers only while they must still be there.
    now = timezone.now()
    transfer(ada, one, 10, at=now)
    take_back_transfer(transfer=transfer(ada, other, 20, at=now), at=now, actor_id=ada.user_id)


@pytest.mark.parametrize("lie", LIES)
def test_audit_finds_what_does_not_agree(transfers, lie):
    assert broken() == set()
    execute("set constraints all immediate")
    execute("alter table loyalty_transfer disable trigger only_taken_back")
    execute(lie)
    if "disable" not in lie:
        execute("alter table loyalty_transfer enable trigger only_taken_back")

    assert LIES[lie] in broken()


def test_audit_finds_a_reversal_behind_the_transfers_back(ada, ben):
    earn(ada, 100)
    made = transfer(ada, ben)
    ledger.reverse(key=new_key(), posting_id=made.posting_id, at=NOON, least_expires_on=TODAY)
    assert broken() == {"transfer_equals_its_reversal"}
