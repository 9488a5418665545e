"""Writes orders with all that follows from them, by whole statements over many orders."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from django.db import connection
from django.utils import timezone

from loyalty.models import Purpose
from loyalty.services.ledger import CreditRow, Note, event_key
from orders.models import Order, OrderStep, Source
from orders.services.earning import explain_earning
from orders.services.sets.bulk import copy_rows, next_ids
from orders.services.sets.counting import NOTHING, Counted, Counter, Place
from orders.services.sets.purchase import Purchase, stored_phone

QUANTUM = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Written:
    """An order with its id, the key of its payment and, if it is a member's, what follows from it."""

    purchase: Purchase
    order_id: int
    key: UUID
    counted: Counted | None


def with_ids(source: Source, counted: Sequence[tuple[Purchase, Counted | None]]) -> list[Written]:
    """These orders, numbered in their turn."""
    ids = next_ids("orders_order", len(counted))
    return [
        Written(purchase, order_id, event_key("order", source.pk, purchase.number, "paid", 1), follows)
        for (purchase, follows), order_id in zip(counted, ids, strict=True)
    ]


def placed_key(source: Source, number: str) -> UUID:
    """The key under which the services place the order of that number."""
    return event_key("order", source.code, number, "placed")


def placed_request(purchase: Purchase, *, points: int = 0) -> dict[str, object]:
    """What `place_order` keeps of what it was asked for, to compare it with a repeat."""
    return {
        "member": purchase.person,
        "email": purchase.customer_email,
        "phone": purchase.customer_phone,
        "total_sum": f"{purchase.total_sum:.2f}",
        "delivery_sum": f"{purchase.delivery_sum:.2f}",
        "points": points,
        "lines": [
            [line.name, line.category, f"{line.quantity:.3f}", f"{line.line_sum:.2f}"]
            for line in purchase.lines
        ],
    }


def write_orders(source: Source, written: Sequence[Written], *, actor_id: int | None = None) -> None:
    """The orders as paid ones, their lines, and the steps of placing and paying them.

    Raises:
        IntegrityError: one of the numbers has been used meanwhile.
    """
    copy_rows(
        "orders_order",
        (
            "id",
            "source_id",
            "number",
            "outlet_id",
            "member_id",
            "customer_email",
            "customer_phone",
            "status",
            "placed_at",
            "paid_at",
            "payments_count",
            "total_sum",
            "delivery_sum",
            "refunded_sum",
            "refunded_delivery_sum",
            "held_points",
            "spent_points",
            "given_back_points",
            "earned_points",
            "taken_back_points",
            "rule_set_id",
            "tier_id",
            "coefficient",
        ),
        # Whoever writes some of the same numbers at the same moment waits for one of them, not in a circle.
        (_order_row(source, row) for row in sorted(written, key=lambda row: row.purchase.number)),
    )
    copy_rows(
        "orders_orderline",
        ("order_id", "position", "name", "category", "quantity", "line_sum", "refunded_sum"),
        (
            (
                row.order_id,
                position,
                line.name,
                line.category,
                line.quantity.quantize(QUANTUM, ROUND_HALF_EVEN),
                line.line_sum,
                0,
            )
            for row in written
            for position, line in enumerate(row.purchase.lines, start=1)
        ),
    )
    copy_rows(
        "orders_order_step",
        (
            "order_id",
            "kind",
            "key",
            "request",
            "happened_at",
            "recorded_at",
            "actor_id",
            "money_sum",
            "earned_points",
            "spent_points",
        ),
        _step_rows(source, written, actor_id),
    )


def write_standings(places: Iterable[Place], written: Sequence[Written]) -> None:
    """Paid sums, where everybody stands by now, and each change of a tier."""
    _write_places(sorted((place for place in places if place.is_moved), key=lambda place: place.person))
    counted_orders = [(row, row.counted) for row in written if row.counted]
    copy_rows(
        "loyalty_paid_sum_entry",
        ("member_id", "order_id", "paid_sum", "counted_at", "recorded_at"),
        (
            (
                row.purchase.person,
                row.order_id,
                counted.sums.money_sum,
                row.purchase.paid_at,
                row.purchase.paid_at,
            )
            for row, counted in counted_orders
        ),
    )
    copy_rows(
        "loyalty_tier_change",
        (
            "member_id",
            "from_tier_id",
            "to_tier_id",
            "rule_set_id",
            "changed_at",
            "cause",
            "order_id",
            "reason",
        ),
        (
            (
                change.person,
                change.from_tier.pk if change.from_tier else None,
                change.to_tier.pk,
                change.rule_set.pk,
                row.purchase.paid_at,
                change.cause.value,
                row.order_id if change.is_by_order else None,
                "",
            )
            for row, counted in counted_orders
            for change in counted.changes
        ),
    )


