"""Registering many paid orders in one transaction: in sets what is ordinary, one by one what is not."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from django.db import IntegrityError, transaction

from loyalty.errors import LoyaltyError, NoRulesInForce
from loyalty.services import ledger
from loyalty.services.retry import ledger_write
from orders.errors import OrderDiffers, OrderError
from orders.models import Order, OrderStep, Source
from orders.queries.figures import check_sums
from orders.services.orders import register_paid_order
from orders.services.registering import outcomes
from orders.services.registering.candidates import (
    Candidate,
    candidates_of,
    choose_singles,
    contact_book,
    find_editions,
    find_people,
)
from orders.services.registering.insets import write_in_sets
from orders.services.registering.outcomes import PaidOrder, Registered
from orders.services.registering.shares import has_inviters_phone, inviters_phones
from orders.services.sets.bulk import next_ids
from orders.services.sets.writing import placed_key, placed_request
from referrals.models import Referral

# After so many numbers that others took at the same moment, each order sees to its own.
MOST_COLLISIONS = 3

Outcomes = dict[int, Registered]


class _Overtaken(Exception):
    """An order has changed hands, or a member got an inviter, meanwhile: what was read no longer holds."""


@ledger_write
def register_paid_orders(
    *, source: Source, orders: Sequence[PaidOrder], actor_id: int | None = None
) -> list[Registered]:
    """Register orders as `register_paid_order` would one by one, in the order of time.

    Returns their outcomes in the order in which they were sent. One that is refused changes
    nothing, and the others are registered all the same. All is one transaction.
    """
    collisions = 0
    while True:
        # What is begun anew gives its locks back first, and takes them again in their order.
        with suppress(_Overtaken):
            try:
                with transaction.atomic():
                    found = _register(source, orders, actor_id, in_sets=collisions < MOST_COLLISIONS)
                    return [found[turn] for turn in range(len(orders))]
            except IntegrityError:
                if collisions == MOST_COLLISIONS:
                    raise
                collisions += 1


def _register(
    source: Source, orders: Sequence[PaidOrder], actor_id: int | None, *, in_sets: bool
) -> Outcomes:
    by_time = sorted(range(len(orders)), key=lambda turn: orders[turn].paid_at)
    found: Outcomes = {}
    possible = {}
    for turn in by_time:
        order = orders[turn]
        try:
            check_sums(total_sum=order.total_sum, delivery_sum=order.delivery_sum, lines=order.lines)
        except OrderError as refusal:
            found[turn] = outcomes.refused(refusal)
        else:
            possible[turn] = order
    candidates = candidates_of(source, possible)
    referrals = _lock(source, candidates)
    found |= _answered(source, candidates)
    find_editions(candidates)
    candidates = [candidate for candidate in candidates if candidate.turn not in found]
    find_people(candidates, referrals)
    _note_inviters_phones(candidates, referrals)
    choose_singles(candidates)
    ordinary = [candidate for candidate in candidates if in_sets and not candidate.is_single]
    for candidate in ordinary:
        if candidate.member and not candidate.rule_set:
            found[candidate.turn] = outcomes.refused(NoRulesInForce())
    ordinary = [candidate for candidate in ordinary if candidate.turn not in found]
    found |= write_in_sets(source, ordinary, referrals, actor_id)
    _check_nobodies(source, ordinary)
    for candidate in candidates:
        if candidate.turn not in found:
            found[candidate.turn] = _register_one(source, candidate.order, actor_id)
    return found


def _lock(source: Source, candidates: Iterable[Candidate]) -> dict[int, Referral]:
    """Lock all accounts that the orders may touch, then the orders that are known already.

    Known orders are noted on the candidates. Returns who was invited by whom: as it was when the
    accounts were locked, since nobody is attached to a locked one.
    """
    numbers = [candidate.order.number for candidate in candidates]
    known = Order.objects.filter(source=source, number__in=numbers)
    members = set(known.exclude(member=None).values_list("member_id", flat=True))
    members.update(candidate.member.pk for candidate in candidates if candidate.member)
    inviters = set(Referral.objects.filter(invited__in=members).values_list("inviter_id", flat=True))
    if members:
        ledger.lock_accounts(*members, *inviters)
    referrals = {
        referral.invited_id: referral
        for referral in Referral.objects.select_related("invited", "inviter").filter(invited__in=members)
    }
    if any(referral.inviter_id not in inviters | members for referral in referrals.values()):
        raise _Overtaken
    # In the order in which a new member's waiting orders are locked.
    locked = known.select_related("member", "source", "outlet").order_by("placed_at", "pk")
    known_orders = {order.number: order for order in locked.select_for_update(of=["self"])}
    if any(order.member_id and order.member_id not in members for order in known_orders.values()):
        raise _Overtaken
    for candidate in candidates:
        candidate.known = known_orders.get(candidate.order.number)
    return referrals


def _note_inviters_phones(candidates: Sequence[Candidate], referrals: Mapping[int, Referral]) -> None:
    """Note the orders that were sent with their inviter's phone: a flag has to be raised for them."""
    people = {candidate.purchase.person for candidate in candidates if candidate.purchase.customer_phone}
    with_phone = [referral for invited_id, referral in referrals.items() if invited_id in people]
    if with_phone:
        phones = inviters_phones(with_phone)
        for candidate in candidates:
            candidate.has_inviters_phone = has_inviters_phone(candidate.purchase, referrals, phones)


def _answered(source: Source, candidates: Iterable[Candidate]) -> Outcomes:
    """The outcomes of orders that came before and are paid, or came with other content."""
    known = [candidate for candidate in candidates if candidate.known]
    if not known:
        return {}
    keys = {candidate.turn: placed_key(source, candidate.order.number) for candidate in known}
    steps = dict(OrderStep.objects.filter(key__in=set(keys.values())).values_list("key", "request"))
    found = {}
    for candidate in known:
        request = steps.get(keys[candidate.turn])
        if candidate.known is None or request is None:
            continue
        sent = placed_request(candidate.purchase, points=candidate.order.points)
        # Somebody may have joined since: whose order it is may differ, the rest may not.
        if {**request, "member": None} != {**sent, "member": None}:
            found[candidate.turn] = outcomes.refused(OrderDiffers(candidate.order.number))
        elif candidate.known.status in (Order.Status.PAID, Order.Status.PARTLY_REFUNDED):
            found[candidate.turn] = outcomes.known(candidate.known)
    return found


def _check_nobodies(source: Source, ordinary: Sequence[Candidate]) -> None:
    """See that nobody has become the member of an order that was written as nobody's."""
    waiting = [candidate.order for candidate in ordinary if candidate.member is None]
    book = contact_book(source, waiting)
    if any(book.member_of(order) for order in waiting):
        raise _Overtaken


def _register_one(source: Source, order: PaidOrder, actor_id: int | None) -> Registered:
    """Register an order by its services, or undo what they did of it."""
    (last_id,) = next_ids("orders_order", 1)
    try:
        registered = register_paid_order(
            source=source,
            number=order.number,
            total_sum=order.total_sum,
            paid_at=order.paid_at,
            member=order.member,
            customer_email=order.customer_email,
            customer_phone=order.customer_phone,
            outlet=order.outlet,
            delivery_sum=order.delivery_sum,
            lines=order.lines,
            points=order.points,
            actor_id=actor_id,
        )
    except LoyaltyError as refusal:
        return outcomes.refused(refusal)
    # Its number was taken before this one's turn, even if somebody else was just about to.
    return outcomes.new(registered) if registered.pk > last_id else outcomes.known(registered)
