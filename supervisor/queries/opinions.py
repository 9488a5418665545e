"""What members say of the programme, added up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q

from orders.models import Opinion

COUNTED_DAYS = 90
# Fewer answers say more of chance than of the programme.
LEAST_ANSWERS = 10


@dataclass(frozen=True)
class OpinionsFigure:
    """The answers of 90 days, and the share of 9 and 10 less that of 0 to 6, from -1 to 1."""

    count: int
    balance_rate: Decimal


def opinions_figure(at: datetime) -> OpinionsFigure | None:
    """How members answered in the 90 days before `at`; None below ten answers."""
    counted = Opinion.objects.filter(
        score__isnull=False, given_at__gt=at - timedelta(days=COUNTED_DAYS), given_at__lte=at
    ).aggregate(
        count=Count("pk"),
        promoters=Count("pk", filter=Q(score__gte=9)),
        detractors=Count("pk", filter=Q(score__lte=6)),
    )
    if counted["count"] < LEAST_ANSWERS:
        return None
    return OpinionsFigure(
        count=counted["count"],
        balance_rate=Decimal(counted["promoters"] - counted["detractors"]) / counted["count"],
    )
