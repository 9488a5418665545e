"""Orders over the API: quote, place, pay, refund, cancel, list, compare."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query, Router

from loyalty.services.ledger import event_key
from orders.access import order_of_source
from orders.api.answers.orders import (
    DayAnswer,
    OrderAnswer,
    OrderRow,
    OrdersAnswer,
    QuoteAnswer,
    day_answer,
    order_answer,
    quote_answer,
    row_of,
)
from orders.api.doors import IdempotencyKey, Key, happened_at, source_of, write_once
from orders.api.feeds import LARGEST_NUMBER, Feed, moment_number, moment_of, numbers_of, place_of
from orders.api.people import People
from orders.api.questions import Basket, Cancellation, NewLine, NewOrder, Payment, Refund, WantedDay
from orders.api.refusals import CONFLICT, READ, SEND, UNKNOWN
from orders.api.types import READABLE_PATTERN, Answer
from orders.models import Order, Outlet, Scope, Source
from orders.queries.changes import changed_orders, day_sums
from orders.queries.figures import LineSpec
from orders.queries.quotes import quote
from orders.services.api_requests import wait_for_turn
from orders.services.orders import (
    cancel_order,
    first_payment_key,
    pay_order,
    place_order,
    refund_order,
)
from orders.services.outlets import make_outlets

router = Router(tags=["Orders"])

OrderNumber = Annotated[str, Path(max_length=100, pattern=READABLE_PATTERN, example="A-1001")]


@router.post(
    "/quotes",
    response={200: QuoteAnswer, **SEND},
    auth=Key(Scope.ORDERS_READ),
    operation_id="quote_order",
    summary="Quote an order",
)
def quote_basket(request: HttpRequest, basket: Basket) -> QuoteAnswer:
    """What it would earn and why, how many points may be spent and what limits them. Nothing is written."""
    source = source_of(request)
    return quote_answer(
        quote(
            member=People(source, [basket]).person_of(basket).member,
            total_sum=basket.total_sum,
            delivery_sum=basket.delivery_sum,
            lines=specs_of(basket.lines),
            points=basket.points,
            at=timezone.now(),
        )
    )


@router.post(
    "/orders",
    response={200: OrderAnswer, 201: OrderAnswer, **SEND, **CONFLICT},
    auth=Key(Scope.ORDERS_WRITE),
    operation_id="place_order",
    summary="Place an order",
)
def place(request: HttpRequest, idempotency_key: IdempotencyKey, order: NewOrder) -> HttpResponse:
    """Points are set aside up to the cap. 200: the order was known already, with the same content."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        paid_at = happened_at("paid_at", order.paid_at, now) if order.paid_at else None
        placed_at = happened_at("placed_at", order.placed_at or paid_at, now)
        person = People(source, [order]).person_of(order)
        # Of many that come at once, under keys of their own, one is new.
        wait_for_turn(source, f"order {order.number}")
        is_known = Order.objects.filter(source=source, number=order.number).exists()
        placed = place_order(
            source=source,
            number=order.number,
            total_sum=order.total_sum,
            delivery_sum=order.delivery_sum,
            lines=specs_of(order.lines),
            member=person.member,
            customer_email=person.email,
            customer_phone=person.phone,
            outlet=outlet_of(source, order.outlet),
            points=order.points,
            placed_at=placed_at,
            held_at=None if paid_at else now,
        )
        if paid_at:
            placed = pay_order(order=placed, paid_at=paid_at, key=first_payment_key(placed))
        return 200 if is_known else 201, order_answer(placed)

    return write_once(request, key=idempotency_key, act=act)


@router.get(
    "/orders",
    response={200: OrdersAnswer, **READ},
    auth=Key(Scope.ORDERS_READ),
    operation_id="list_orders",
    summary="List orders as they change",
)
def list_orders(request: HttpRequest, feed: Annotated[Feed, Query()]) -> OrdersAnswer:
    """Each order once, where it last changed, a moment after it did. From the cursor on nothing is missed."""
    if feed.cursor:
        number, after_id = numbers_of(feed.cursor, count=2)
        after_at = moment_of(number)
    else:
        after_at, after_id = feed.changed_since or moment_of(0), LARGEST_NUMBER
    found = changed_orders(source_of(request), after_at=after_at, after_id=after_id, limit=feed.limit + 1)
    page = found[: feed.limit]
    if page:
        after_at, after_id = page[-1].changed_at, page[-1].pk
    return OrdersAnswer(
        orders=[OrderRow(**row_of(order)) for order in page],
        cursor=place_of(moment_number(after_at), after_id),
        has_more=len(found) > feed.limit,
    )


