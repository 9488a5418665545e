"""The first steps of a member that orders know of."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from loyalty.queries.steps import StepKind, lets_spend
from orders.models import Order


def _order_paid(at: datetime) -> Exists:
    return Exists(Order.objects.filter(member=OuterRef("pk"), paid_at__lte=at))


def _points_spent(at: datetime) -> Exists:
    return Exists(Order.objects.filter(member=OuterRef("pk"), paid_at__lte=at, spent_points__gt=0))


STEPS = (
    StepKind(name="order", place=1, is_done=_order_paid, is_possible=lambda rule_set: True),
    StepKind(name="spend", place=2, is_done=_points_spent, is_possible=lets_spend),
)
