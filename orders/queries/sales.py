"""Sales that staff register at the till, found again by the key of the form they came from."""

from uuid import UUID

from orders.models import Order, OrderStep


def sale_by_key(key: UUID) -> Order | None:
    """The sale whose payment has that key."""
    step = OrderStep.objects.select_related("order__source", "order__outlet").filter(key=key).first()
    return step.order if step else None
