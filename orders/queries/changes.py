"""What a source asks to compare with its own books: which orders changed, and what a day came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from orders.models import Order, OrderStep, Source

# An order is stamped with the beginning of the transaction that changed it, so a slow one commits
# behind what was read already. Whatever began before the oldest that still runs is settled. A
# transaction has its stamp a moment before it is listed here: that is what the margin is for.
SETTLED_BEFORE = """
    select least(clock_timestamp() - interval '200 milliseconds', min(xact_start))
      from pg_stat_activity
     where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class DaySums:
    """What the steps of a day moved. Sums are money; what was returned is counted as positive."""

    day: date
    placed_count: int
    paid_count: int
    paid_sum: Decimal
    spent_points: int
    earned_points: int
    refunded_count: int
    refunded_sum: Decimal
    given_back_points: int
    taken_back_points: int
    cancelled_count: int

    @property
    def net_sum(self) -> Decimal:
        """The money that the day brought."""
        return self.paid_sum - self.refunded_sum


def changed_orders(source: Source, *, after_at: datetime, after_id: int, limit: int) -> Sequence[Order]:
    """A source's orders that changed later than that, in the order in which they changed.

    No change is missed, however long its transaction took, as long as all who write connect as one
    role: one that is still running holds back what came after it. Three queries.
    """
    with connection.cursor() as cursor:
        cursor.execute(SETTLED_BEFORE)
        (settled_before,) = cursor.fetchone()
    later = Q(changed_at__gt=after_at) | Q(changed_at=after_at, pk__gt=after_id)
    changed = Order.objects.filter(
        later, source=source, changed_at__gte=after_at, changed_at__lt=settled_before
    )
    return list(
        changed.select_related("member", "outlet", "rule_set", "tier").order_by("changed_at", "pk")[:limit]
    )


def day_sums(source: Source, day: date) -> DaySums:
    """What happened to a source's orders on a day of the programme's time zone."""
    zone = timezone.get_default_timezone()
    begins_at = datetime.combine(day, time.min, zone)
    ends_at = datetime.combine(day + timedelta(days=1), time.min, zone)
    steps = OrderStep.objects.filter(
        order__source=source, happened_at__gte=begins_at, happened_at__lt=ends_at
    )
    is_paid = Q(kind=OrderStep.Kind.PAID)
    is_return = Q(kind__in=(OrderStep.Kind.REFUNDED, OrderStep.Kind.CANCELLED))
    found = steps.aggregate(
        placed=Count("pk", filter=Q(kind=OrderStep.Kind.PLACED)),
        paid=Count("pk", filter=is_paid),
        paid_money=Sum("money_sum", filter=is_paid, default=Decimal(0)),
        spent=Sum("spent_points", filter=is_paid, default=0),
        earned=Sum("earned_points", filter=is_paid, default=0),
        refunded=Count("pk", filter=Q(kind=OrderStep.Kind.REFUNDED)),
        # A cancellation of an order that was not paid has moved no money and no points.
        returned_money=Sum("money_sum", filter=is_return, default=Decimal(0)),
        given_back=Sum("spent_points", filter=is_return, default=0),
        taken_back=Sum("earned_points", filter=is_return, default=0),
        cancelled=Count("pk", filter=Q(kind=OrderStep.Kind.CANCELLED)),
    )
    return DaySums(
        day=day,
        placed_count=found["placed"],
        paid_count=found["paid"],
        paid_sum=found["paid_money"],
        spent_points=found["spent"],
        earned_points=found["earned"],
        refunded_count=found["refunded"],
        refunded_sum=-found["returned_money"],
        given_back_points=-found["given_back"],
        taken_back_points=-found["taken_back"],
        cancelled_count=found["cancelled"],
    )
