"""Members, balances and operations as the API shows them."""

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from accounts.models import Member
from loyalty import wording
from loyalty.queries.balance import Balance, Expiry
from loyalty.queries.operations import Operation
from loyalty.queries.standing import StandingCard
from orders.api.types import Amount, Answer, Rate, SaidAt


class MemberAnswer(Answer):
    """A member, as a shop may know them."""

    number: str = Field(description="12 digits: what the member says and shows.", examples=["248190736514"])
    name: str = Field(description="First name and initial.", examples=["Мария П."])
    customer_id: str | None = Field(description="What you call this member, if you have told us.")
    language: str
    joined_at: SaidAt
    email_is_verified: bool
    phone_is_verified: bool


class ExpiryAnswer(Answer):
    """Points by their last day, which is still a day on which they can be spent."""

    points: int
    expires_on: date | None = Field(description="null: they never expire.")


class PendingAnswer(Answer):
    """Points that become available at a moment."""

    points: int
    available_at: SaidAt | None = Field(description="null while they are being checked.")


class HeldAnswer(Answer):
    """Points set aside for an unpaid order."""

    points: int
    order_number: str
    expires_at: SaidAt


class TierAnswer(Answer):
    """Where the member stands, and what is next."""

    name: str
    name_en: str | None = Field(description="The name in English, where the rules give one.")
    coefficient: Rate
    is_being_recounted: bool = Field(
        description="New rules are in force, by which orders earn already, while this is still the tier "
        "by the rules before. It lasts minutes; nothing is next meanwhile."
    )
    paid_sum: Amount = Field(description="What decides the tier.")
    next_name: str | None
    next_name_en: str | None = Field(description="The same in English.")
    to_next_sum: Amount | None = Field(description="How much is still to be paid for the next tier.")


class BalanceAnswer(Answer):
    """A member's points right now. `available_points` is what may be spent; the rest is listed beside it."""

    as_of: SaidAt
    available_points: int
    worth_sum: Amount = Field(description="What the available points pay for.")
    pending_points: int
    held_points: int
    debt_points: int = Field(description="Settled by the next points before any become available.")
    is_blocked: bool
    expiries: Sequence[ExpiryAnswer] = Field(description="Available points by their last day.")
    pending: Sequence[PendingAnswer]
    held: Sequence[HeldAnswer]
    tier: TierAnswer


class OperationAnswer(Answer):
    """One movement of the member's points. Its number is the one that the member sees."""

    number: int
    kind: str = Field(examples=["credit"])
    title: str = Field(description="What happened, in the language of the request.")
    explanation: str = Field(description="Why it is that number, in one line.")
    order_number: str | None
    happened_at: SaidAt
    recorded_at: SaidAt
    available_points: int = Field(description="How many points more, or fewer, can be spent since.")
    pending_points: int
    held_points: int
    debt_points: int = Field(description="Below 0 when points became a debt, above when they settled one.")
    available_after_points: int


class OperationsAnswer(Answer):
    """Operations in the order in which they were recorded."""

    operations: Sequence[OperationAnswer]
    cursor: str = Field(description="Where this page ends: send it to go on from here, now or later.")
    has_more: bool


def member_answer(member: Member, customer_id: str | None) -> MemberAnswer:
    """A member as the API shows them."""
    return MemberAnswer(
        number=member.number,
        name=member.masked_name,
        customer_id=customer_id,
        language=member.language,
        joined_at=member.joined_at,
        email_is_verified=member.email_verified_at is not None,
        phone_is_verified=member.phone_verified_at is not None,
    )


def expiry_answers(expiries: Sequence[Expiry]) -> list[ExpiryAnswer]:
    """Points by their last day, as the API shows them."""
    return [ExpiryAnswer(points=part.points, expires_on=part.expires_on) for part in expiries]


def balance_answer(found: Balance, card: StandingCard) -> BalanceAnswer:
    """A balance as the API shows it."""
    above = card.next_tier
    return BalanceAnswer(
        as_of=found.as_of,
        available_points=found.available_points,
        worth_sum=found.worth_sum,
        pending_points=found.pending_points,
        held_points=found.held_points,
        debt_points=found.debt_points,
        is_blocked=found.is_blocked,
        expiries=expiry_answers(found.expiries),
        pending=[PendingAnswer(points=part.points, available_at=part.available_at) for part in found.pending],
        held=[
            HeldAnswer(points=part.points, order_number=part.order_number, expires_at=part.expires_at)
            for part in found.holds
        ],
        tier=TierAnswer(
            name=card.tier.name,
            name_en=card.tier.name_en or None,
            coefficient=card.tier.coefficient,
            is_being_recounted=card.is_being_recounted,
            paid_sum=card.paid_sum,
            next_name=above.name if above else None,
            next_name_en=(above.name_en or None) if above else None,
            to_next_sum=card.to_next_sum if above else None,
        ),
    )


def operation_answer(operation: Operation) -> OperationAnswer:
    """An operation as the API shows it."""
    said = operation.explanation or operation.origin_explanation
    return OperationAnswer(
        number=operation.posting_id,
        kind=operation.kind.value,
        title=wording.title(operation),
        explanation=wording.explanation(operation),
        order_number=said.get("order") or None,
        happened_at=operation.effective_at,
        recorded_at=operation.recorded_at,
        available_points=operation.available_points,
        pending_points=operation.pending_points,
        held_points=operation.held_points,
        debt_points=operation.debt_points,
        available_after_points=operation.available_after,
    )
