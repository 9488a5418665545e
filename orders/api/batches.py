"""Many paid orders in one request, each with its own outcome."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field, ValidationError, WrapValidator

from accounts.errors import AccountsError
from loyalty.errors import LoyaltyError
from orders.api.doors import IdempotencyKey, Key, happened_at, write_once
from orders.api.errors import FieldProblem, InvalidRequest
from orders.api.fields import field_problem
from orders.api.orders import specs_of
from orders.api.people import People, Person
from orders.api.problems import Problem, problem_of
from orders.api.questions import Basket
from orders.api.refusals import SEND
from orders.api.types import Answer, Moment, OrderNumber, Question, Text100, shown
from orders.models import Order, Scope, Source
from orders.queries.figures import check_sums
from orders.services.outlets import make_outlets
from orders.services.registering import PaidOrder, register_paid_orders

router = Router(tags=["Orders"])

MOST_ORDERS = 1_000


class SoldOrder(Basket):
    """An order that is paid already."""

    number: OrderNumber = Field(description="Unique among your orders, for ever.", examples=["A-1001"])
    outlet: Text100 | None = Field(
        None, description="The shop or branch, by code or name.", examples=["Arbat"]
    )
    paid_at: Moment


class Unreadable:
    """An order of a batch that is none; the others are taken all the same."""

    def __init__(self, number: str, problems: Sequence[FieldProblem]) -> None:
        self.number = number
        self.problems = problems


def _or_unreadable(value: Any, read: Callable[[Any], SoldOrder]) -> SoldOrder | Unreadable:
    try:
        return read(value)
    except ValidationError as error:
        number = value.get("number") if isinstance(value, dict) else None
        return Unreadable(
            shown(number) if isinstance(number, str) else "",
            [field_problem(found["loc"], found) for found in error.errors()],
        )


class Batch(Question):
    """Orders that are paid already. One that is wrong does not keep the others from being registered."""

    orders: list[Annotated[SoldOrder, WrapValidator(_or_unreadable)]] = Field(
        min_length=1, max_length=MOST_ORDERS
    )


class OutcomeAnswer(Answer):
    """What became of one order."""

    number: str
    outcome: Literal["registered", "known", "refused"] = Field(
        description="“known”: it came before with the same content."
    )
    member: str | None = Field(description="The member's number; null while the order is nobody's.")
    earned_points: int
    spent_points: int
    problem: Problem | None = Field(description="Why it was refused.")


class BatchAnswer(Answer):
    """What became of each order, in the order in which they were sent."""

    registered_count: int
    known_count: int
    refused_count: int
    outcomes: Sequence[OutcomeAnswer]


@router.post(
    "/order-batches",
    response={200: BatchAnswer, **SEND},
    auth=Key(Scope.ORDERS_WRITE),
    operation_id="register_orders",
    summary="Register many paid orders",
)
def register(request: HttpRequest, idempotency_key: IdempotencyKey, batch: Batch) -> HttpResponse:
    """Up to 1 000, each with its own outcome; they count in the order of `paid_at`."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        return 200, batch_answer(register_batch(source, batch.orders, now))

    return write_once(request, key=idempotency_key, act=act)


def register_batch(
    source: Source, orders: Sequence[SoldOrder | Unreadable], now: datetime
) -> list[OutcomeAnswer]:
    """Register the orders that can be; what became of each, in the order in which they were sent."""
    people = People(source, [order for order in orders if isinstance(order, SoldOrder)])
    outcomes: dict[int, OutcomeAnswer] = {}
    taken: dict[int, tuple[SoldOrder, Person, datetime]] = {}
    for place, order in enumerate(orders):
        if isinstance(order, Unreadable):
            outcomes[place] = refused(order.number, InvalidRequest(order.problems))
            continue
        try:
            check_sums(
                total_sum=order.total_sum, delivery_sum=order.delivery_sum, lines=specs_of(order.lines)
            )
            taken[place] = (order, people.person_of(order), happened_at("paid_at", order.paid_at, now))
        except (LoyaltyError, AccountsError) as refusal:
            outcomes[place] = refused(order.number, refusal)
    # What is refused for its own sake leaves no outlet behind.
    names = dict.fromkeys(order.outlet for order, _person, _paid_at in taken.values() if order.outlet)
    outlets = make_outlets(source, names)
    ready = {
        place: PaidOrder(
            number=order.number,
            total_sum=order.total_sum,
            delivery_sum=order.delivery_sum,
            paid_at=paid_at,
            member=person.member,
            customer_email=person.email,
            customer_phone=person.phone,
            outlet=outlets[order.outlet] if order.outlet else None,
            lines=specs_of(order.lines),
            points=order.points,
        )
        for place, (order, person, paid_at) in taken.items()
    }
    registered = register_paid_orders(source=source, orders=list(ready.values()))
    members = {order.member.pk: order.member.number for order in ready.values() if order.member}
    for (place, sold), outcome in zip(ready.items(), registered, strict=True):
        if outcome.refusal is not None:
            outcomes[place] = refused(sold.number, outcome.refusal)
        elif outcome.order is not None:
            outcomes[place] = OutcomeAnswer(
                number=sold.number,
                outcome="registered" if outcome.is_new else "known",
                member=number_of(outcome.order, members),
                earned_points=outcome.order.earned_points,
                spent_points=outcome.order.spent_points,
                problem=None,
            )
    return [outcomes[place] for place in range(len(orders))]


def refused(number: str, refusal: LoyaltyError | AccountsError) -> OutcomeAnswer:
    """The outcome of an order that was not taken."""
    return OutcomeAnswer(
        number=number,
        outcome="refused",
        member=None,
        earned_points=0,
        spent_points=0,
        problem=problem_of(refusal),
    )


def number_of(order: Order, members: Mapping[int, str]) -> str | None:
    """The number of the order's member; those that a contact has found are read one by one."""
    if order.member_id is None:
        return None
    return members.get(order.member_id) or (order.member.number if order.member else None)


def batch_answer(outcomes: Sequence[OutcomeAnswer]) -> BatchAnswer:
    """The outcomes, counted."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return BatchAnswer(
        registered_count=counts["registered"],
        known_count=counts["known"],
        refused_count=counts["refused"],
        outcomes=outcomes,
    )
