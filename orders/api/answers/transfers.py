"""Checks of transfers and transfers as the API shows them; of the other side, first name and initial."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from loyalty.models import Transfer, TransferIntent
from loyalty.queries import transfers
from orders.api.answers.members import ExpiryAnswer, expiry_answers
from orders.api.types import Answer, SaidAt

MaskedName = Annotated[str, Field(description="First name and initial.", examples=["Бен С."])]
LAST_DAYS = "What moves, by last day: points keep the days they have."


class CheckAnswer(Answer):
    """What would move, for the member to agree to or not."""

    id: UUID
    sender: str = Field(description="The member's number.", examples=["248190736514"])
    recipient: MaskedName
    points: int
    available_after_points: int = Field(description="What the sender could still spend afterwards.")
    expiries: Sequence[ExpiryAnswer] = Field(description=LAST_DAYS)
    expires_at: SaidAt = Field(description="Until when the transfer can be made.")
    needs_code: bool = Field(
        description="Whether a code must be sent to the sender, who tells it to you, as for a new recipient."
    )
    same_before: str | None = Field(
        description="The number of an equal transfer a few minutes ago: ask whether another one is meant."
    )


class CodeAnswer(Answer):
    """A code is on its way to the sender."""

    check: UUID
    sent_to: str = Field(
        description="The sender's e-mail or phone, most of it hidden.", examples=["a•••@example.com"]
    )


class TransferAnswer(Answer):
    """Points that one member gave to another."""

    number: str = Field(description="What both sides say and see.")
    status: Literal["made", "taken_back"]
    sender: str = Field(description="The member's number.", examples=["248190736514"])
    recipient: MaskedName
    points: int
    expiries: Sequence[ExpiryAnswer] = Field(description=LAST_DAYS)
    made_at: SaidAt
    take_back_until_at: SaidAt | None = Field(description="null: it cannot be taken back by the sender.")
    taken_back_at: SaidAt | None
    taken_back_by: str | None = Field(description="sender or staff.")
    reason: str | None = Field(description="Why the programme took it back.")


def check_answer(intent: TransferIntent, at: datetime) -> CheckAnswer:
    """A check as the API shows it."""
    allowance = transfers.allowance(member=intent.sender, at=at)
    before = transfers.same_transfer_before(intent=intent, at=at)
    return CheckAnswer(
        id=intent.key,
        sender=intent.sender.number,
        recipient=intent.recipient.masked_name,
        points=intent.points,
        available_after_points=allowance.available_points - intent.points,
        expiries=expiry_answers(transfers.moved_lots(allowance, intent.points)),
        expires_at=intent.expires_at,
        needs_code=transfers.proof_needed(intent=intent, at=at),
        same_before=before.number if before else None,
    )


def code_answer(intent: TransferIntent) -> CodeAnswer:
    """Where a code was sent."""
    return CodeAnswer(check=intent.key, sent_to=transfers.proof_ways(intent.sender).code_to)


def transfer_answer(transfer: Transfer) -> TransferAnswer:
    """A transfer as the API shows it."""
    return TransferAnswer(
        number=transfer.number,
        status="made" if transfer.taken_back_at is None else "taken_back",
        sender=transfer.sender.number,
        recipient=transfer.recipient.masked_name,
        points=transfer.points,
        expiries=expiry_answers(transfers.moved_by(transfer)),
        made_at=transfer.made_at,
        take_back_until_at=transfer.take_back_until_at,
        taken_back_at=transfer.taken_back_at,
        taken_back_by=transfer.ended_by or None,
        reason=transfer.end_reason or None,
    )
