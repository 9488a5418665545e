"""What the steps of an order's life have in common: locks, repeats, points, sums."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from accounts.models import Member
from accounts.services.messages import tell
from loyalty.errors import AboveHold, NotEnoughPoints
from loyalty.queries.rules import redemption_cap_points, rule_set_in_force
from loyalty.services import ledger
from loyalty.services.ledger import event_key
from loyalty.services.standing import standing_of
from orders.errors import (
    AboveOrder,
    BelowMinimum,
    ForeignOrder,
    HoldLapsed,
    LinesNeeded,
    NotAMember,
    NothingToRefund,
    OrderDiffers,
    StepTooEarly,
    WrongStatus,
)
from orders.models import Order, OrderStep
from orders.queries.figures import check_sum, points_due_back
from orders.queries.orders import open_holds, open_spendings
from orders.queries.quotes import hold_expires_at
from orders.services.earning import TakenBack, note, take_back
from orders.services.telling import order_returned
from referrals.queries import inviter_id_of

# Clocks of shops and tills differ by so much at most.
CLOCK_TOLERANCE = timedelta(minutes=5)
# What a refund gives back lives for this long at least, whatever its old last day.
GIVEN_BACK_LIFE_DAYS = 30
# Nothing is left of an order that is one of these.
OVER = (Order.Status.REFUNDED, Order.Status.CANCELLED)


class InviterAttached(OperationalError):
    """Locking the inviter's account now could close a circle: the write begins anew, and locks both."""


def lock_order(order: Order) -> Order:
    """The order as it stands now, locked, after the accounts of its member and of their inviter.

    An order may get its member while we wait for it: then the locks are taken anew.
    """
    while True:
        member_id = Order.objects.values_list("member_id", flat=True).get(pk=order.pk)
        if member_id is not None:
            lock_accounts_of(member_id)
        locked = (
            Order.objects.select_for_update(of=["self"])
            .select_related("member", "source", "outlet")
            .get(pk=order.pk)
        )
        if locked.member_id == member_id:
            return locked
        order = locked


def lock_accounts_of(member_id: int) -> None:
    """Lock what a paid order of this member may touch: their account, and their inviter's.

    Raises:
        InviterAttached: the member got an inviter while their account was waited for.
    """
    inviter_id = inviter_id_of(member_id)
    ledger.lock_accounts(member_id, *([inviter_id] if inviter_id else []))
    # Once noted an inviter stays, and nobody is attached while the account is locked.
    if inviter_id is None and inviter_id_of(member_id) is not None:
        raise InviterAttached("The member has just got an inviter.")


def require_own_unpaid(order: Order, member: Member) -> None:
    """Go on only with an order of this member that is not paid yet.

    Raises:
        ForeignOrder: it is somebody else's.
        WrongStatus: it is not new.
    """
    if order.member_id != member.pk:
        raise ForeignOrder
    if order.status != Order.Status.NEW:
        raise WrongStatus(order.number, order.get_status_display())


def is_repeat(order: Order, key: UUID, request: Mapping[str, object]) -> bool:
    """Whether this step was taken before under its key.

    Raises:
        OrderDiffers: it was another step, or of another order, or with other content.
    """
    step = OrderStep.objects.filter(key=key).first()
    if step and (step.order_id != order.pk or step.request != request):
        raise OrderDiffers(order.number)
    return step is not None


def keep_step(
    order: Order,
    kind: OrderStep.Kind,
    key: UUID,
    request: Mapping[str, object],
    happened_at: datetime,
    actor_id: int | None,
    *,
    money_sum: Decimal = Decimal(0),
    earned_points: int = 0,
    spent_points: int = 0,
    held_points: int = 0,
) -> None:
    """Write down that the step was taken, and what it moved."""
    OrderStep.objects.create(
        order=order,
        kind=kind,
        key=key,
        request=request,
        happened_at=happened_at,
        recorded_at=timezone.now(),
        actor_id=actor_id,
        money_sum=money_sum,
        earned_points=earned_points,
        spent_points=spent_points,
        held_points=held_points,
    )


def hold_points(order: Order, *, points: int, at: datetime, key: UUID, actor_id: int | None) -> int:
    """Set points aside for the order, no more than the edition's cap leaves room for.

    Returns how many points that were.
    """
    if not points:
        return 0
    if order.member is None:
        raise NotAMember
    rule_set = rule_set_in_force(at)
    tier = standing_of(member=order.member, at=at).tier
    cap_points = redemption_cap_points(rule_set, tier, order.total_sum)
    points = min(points, cap_points - order.held_points)
    if order.held_points + points < rule_set.redemption_minimum_points:
        raise BelowMinimum(rule_set.redemption_minimum_points)
    if points <= 0:
        return 0
    ledger.hold(
        key=key,
        account_id=order.member.pk,
        points=points,
        at=at,
        expires_at=hold_expires_at(at),
        note=note(order, actor_id),
    )
    order.held_points += points
    order.save(update_fields=["held_points"])
    return points


def release_held_points(order: Order, *, key: UUID, at: datetime, actor_id: int | None) -> int:
    """Set free what was set aside for the order; returns how many points were taken off it.

    Points whose hold ran out came free by themselves.
    """
    for hold in open_holds(order):
        try:
            ledger.release(
                key=event_key(key, "release", hold.posting_id),
                hold_id=hold.posting_id,
                points=hold.points - hold.captured_points - hold.released_points,
                at=at,
                note=note(order, actor_id),
            )
        except AboveHold:
            continue
    released_points = order.held_points
    order.held_points = 0
    order.save(update_fields=["held_points"])
    return released_points


