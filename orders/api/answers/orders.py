"""Orders, quotes and days as the API shows them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from pydantic import Field

from orders.api.types import Amount, Answer, Rate, SaidAt
from orders.models import Order, OrderLine, OrderStep
from orders.queries.changes import DaySums
from orders.queries.quotes import Quote


class EarningAnswer(Answer):
    """By which rules the order earned its points."""

    edition: int | None
    tier: str
    coefficient: Rate | None


class OrderRow(Answer):
    """An order and the sums that stand on it now."""

    number: str
    status: str = Field(description="new, paid, partly_refunded, refunded or cancelled.", examples=["paid"])
    member: str | None = Field(description="The member's number; null while the order is nobody's.")
    outlet: str | None
    placed_at: SaidAt
    paid_at: SaidAt | None
    changed_at: SaidAt
    total_sum: Amount
    delivery_sum: Amount
    refunded_sum: Amount
    held_points: int = Field(description="Set aside, to be spent when the order is paid.")
    spent_points: int
    given_back_points: int
    earned_points: int
    taken_back_points: int
    to_pay_sum: Amount = Field(description="The money that the order costs, points taken off.")
    earning: EarningAnswer | None


class LineAnswer(Answer):
    """A line and what was returned of it."""

    position: int
    name: str
    category: str
    quantity: str = Field(examples=["0.350"])
    line_sum: Amount
    refunded_sum: Amount


class StepAnswer(Answer):
    """A step of the order's life, and the money and points that it moved."""

    kind: str = Field(examples=["paid"])
    happened_at: SaidAt
    recorded_at: SaidAt
    money_sum: Amount
    earned_points: int
    spent_points: int
    held_points: int = Field(description="Set aside, or below 0 when they came free.")


class OrderAnswer(OrderRow):
    """An order with its lines and its steps."""

    lines: Sequence[LineAnswer]
    steps: Sequence[StepAnswer]


class OrdersAnswer(Answer):
    """Orders in the order in which they last changed."""

    orders: Sequence[OrderRow]
    cursor: str = Field(description="Where this page ends: send it to go on from here, now or later.")
    has_more: bool


class QuoteAnswer(Answer):
    """What the order would come to if it were placed and paid now."""

    edition: int | None
    tier: str | None = Field(description="The tier whose coefficient the order earns by.")
    tier_after: str | None
    coefficient: Rate | None
    base_sum: Amount = Field(description="What earns points.")
    excluded_sum: Amount = Field(description="Goods that earn nothing.")
    points_part_sum: Amount = Field(description="What points pay of that which would earn.")
    earned_points: int
    available_at: SaidAt | None = Field(description="When they can be spent.")
    expires_on: date | None
    points: int = Field(description="How many points this quote reckons with.")
    to_pay_sum: Amount
    spendable_points: int = Field(description="The most that can be spent on this order.")
    limited_by: str = Field(description="nothing, balance, cap, minimum, blocked or not_a_member.")
    limit: str = Field(description="The same in words.")
    available_points: int
    cap_points: int
    cap_rate: Rate
    minimum_points: int


class DayAnswer(Answer):
    """What the steps of one day moved, to be compared with your own books."""

    day: date
    placed_count: int
    paid_count: int
    paid_sum: Amount = Field(description="Money, without what points paid.")
    spent_points: int
    earned_points: int
    refunded_count: int
    refunded_sum: Amount = Field(description="Money that went back, cancellations of paid orders included.")
    given_back_points: int
    taken_back_points: int
    cancelled_count: int
    net_sum: Amount


def order_answer(order: Order) -> OrderAnswer:
    """An order with its lines and steps."""
    return OrderAnswer(
        **row_of(Order.objects.select_related("member", "outlet", "rule_set", "tier").get(pk=order.pk)),
        lines=[line_answer(line) for line in OrderLine.objects.filter(order=order)],
        steps=[
            StepAnswer(
                kind=step.kind,
                happened_at=step.happened_at,
                recorded_at=step.recorded_at,
                money_sum=step.money_sum,
                earned_points=step.earned_points,
                spent_points=step.spent_points,
                held_points=step.held_points,
            )
            for step in OrderStep.objects.filter(order=order)
        ],
    )


def line_answer(line: OrderLine) -> LineAnswer:
    """A line as the API shows it."""
    return LineAnswer(
        position=line.position,
        name=line.name,
        category=line.category,
        quantity=f"{line.quantity.normalize():f}",
        line_sum=line.line_sum,
        refunded_sum=line.refunded_sum,
    )


def row_of(order: Order) -> dict[str, Any]:
    """What every answer says about an order, by the names of `OrderRow`."""
    earning = None
    if order.rule_set is not None and order.tier is not None:
        earning = EarningAnswer(
            edition=order.rule_set.number, tier=order.tier.name, coefficient=order.coefficient
        )
    return {
        "number": order.number,
        "status": order.status,
        "member": order.member.number if order.member else None,
        "outlet": order.outlet.name if order.outlet else None,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "changed_at": order.changed_at,
        "total_sum": order.total_sum,
        "delivery_sum": order.delivery_sum,
        "refunded_sum": order.refunded_sum,
        "held_points": order.held_points,
        "spent_points": order.spent_points,
        "given_back_points": order.given_back_points,
        "earned_points": order.earned_points,
        "taken_back_points": order.taken_back_points,
        "to_pay_sum": order.total_sum - order.held_points - order.spent_points,
        "earning": earning,
    }


def quote_answer(found: Quote) -> QuoteAnswer:
    """A quote as the API shows it."""
    return QuoteAnswer(
        edition=found.rule_set.number,
        tier=found.tier.name if found.tier else None,
        tier_after=found.tier_after.name if found.tier_after else None,
        coefficient=found.coefficient,
        base_sum=found.base_sum,
        excluded_sum=found.excluded_sum,
        points_part_sum=found.points_part_sum,
        earned_points=found.earned_points,
        available_at=found.available_at,
        expires_on=found.expires_on,
        points=found.points,
        to_pay_sum=found.to_pay_sum,
        spendable_points=found.spendable_points,
        limited_by=found.limited_by.value,
        limit=found.limit_sentence,
        available_points=found.available_points,
        cap_points=found.cap_points,
        cap_rate=found.cap_rate,
        minimum_points=found.minimum_points,
    )


def day_answer(sums: DaySums) -> DayAnswer:
    """A day's sums as the API shows them."""
    return DayAnswer(**asdict(sums), net_sum=sums.net_sum)
