"""Writes the orders of one transaction: members, orders, standings and points, by whole statements."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Member
from loyalty.models import Purpose, RuleSet
from loyalty.services import ledger
from loyalty.services.ledger import CreditRow, Note, event_key
from loyalty.services.retry import ledger_write
from orders.models import Order, OrderStep, Outlet, Source
from orders.services.earning import explain_earning
from orders.services.importing.bulk import copy_rows, next_ids
from orders.services.importing.counting import Counted, Counter, Outcome
from orders.services.importing.people import members_of
from orders.services.importing.staging import StagedCustomer, StagedOrder
from referrals.queries import inviter_id_of
from referrals.services import reward_inviter


@ledger_write
def write_orders(
    *,
    source: Source,
    outlets: Mapping[str, Outlet],
    customers: Sequence[StagedCustomer],
    orders: Sequence[StagedOrder],
    rule_set: RuleSet,
    settle_until: datetime | None,
) -> Outcome:
    """Write these orders as placed and paid, with all that follows; oldest first.

    Members who are not there yet are made. What has become due between their orders is posted up
    to `settle_until`.
    """
    members = members_of(source, customers)
    ledger.lock_accounts(*members.values())
    counter = Counter(rule_set)
    counter.load(members.values())
    written = _write(source, outlets, members, orders, counter, settle_until)
    return Outcome(sum(counted.points for counted, _order_id, _key in written), counter.tiers())


@ledger_write
def write_linked_orders(
    *,
    source: Source,
    outlets: Mapping[str, Outlet],
    customers: Sequence[StagedCustomer],
    orders: Sequence[StagedOrder],
    rule_set: RuleSet,
) -> Outcome:
    """As `write_orders`, for people who were invited, and who invited them: one order at a time.

    A share depends on where the inviter stands at the moment of the friend's order.
    """
    members = members_of(source, customers)
    inviters = {member_id: inviter_id_of(member_id) for member_id in set(members.values())}
    ledger.lock_accounts(*members.values(), *(inviter_id for inviter_id in inviters.values() if inviter_id))
    invited = Member.objects.in_bulk([member_id for member_id, inviter_id in inviters.items() if inviter_id])
    points, tiers = 0, {}
    for order in orders:
        counter = Counter(rule_set)
        member_id = members[order.customer]
        counter.load([member_id])
        (written,) = _write(source, outlets, members, [order], counter, None)
        counted, order_id, paid_key = written
        points += counted.points
        tiers.update(counter.tiers())
        if member_id in invited:
            reward_inviter(
                invited=invited[member_id],
                order_id=order_id,
                base_sum=counted.sums.base_sum,
                rule_set=rule_set,
                at=order.paid_at,
                key=event_key(paid_key, "inviter's share"),
            )
    return Outcome(points, tiers)


Written = tuple[Counted, int, UUID]
# An order that has just been paid, as the database writes it.
NOTHING = Decimal("0.00")


def _write(
    source: Source,
    outlets: Mapping[str, Outlet],
    members: Mapping[str, int],
    orders: Sequence[StagedOrder],
    counter: Counter,
    settle_until: datetime | None,
) -> list[Written]:
    """Count the orders and write everything; the accounts are locked, the places loaded."""
    counted_orders = [counter.count(_of_member(order, members)) for order in orders]
    ids = next_ids("orders_order", len(orders))
    keys = [event_key("order", source.pk, order.number, "paid", 1) for order in orders]
    written = list(zip(counted_orders, ids, keys, strict=True))
    _write_orders(source, outlets, counter.rule_set, written)
    _write_steps(source, written)
    _write_standings(counter, written)
    _credit(outlets, counter, written, settle_until)
    return written


def _of_member(order: StagedOrder, members: Mapping[str, int]) -> StagedOrder:
    return StagedOrder(
        members[order.customer],
        order.customer,
        order.number,
        order.paid_at,
        order.total_sum,
        order.delivery_sum,
        order.outlet,
    )


def _write_orders(
    source: Source, outlets: Mapping[str, Outlet], rule_set: RuleSet, written: Sequence[Written]
) -> None:
    copy_rows(
        "orders_order",
        (
            "id",
            "source_id",
            "number",
            "outlet_id",
            "member_id",
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
        (
            (
                order_id,
                source.pk,
                counted.order.number,
                outlets[counted.order.outlet].pk if counted.order.outlet else None,
                counted.order.person,
                Order.Status.PAID.value,
                counted.order.paid_at,
                counted.order.paid_at,
                1,
                counted.order.total_sum,
                counted.order.delivery_sum,
                0,
                0,
                0,
                0,
                0,
                counted.points,
                0,
                rule_set.pk,
                counted.tier.pk,
                counted.tier.coefficient,
            )
            for counted, order_id, _key in written
        ),
    )


def _write_steps(source: Source, written: Sequence[Written]) -> None:
    """The steps of an order that is sent and paid at once, under the keys that its services use."""
    recorded_at = timezone.now()

    def rows() -> Iterable[tuple[object, ...]]:
        for counted, order_id, key in written:
            order = counted.order
            request: dict[str, object] = {
                "member": order.person,
                "email": None,
                "phone": None,
                "total_sum": f"{order.total_sum:.2f}",
                "delivery_sum": f"{order.delivery_sum:.2f}",
                "points": 0,
                "lines": [],
            }
            placed_key = event_key("order", source.code, order.number, "placed")
            placed = (OrderStep.Kind.PLACED.value, placed_key, json.dumps(request))
            paid = (OrderStep.Kind.PAID.value, key, "{}")
            yield (order_id, *placed, order.paid_at, recorded_at, order.total_sum, 0, 0)
            yield (order_id, *paid, order.paid_at, recorded_at, counted.sums.money_sum, counted.points, 0)

    copy_rows(
        "orders_order_step",
        (
            "order_id",
            "kind",
            "key",
            "request",
            "happened_at",
            "recorded_at",
            "money_sum",
            "earned_points",
            "spent_points",
        ),
        rows(),
    )


def _write_standings(counter: Counter, written: Sequence[Written]) -> None:
    """Paid sums, the tier of everybody whose orders these are, and each change of it."""
    people = {counted.order.person for counted, _order_id, _key in written}
    places = [(person, counter.places[person]) for person in sorted(people)]
    copy_rows(
        "loyalty_standing",
        ("member_id", "paid_sum", "tier_id", "since_at"),
        ((person, place.paid_sum, place.tier.pk, place.since_at) for person, place in places if place.is_new),
    )
    moved = [(person, place) for person, place in places if not place.is_new]
    with connection.cursor() as cursor:
        cursor.execute(
            "update loyalty_standing standing"
            "   set paid_sum = moved.paid_sum, tier_id = moved.tier_id, since_at = moved.since_at"
            "  from unnest(%s::bigint[], %s::numeric[], %s::bigint[], %s::timestamptz[])"
            "       as moved (member_id, paid_sum, tier_id, since_at)"
            " where standing.member_id = moved.member_id",
            (
                [person for person, _place in moved],
                [place.paid_sum for _person, place in moved],
                [place.tier.pk for _person, place in moved],
                [place.since_at for _person, place in moved],
            ),
        )
    copy_rows(
        "loyalty_paid_sum_entry",
        ("member_id", "order_id", "paid_sum", "counted_at", "recorded_at"),
        (
            (
                counted.order.person,
                order_id,
                counted.sums.money_sum,
                counted.order.paid_at,
                counted.order.paid_at,
            )
            for counted, order_id, _key in written
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
                counted.order.person,
                change.from_tier.pk if change.from_tier else None,
                change.to_tier.pk,
                counter.rule_set.pk,
                counted.order.paid_at,
                change.cause.value,
                order_id if change.is_by_order else None,
                "",
            )
            for counted, order_id, _key in written
            for change in counted.changes
        ),
    )


def _credit(
    outlets: Mapping[str, Outlet],
    counter: Counter,
    written: Sequence[Written],
    settle_until: datetime | None,
) -> None:
    ledger.credit_many(
        rows=[
            CreditRow(
                key=event_key(key, "earn"),
                account_id=counted.order.person,
                points=counted.points,
                at=counted.order.paid_at,
                available_at=counter.available_at(counted.order.paid_at),
                expires_on=counter.expires_on(counted.order.paid_at),
                note=_note(outlets, counter.rule_set, counted, order_id),
            )
            for counted, order_id, key in written
            if counted.points
        ],
        settle_until=settle_until,
    )


def _note(outlets: Mapping[str, Outlet], rule_set: RuleSet, counted: Counted, order_id: int) -> Note:
    """What the posting says about itself: the same as `orders.services.earning.earn` has it say."""
    order = counted.order
    return Note(
        purpose=Purpose.ORDER,
        order_id=order_id,
        rule_set_id=rule_set.pk,
        explanation={
            "order": order.number,
            **explain_earning(
                rule_set=rule_set,
                tier=counted.tier,
                sums=counted.sums,
                total_sum=order.total_sum,
                refunded_sum=NOTHING,
                outlet=outlets[order.outlet] if order.outlet else None,
            ),
        },
    )