def credit_row(counter: Counter, row: Written, *, actor_id: int | None = None) -> CreditRow | None:
    """What the order earns its member, said as `earn` says it; None when that is nothing."""
    purchase, counted = row.purchase, row.counted
    if purchase.person is None or counted is None or not counted.points:
        return None
    return CreditRow(
        key=event_key(row.key, "earn"),
        account_id=purchase.person,
        points=counted.points,
        at=purchase.paid_at,
        available_at=counter.available_at(purchase.paid_at),
        expires_on=counter.expires_on(purchase.paid_at),
        note=Note(
            purpose=Purpose.ORDER,
            order_id=row.order_id,
            rule_set_id=counted.rule_set.pk,
            actor_id=actor_id,
            explanation={
                "order": purchase.number,
                **explain_earning(
                    rule_set=counted.rule_set,
                    tier=counted.tier,
                    sums=counted.sums,
                    total_sum=purchase.total_sum,
                    refunded_sum=NOTHING,
                    outlet=purchase.outlet,
                ),
            },
        ),
    )


def _order_row(source: Source, row: Written) -> tuple[object, ...]:
    purchase, counted = row.purchase, row.counted
    return (
        row.order_id,
        source.pk,
        purchase.number,
        purchase.outlet.pk if purchase.outlet else None,
        purchase.person,
        purchase.customer_email,
        purchase.customer_phone and stored_phone(purchase.customer_phone),
        Order.Status.PAID.value,
        purchase.paid_at,
        purchase.paid_at,
        1,
        purchase.total_sum,
        purchase.delivery_sum,
        0,
        0,
        0,
        0,
        0,
        counted.points if counted else 0,
        0,
        counted.rule_set.pk if counted else None,
        counted.tier.pk if counted else None,
        counted.tier.coefficient if counted else None,
    )


def _step_rows(
    source: Source, written: Sequence[Written], actor_id: int | None
) -> Iterator[tuple[object, ...]]:
    """The steps of an order that is sent and paid at once, under the keys that its services use."""
    recorded_at = timezone.now()
    for row in written:
        purchase = row.purchase
        request = json.dumps(placed_request(purchase))
        times = (purchase.paid_at, recorded_at, actor_id)
        placed = (OrderStep.Kind.PLACED.value, placed_key(source, purchase.number), request)
        yield (row.order_id, *placed, *times, purchase.total_sum, 0, 0)
        # Without points spent on it, all of it is paid in money.
        points = row.counted.points if row.counted else 0
        yield (
            row.order_id,
            OrderStep.Kind.PAID.value,
            row.key,
            "{}",
            *times,
            purchase.total_sum,
            points,
            0,
        )


def _write_places(places: Sequence[Place]) -> None:
    copy_rows(
        "loyalty_standing",
        ("member_id", "paid_sum", "tier_id", "since_at"),
        ((place.person, place.paid_sum, place.tier.pk, place.since_at) for place in places if place.is_new),
    )
    moved = [place for place in places if not place.is_new]
    with connection.cursor() as cursor:
        cursor.execute(
            "update loyalty_standing standing"
            "   set paid_sum = moved.paid_sum, tier_id = moved.tier_id, since_at = moved.since_at"
            "  from unnest(%s::bigint[], %s::numeric[], %s::bigint[], %s::timestamptz[])"
            "       as moved (member_id, paid_sum, tier_id, since_at)"
            " where standing.member_id = moved.member_id",
            (
                [place.person for place in moved],
                [place.paid_sum for place in moved],
                [place.tier.pk for place in moved],
                [place.since_at for place in moved],
            ),
        )
