"""Whose order is this."""

from django.http import Http404

from accounts.models import Member
from orders.errors import OrderUnknown
from orders.models import Order, Source


def own_order(member: Member, order_id: int) -> Order:
    """The member's own order, with its source and outlet; anybody else's is “not found”."""
    order = member.orders.select_related("source", "outlet").filter(pk=order_id).first()
    if order is None:
        raise Http404
    return order


def order_of_source(source: Source, number: str) -> Order:
    """The order that the source knows by this number; orders of other sources do not exist for it.

    Raises:
        OrderUnknown: there is none.
    """
    own = Order.objects.select_related("member", "source", "outlet").filter(source=source)
    order = own.filter(number=number).first()
    if order is None:
        raise OrderUnknown(number)
    return order
