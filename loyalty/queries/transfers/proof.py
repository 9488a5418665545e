"""Whether a member must prove once more who they are, and how they can."""

from dataclasses import dataclass
from datetime import datetime

from accounts import sms
from accounts.contacts import masked_contact
from accounts.models import Member
from loyalty.models import RuleSet, Transfer, TransferIntent
from loyalty.queries.rules import rule_set_in_force

# So many wrong passwords and codes end an intent.
MOST_WRONG_PROOFS = 5


@dataclass(frozen=True)
class ProofWays:
    """How a member can prove who they are: `code_to` is the masked contact a code would go to, or empty."""

    has_password: bool
    code_to: str


def proof_needed(*, intent: TransferIntent, at: datetime) -> bool:
    """Whether the member has yet to prove who they are before these points go to that recipient."""
    if intent.proof:
        return False
    if is_above_step_up(rule_set_in_force(at), intent.points):
        return True
    return not knows(sender_id=intent.sender_id, recipient_id=intent.recipient_id)


def is_above_step_up(rule_set: RuleSet, points: int) -> bool:
    """Whether so many points need a proof, whoever gets them."""
    most_points = rule_set.transfer_step_up_points
    return most_points is not None and points > most_points


def knows(*, sender_id: int, recipient_id: int) -> bool:
    """Whether the sender has given points to the recipient before, and left them there."""
    return Transfer.objects.filter(
        sender_id=sender_id, recipient_id=recipient_id, taken_back_at=None
    ).exists()


def proof_ways(member: Member) -> ProofWays:
    """How the member can prove who they are."""
    user = member.user
    return ProofWays(
        has_password=user is not None and user.has_usable_password(),
        code_to=masked_contact(code_contact(member)),
    )


def code_contact(member: Member) -> str:
    """Where a code goes: where letters do, else a verified phone; empty when nowhere.

    A member of the sandbox has proved nothing, and nobody is written to: any contact will do.
    """
    if member.is_sandbox:
        return member.email or str(member.phone or "")
    phone = member.verified_phone if sms.is_available() else None
    return member.letter_address or phone or ""
