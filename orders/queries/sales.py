"""Sales that staff register at the till, and orders by the number that stands on a receipt."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet

from orders.models import Order, OrderStep, Outlet

SALES_CODE = "till"


def sale_by_key(key: UUID) -> Order | None:
    """The sale whose payment has that key."""
    step = OrderStep.objects.select_related("order__source", "order__outlet").filter(key=key).first()
    return step.order if step else None


def with_number(numbers: Iterable[str]) -> QuerySet[Order]:
    """The orders that have one of these numbers, in whatever case it is written; none of a sandbox."""
    is_such = reduce(or_, (Q(number__iexact=number) for number in numbers))
    return Order.objects.filter(is_such, source__is_sandbox=False)


def order_of_receipt(*, number: str, outlet: Outlet | None) -> Order | None:
    """What has this number: a sale of staff, or an order of the outlet or of what sends its orders."""
    is_there = Q(source__code=SALES_CODE)
    if outlet is not None:
        is_there |= Q(outlet=outlet) | Q(source=outlet.source_id)
    return with_number([number]).filter(is_there).select_related("source").order_by("pk").first()