def spend_held_points(order: Order, *, key: UUID, at: datetime, actor_id: int | None) -> int:
    """Spend what was set aside for the order; returns how many points that were.

    Points whose hold ran out before the payment arrived are spent from what is available.
    """
    missing_points = order.held_points
    for hold in open_holds(order):
        points = hold.points - hold.captured_points - hold.released_points
        try:
            ledger.capture(
                key=event_key(key, "capture", hold.posting_id),
                hold_id=hold.posting_id,
                points=points,
                at=at,
                note=note(order, actor_id),
            )
        except AboveHold:
            continue
        missing_points -= points
    if missing_points and order.member is not None:
        try:
            ledger.spend(
                key=event_key(key, "spend"),
                account_id=order.member.pk,
                points=missing_points,
                at=at,
                note=note(order, actor_id),
            )
        except NotEnoughPoints as refusal:
            raise HoldLapsed(missing_points, refusal.limit_points) from refusal
    return order.held_points


def begin_again(order: Order) -> None:
    """A cancelled order is paid after all: count its sums from the beginning.

    What happened before stays in its steps and postings, where it adds up to nothing.
    """
    order.refunded_sum = order.refunded_delivery_sum = Decimal(0)
    order.earned_points = order.taken_back_points = 0
    order.spent_points = order.given_back_points = 0
    order.lines.update(refunded_sum=0)


def return_goods(
    order: Order, *, line_sums: Mapping[int, Decimal], goods_sum: Decimal, delivery_sum: Decimal
) -> Decimal:
    """Count what is returned on the order and its lines, or refuse it whole; returns the sum of it."""
    for field, given in [("goods_sum", goods_sum), ("delivery_sum", delivery_sum)]:
        check_sum(field, given)
    lines = {line.position: line for line in order.lines.all()}
    if goods_sum and lines:
        raise LinesNeeded(has_lines=True)
    for position, line_sum in line_sums.items():
        check_sum("lines", line_sum)
        line = lines.get(position)
        if line is None:
            raise LinesNeeded(has_lines=bool(lines))
        if line.refunded_sum + line_sum > line.line_sum:
            raise AboveOrder(line.line_sum - line.refunded_sum)
        line.refunded_sum += line_sum
        line.save(update_fields=["refunded_sum"])
    goods_sum += sum(line_sums.values(), Decimal(0))
    if not goods_sum + delivery_sum:
        raise NothingToRefund
    delivery_left = order.delivery_sum - order.refunded_delivery_sum
    goods_left = order.total_sum - order.refunded_sum - delivery_left
    if goods_sum > goods_left:
        raise AboveOrder(goods_left)
    if delivery_sum > delivery_left:
        raise AboveOrder(delivery_left)
    order.refunded_sum += goods_sum + delivery_sum
    order.refunded_delivery_sum += delivery_sum
    return goods_sum + delivery_sum


def not_before_payment(order: Order, field: str, at: datetime) -> datetime:
    """The moment of a return; a clock that is a little slow does not put it before the payment.

    Raises:
        StepTooEarly: it lies well before it, so what it gives back might have expired already.
    """
    if order.paid_at is None or at >= order.paid_at:
        return at
    if order.paid_at - at > CLOCK_TOLERANCE:
        raise StepTooEarly(field, order.paid_at)
    return order.paid_at


def return_everything(order: Order) -> Decimal:
    """Count all that is left of the order as returned; returns the sum of it."""
    returned_sum = order.total_sum - order.refunded_sum
    order.refunded_sum = order.total_sum
    order.refunded_delivery_sum = order.delivery_sum
    order.lines.update(refunded_sum=F("line_sum"))
    return returned_sum


def settle_refund(
    order: Order,
    status: Order.Status,
    kind: OrderStep.Kind,
    key: UUID,
    request: Mapping[str, object],
    at: datetime,
    actor_id: int | None,
    *,
    returned_sum: Decimal,
) -> None:
    """Bring points, paid sum and what its invitation brought to what the order becomes: `status`.

    Spent points come back before earned ones are taken back, so a return of everything makes no
    debt out of points that the same order had paid with.
    """
    # What was returned whole may be cancelled, too: it was over before.
    is_over = status in OVER and order.status not in OVER
    order.status = status
    given_back_points = give_back(order, key=key, at=at, actor_id=actor_id)
    money_sum = returned_sum - given_back_points
    taken_back = TakenBack()
    if order.member is not None and order.rule_set is not None:
        taken_back = take_back(order, key=key, at=at, money_sum=money_sum, is_over=is_over, actor_id=actor_id)
        tell(
            *order_returned(
                member_id=order.member.pk,
                order=order.number,
                given_back_points=given_back_points,
                taken_back_points=taken_back.points,
                at=at,
                tier=taken_back.tier,
            )
        )
    order.save()
    keep_step(
        order,
        kind,
        key,
        request,
        at,
        actor_id,
        money_sum=-money_sum,
        earned_points=-taken_back.points,
        spent_points=-given_back_points,
    )


def give_back(order: Order, *, key: UUID, at: datetime, actor_id: int | None) -> int:
    """Give back the points that paid for what is returned so far; returns how many that were."""
    due_points = points_due_back(order) - order.given_back_points
    left_points = due_points
    for spending in open_spendings(order) if due_points else ():
        points = min(left_points, spending.points - spending.given_back_points)
        ledger.give_back(
            key=event_key(key, "give back", spending.posting_id),
            spending_id=spending.posting_id,
            points=points,
            at=at,
            least_expires_on=timezone.localdate(at) + timedelta(days=GIVEN_BACK_LIFE_DAYS),
            note=note(order, actor_id, returned_sum=order.refunded_sum),
        )
        left_points -= points
        if not left_points:
            break
    order.given_back_points += due_points
    return due_points