@router.post(
    "/orders/{path:number}/pay",
    response={200: OrderAnswer, **SEND, **UNKNOWN, **CONFLICT},
    auth=Key(Scope.ORDERS_WRITE),
    operation_id="pay_order",
    summary="Pay an order",
)
def pay(
    request: HttpRequest, number: OrderNumber, idempotency_key: IdempotencyKey, payment: Payment
) -> HttpResponse:
    """Points set aside are spent, the tier moves, points are earned. A paid order stays as it is."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        paid = pay_order(
            order=order_of_source(source, number),
            paid_at=happened_at("paid_at", payment.paid_at, now),
            money_sum=payment.money_sum,
        )
        return 200, order_answer(paid)

    return write_once(request, key=idempotency_key, act=act)


@router.post(
    "/orders/{path:number}/refund",
    response={200: OrderAnswer, **SEND, **UNKNOWN, **CONFLICT},
    auth=Key(Scope.ORDERS_WRITE),
    operation_id="refund_order",
    summary="Refund an order in part or whole",
)
def refund(
    request: HttpRequest, number: OrderNumber, idempotency_key: IdempotencyKey, returned: Refund
) -> HttpResponse:
    """Points spent on it come back, points it earned are taken back. Each refund needs a key of its own."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        refunded = refund_order(
            order=order_of_source(source, number),
            key=event_key("api", source.pk, idempotency_key),
            refunded_at=happened_at("refunded_at", returned.refunded_at, now),
            is_whole=returned.is_whole,
            line_sums={line.position: line.line_sum for line in returned.lines},
            goods_sum=returned.goods_sum,
            delivery_sum=returned.delivery_sum,
        )
        return 200, order_answer(refunded)

    return write_once(request, key=idempotency_key, act=act)


@router.post(
    "/orders/{path:number}/cancel",
    response={200: OrderAnswer, **SEND, **UNKNOWN},
    auth=Key(Scope.ORDERS_WRITE),
    operation_id="cancel_order",
    summary="Cancel an order",
)
def cancel(
    request: HttpRequest, number: OrderNumber, idempotency_key: IdempotencyKey, cancellation: Cancellation
) -> HttpResponse:
    """Points set aside come free; what was paid is refunded whole. A cancelled order stays as it is."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        cancelled = cancel_order(
            order=order_of_source(source, number),
            cancelled_at=happened_at("cancelled_at", cancellation.cancelled_at, now),
        )
        return 200, order_answer(cancelled)

    return write_once(request, key=idempotency_key, act=act)


@router.get(
    "/orders/{path:number}",
    response={200: OrderAnswer, **READ, **UNKNOWN},
    auth=Key(Scope.ORDERS_READ),
    operation_id="get_order",
    summary="Read an order",
)
def show(request: HttpRequest, number: OrderNumber) -> OrderAnswer:
    """An order with its lines and every step of its life."""
    return order_answer(order_of_source(source_of(request), number))


@router.get(
    "/sums",
    response={200: DayAnswer, **READ},
    auth=Key(Scope.ORDERS_READ),
    operation_id="get_day_sums",
    summary="Compare a day",
)
def show_day(request: HttpRequest, day: Annotated[WantedDay, Query()]) -> DayAnswer:
    """What was paid, returned, earned and spent on a day, by the moments that you have told."""
    return day_answer(day_sums(source_of(request), day.day))


def specs_of(lines: Sequence[NewLine]) -> list[LineSpec]:
    """Lines as the services take them."""
    return [
        LineSpec(name=line.name, line_sum=line.line_sum, quantity=line.quantity, category=line.category or "")
        for line in lines
    ]


def outlet_of(source: Source, name: str | None) -> Outlet | None:
    """The outlet of that code or name, made if the source has not named it before."""
    return make_outlets(source, [name])[name] if name else None
