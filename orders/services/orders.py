"""An order's life: placed, paid, refunded in parts or whole, or cancelled.

Every step is one transaction. It locks the points accounts it may touch, in id order, then the
order, and looks up its key only then: sent twice, at once or years later, it has one effect.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Member
from loyalty.services.ledger import event_key
from loyalty.services.retry import ledger_write
from orders.errors import MoneyDiffers, OrderDiffers, WrongStatus
from orders.models import Order, OrderLine, OrderStep, Outlet, Source
from orders.queries.figures import LineSpec, check_sums
from orders.queries.orders import member_of_contact
from orders.services import steps
from orders.services.earning import earn


@ledger_write
def place_order(
    *,
    source: Source,
    number: str,
    total_sum: Decimal,
    placed_at: datetime,
    member: Member | None = None,
    customer_email: str | None = None,
    customer_phone: str | None = None,
    outlet: Outlet | None = None,
    delivery_sum: Decimal = Decimal(0),
    lines: Sequence[LineSpec] = (),
    points: int = 0,
    held_at: datetime | None = None,
    actor_id: int | None = None,
) -> Order:
    """A new order; `points` of the member's points are set aside for it, up to the edition's cap.

    They are set aside at `held_at`, for orders that are sent later than they were placed.
    An order of somebody who is no member waits for them, by e-mail or phone.

    Raises:
        OrderDiffers: the number was used before for another order.
        BadSum, LinesDoNotAddUp: the sums cannot be.
        NotAMember: points were asked for, but the order is nobody's.
        BelowMinimum: fewer points than the edition lets be spent.
        NotEnoughPoints, AccountBlocked: the points cannot be set aside.
    """
    check_sums(total_sum=total_sum, delivery_sum=delivery_sum, lines=lines)
    member = member or member_of_contact(
        email=customer_email, phone=customer_phone, is_sandbox=source.is_sandbox
    )
    request = {
        "member": member and member.pk,
        "email": customer_email,
        "phone": customer_phone,
        # 5 and 5.00 are the same sum, whoever writes it.
        "total_sum": f"{total_sum:.2f}",
        "delivery_sum": f"{delivery_sum:.2f}",
        "points": points,
        "lines": [
            [line.name, line.category, f"{line.quantity:.3f}", f"{line.line_sum:.2f}"] for line in lines
        ],
    }
    if member:
        steps.lock_accounts_of(member.pk)
    key = event_key("order", source.code, number, "placed")
    if placed_before := _placed_before(key, request):
        return placed_before
    order, is_new = Order.objects.get_or_create(
        source=source,
        number=number,
        defaults={
            "outlet": outlet,
            "member": member,
            "customer_email": customer_email,
            "customer_phone": customer_phone,
            "placed_at": placed_at,
            "total_sum": total_sum,
            "delivery_sum": delivery_sum,
        },
    )
    if not is_new:
        # It came twice at once, and the other one was quicker; or the number is somebody else's.
        if placed_before := _placed_before(key, request):
            return placed_before
        raise OrderDiffers(number)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            name=line.name,
            category=line.category,
            quantity=line.quantity,
            line_sum=line.line_sum,
        )
        for position, line in enumerate(lines, start=1)
    )
    held_points = steps.hold_points(
        order, points=points, at=held_at or placed_at, key=event_key(key, "hold"), actor_id=actor_id
    )
    steps.keep_step(
        order,
        OrderStep.Kind.PLACED,
        key,
        request,
        placed_at,
        actor_id,
        money_sum=total_sum,
        held_points=held_points,
    )
    return order


@ledger_write
def add_points(
    *, order: Order, member: Member, points: int, key: UUID, at: datetime, actor_id: int | None = None
) -> Order:
    """Set more of the member's points aside for an unpaid order, up to the edition's cap.

    Raises:
        ForeignOrder: the order is another member's.
        WrongStatus: the order is not new.
        BelowMinimum, NotEnoughPoints, AccountBlocked: the points cannot be set aside.
    """
    order = steps.lock_order(order)
    request = {"points": points, "member": member.pk}
    if steps.is_repeat(order, key, request):
        return order
    steps.require_own_unpaid(order, member)
    held_points = steps.hold_points(
        order, points=points, at=at, key=event_key(key, "hold"), actor_id=actor_id
    )
    steps.keep_step(order, OrderStep.Kind.POINTS_ADDED, key, request, at, actor_id, held_points=held_points)
    return order


@ledger_write
def remove_points(
    *, order: Order, member: Member, key: UUID, at: datetime, actor_id: int | None = None
) -> Order:
    """Take the points off an unpaid order: what was set aside for it can be spent again.

    An order without points stays as it is.

    Raises:
        ForeignOrder: the order is another member's.
        WrongStatus: the order is not new.
    """
    order = steps.lock_order(order)
    request = {"member": member.pk}
    if steps.is_repeat(order, key, request):
        return order
    steps.require_own_unpaid(order, member)
    if order.held_points:
        released_points = steps.release_held_points(order, key=key, at=at, actor_id=actor_id)
        steps.keep_step(
            order, OrderStep.Kind.POINTS_REMOVED, key, request, at, actor_id, held_points=-released_points
        )
    return order


@ledger_write
def pay_order(
    *,
    order: Order,
    paid_at: datetime,
    key: UUID | None = None,
    money_sum: Decimal | None = None,
    actor_id: int | None = None,
) -> Order:
    """The order is paid: held points are spent, the tier moves, points are earned, the inviter gets a share.

    `money_sum` is what was taken for it, if that is known. An order that is paid already stays as it
    is. A cancelled one can be paid again, under a key of
    its own or without one, and earns again.

    Raises:
        HoldLapsed: the points set aside for it are gone.
        MoneyDiffers: the money taken is not what the points leave to pay.
        WrongStatus: all of it was refunded.
    """
    order = steps.lock_order(order)
    key = key or _payment_key(order, order.payments_count + 1)
    if steps.is_repeat(order, key, {}) or order.status in (Order.Status.PAID, Order.Status.PARTLY_REFUNDED):
        return order
    if order.status == Order.Status.REFUNDED:
        raise WrongStatus(order.number, order.get_status_display())
    if order.status == Order.Status.CANCELLED:
        steps.begin_again(order)
    if money_sum is not None and money_sum != order.total_sum - order.held_points:
        raise MoneyDiffers(order.total_sum - order.held_points)
    order.status = Order.Status.PAID
    order.paid_at = paid_at
    order.payments_count += 1
    order.spent_points = steps.spend_held_points(order, key=key, at=paid_at, actor_id=actor_id)
    order.held_points = 0
    if order.member is not None:
        earn(order, key=key, at=paid_at, actor_id=actor_id)
    order.save()
    steps.keep_step(
        order,
        OrderStep.Kind.PAID,
        key,
        {},
        paid_at,
        actor_id,
        money_sum=order.total_sum - order.spent_points,
        earned_points=order.earned_points,
        spent_points=order.spent_points,
    )
    return order


@ledger_write
def refund_order(
    *,
    order: Order,
    key: UUID,
    refunded_at: datetime,
    line_sums: Mapping[int, Decimal] | None = None,
    goods_sum: Decimal = Decimal(0),
    delivery_sum: Decimal = Decimal(0),
    is_whole: bool = False,
    actor_id: int | None = None,
) -> Order:
    """Part of a paid order is returned: by line position and sum, or by sum where it has no lines.

    With `is_whole` all that is left is returned, and nothing else need be said. Points spent on it
    come back, points earned by it are taken back, so is the inviter's share, and the paid sum
    shrinks. The sums are those that the goods had cost, points and money together.

    Raises:
        WrongStatus: the order is not paid.
        AboveOrder: more than is left of the order, of a line or of the delivery.
        LinesNeeded, NothingToRefund, BadSum: it is not clear what is returned.
        StepTooEarly: it is said to have happened before the order was paid.
    """
    order = steps.lock_order(order)
    request = {
        "lines": {
            str(position): f"{line_sum:.2f}" for position, line_sum in sorted((line_sums or {}).items())
        },
        "goods_sum": f"{goods_sum:.2f}",
        "delivery_sum": f"{delivery_sum:.2f}",
        **({"is_whole": True} if is_whole else {}),
    }
    if steps.is_repeat(order, key, request):
        return order
    if order.status not in (Order.Status.PAID, Order.Status.PARTLY_REFUNDED):
        raise WrongStatus(order.number, order.get_status_display())
    refunded_at = steps.not_before_payment(order, "refunded_at", refunded_at)
    if is_whole:
        returned_sum = steps.return_everything(order)
    else:
        returned_sum = steps.return_goods(
            order, line_sums=line_sums or {}, goods_sum=goods_sum, delivery_sum=delivery_sum
        )
    status = Order.Status.REFUNDED if order.refunded_sum == order.total_sum else Order.Status.PARTLY_REFUNDED
    steps.settle_refund(
        order, status, OrderStep.Kind.REFUNDED, key, request, refunded_at, actor_id, returned_sum=returned_sum
    )
    return order


@ledger_write
def cancel_order(
    *, order: Order, cancelled_at: datetime, key: UUID | None = None, actor_id: int | None = None
) -> Order:
    """The order does not happen: held points come free, and what was paid is refunded whole.

    An order that is cancelled already stays as it is.

    Raises:
        StepTooEarly: it was paid, and is said to have been cancelled before.
    """
    order = steps.lock_order(order)
    key = key or event_key("order", order.source_id, order.number, "cancelled", order.payments_count)
    if steps.is_repeat(order, key, {}) or order.status == Order.Status.CANCELLED:
        return order
    was_new = order.status == Order.Status.NEW
    if not was_new:
        cancelled_at = steps.not_before_payment(order, "cancelled_at", cancelled_at)
    if was_new:
        order.status = Order.Status.CANCELLED
        released_points = steps.release_held_points(order, key=key, at=cancelled_at, actor_id=actor_id)
        order.save()
        steps.keep_step(
            order,
            OrderStep.Kind.CANCELLED,
            key,
            {},
            cancelled_at,
            actor_id,
            held_points=-released_points,
        )
    else:
        returned_sum = steps.return_everything(order)
        steps.settle_refund(
            order,
            Order.Status.CANCELLED,
            OrderStep.Kind.CANCELLED,
            key,
            {},
            cancelled_at,
            actor_id,
            returned_sum=returned_sum,
        )
    return order


@ledger_write
def register_paid_order(
    *,
    source: Source,
    number: str,
    total_sum: Decimal,
    paid_at: datetime,
    member: Member | None = None,
    customer_email: str | None = None,
    customer_phone: str | None = None,
    outlet: Outlet | None = None,
    delivery_sum: Decimal = Decimal(0),
    lines: Sequence[LineSpec] = (),
    points: int = 0,
    actor_id: int | None = None,
) -> Order:
    """An order that is paid as it is placed: what a till sends. Raises what both steps raise."""
    order = place_order(
        source=source,
        number=number,
        total_sum=total_sum,
        placed_at=paid_at,
        member=member,
        customer_email=customer_email,
        customer_phone=customer_phone,
        outlet=outlet,
        delivery_sum=delivery_sum,
        lines=lines,
        points=points,
        actor_id=actor_id,
    )
    return pay_order(order=order, paid_at=paid_at, key=first_payment_key(order), actor_id=actor_id)


def first_payment_key(order: Order) -> UUID:
    """The key of an order's first payment: under it a sale that is sent again is never paid anew."""
    return _payment_key(order, 1)


def _payment_key(order: Order, turn: int) -> UUID:
    return event_key("order", order.source_id, order.number, "paid", turn)


def _placed_before(key: UUID, request: Mapping[str, object]) -> Order | None:
    """The order that was placed under this key, unless with other content (OrderDiffers)."""
    step = OrderStep.objects.select_related("order").filter(key=key).first()
    if step is None:
        return None
    # Somebody may have joined since: whose order it is may differ, the rest may not.
    if {**step.request, "member": None} != {**request, "member": None}:
        raise OrderDiffers(step.order.number)
    return step.order
