"""Orders as the member's pages tell them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import Credit, Hold, Posting, Purpose
from loyalty.queries.operations import Operation
from loyalty.templatetags.numbers import money, points, rate
from loyalty.wording import OperationRow
from loyalty.wording import derivation as derivation_of
from loyalty.wording import row as operation_row
from orders.models import Order, OrderLine, OrderStep
from orders.queries.quotes import Quote

# How a status stands out, beside its words.
TONES = {Order.Status.PAID: "good", Order.Status.CANCELLED: "bad"}
Kind = OrderStep.Kind


@dataclass(frozen=True)
class OrderRow:
    """An order as the list shows it; its points are those that were neither returned nor taken back."""

    order_id: int
    number: str
    place: str
    placed_at: datetime
    status: str
    tone: str
    total_sum: Decimal
    held_points: int
    spent_points: int
    earned_points: int


@dataclass(frozen=True)
class StepRow:
    """One step of an order's life, and what it moved, in words."""

    title: str
    happened_at: datetime
    effects: str


@dataclass(frozen=True)
class Waiting:
    """Points that the order earned and that cannot be spent yet."""

    points: int
    available_at: datetime


@dataclass(frozen=True)
class OrderCard:
    """An order as its own page shows it.

    `money_sum` is what was paid in money, None before it was; `derivation` is the way to what it
    earned, `kept_points` what is left of that, and `expires_on` their last day, if they have one.
    """

    row: OrderRow
    order: Order
    is_new: bool
    is_paid: bool
    lines: Sequence[OrderLine]
    has_returns: bool
    goods_sum: Decimal
    money_sum: Decimal
    returned_money_sum: Decimal
    kept_points: int
    derivation: Sequence[str]
    waiting: Sequence[Waiting]
    expires_on: date | None
    holds: Sequence[Hold]
    has_lapsed: bool
    steps: Sequence[StepRow]
    operations: Sequence[OperationRow]


def row(order: Order) -> OrderRow:
    """The order in one line."""
    status = Order.Status(order.status)
    return OrderRow(
        order_id=order.pk,
        number=order.number,
        place=str(order.outlet or order.source),
        placed_at=order.placed_at,
        status=str(status.label),
        tone=TONES.get(status, ""),
        total_sum=order.total_sum,
        held_points=order.held_points,
        spent_points=order.spent_points - order.given_back_points,
        earned_points=order.earned_points - order.taken_back_points,
    )


def card(
    order: Order,
    *,
    operations: Sequence[Operation],
    credits_: Iterable[Credit],
    holds: Sequence[Hold],
    tier_since_at: datetime | None,
    at: datetime,
) -> OrderCard:
    """The order with everything that belongs to it, as it is at `at`."""
    credits_ = list(credits_)
    lines = list(order.lines.all())
    earning = last_credit(operations)
    return OrderCard(
        row=row(order),
        order=order,
        is_new=order.status == Order.Status.NEW,
        is_paid=order.payments_count > 0,
        lines=lines,
        has_returns=any(line.refunded_sum for line in lines),
        goods_sum=order.total_sum - order.delivery_sum,
        money_sum=order.total_sum - order.spent_points,
        returned_money_sum=order.refunded_sum - order.given_back_points,
        kept_points=order.earned_points - order.taken_back_points,
        derivation=derivation_of(earning, tier_since_at) if earning else [],
        waiting=[
            Waiting(credit.points - credit.taken_back_points, credit.available_at)
            for credit in credits_
            if credit.available_at > at
        ],
        expires_on=credits_[0].expires_on if credits_ else None,
        holds=holds,
        has_lapsed=has_lapsed(order, holds),
        steps=_step_rows(order),
        operations=[operation_row(operation) for operation in operations],
    )


def has_lapsed(order: Order, holds: Iterable[Hold]) -> bool:
    """Whether points were set aside for an unpaid order and have come free again."""
    return order.held_points > sum(
        hold.points - hold.captured_points - hold.released_points for hold in holds
    )


def last_credit(operations: Sequence[Operation]) -> Operation | None:
    """The operation that credited what the order earned; the last one of an order paid twice."""
    # Welcome points may have come with it, too.
    credited = [
        operation
        for operation in operations
        if operation.kind == Posting.Kind.CREDIT and operation.purpose == Purpose.ORDER
    ]
    return credited[-1] if credited else None


def step_row(step: OrderStep, *, is_in_part: bool = False) -> StepRow:
    """The step and what it moved; `is_in_part` says of a return that the rest of the order stayed."""
    title = _("Returned in part") if is_in_part else str(Kind(step.kind).label)
    return StepRow(title=title, happened_at=step.happened_at, effects=", ".join(_effects(step)))


def will_earn(offer: Quote) -> str:
    """How a quote comes to its points: “1 300 ₽ × 5% (Silver)”."""
    if offer.tier is None or offer.coefficient is None:
        return ""
    return _("%(base)s × %(rate)s (%(tier)s)") % {
        "base": money(offer.base_sum),
        "rate": rate(offer.coefficient),
        "tier": offer.tier.shown_name,
    }


def points_set_aside(order: Order) -> str:
    """What is said after points were set aside."""
    return _("Set aside for order %(number)s: %(points)s. Left to pay: %(money)s.") % {
        "number": order.number,
        "points": points(order.held_points),
        "money": money(order.total_sum - order.held_points),
    }


def points_taken_off(order: Order) -> str:
    """What is said after the points were taken off an order."""
    return _("The points are off order %(number)s and can be spent again. Left to pay: %(money)s.") % {
        "number": order.number,
        "money": money(order.total_sum),
    }


def _step_rows(order: Order) -> list[StepRow]:
    """The steps of the order; of its returns only the one that completed them is not in part."""
    steps = list(order.steps.all())
    returns = [step for step in steps if step.kind == Kind.REFUNDED]
    whole = returns[-1] if returns and order.status == Order.Status.REFUNDED else None
    return [step_row(step, is_in_part=step in returns and step != whole) for step in steps]


def _effects(step: OrderStep) -> list[str]:
    match step.kind:
        case Kind.POINTS_ADDED | Kind.POINTS_REMOVED:
            return [points(abs(step.held_points))]
        case Kind.PLACED:
            said = [money(step.money_sum)]
        case Kind.PAID:
            said = [_("%(money)s in money") % {"money": money(step.money_sum)}]
        case _ if step.money_sum:
            said = [_("%(money)s returned in money") % {"money": money(-step.money_sum)}]
        case _:
            said = []
    for number, sentence in [
        (step.held_points, _("%(points)s set aside")),
        (-step.held_points, _("%(points)s released")),
        (step.spent_points, _("%(points)s spent")),
        (-step.spent_points, _("%(points)s given back")),
        (step.earned_points, _("%(points)s earned")),
        (-step.earned_points, _("%(points)s taken back")),
    ]:
        if number > 0:
            said.append(sentence % {"points": points(number)})
    return said
