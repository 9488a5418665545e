"""The outlets as the console lists them, with the orders that came from each lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from orders.models import Order, Outlet, Source

# Orders of all time would have to be counted one by one; those of a week stand together in an index.
LATELY_DAYS = 7


@dataclass(frozen=True)
class OutletRow:
    """An outlet, how many orders were placed there lately, and when the last of them was."""

    outlet: Outlet
    orders_count: int
    last_order_at: datetime | None


@dataclass(frozen=True)
class SourceOutlets:
    """A source and its outlets by name, the open ones first."""

    source: Source
    rows: Sequence[OutletRow]


def outlets_by_source(at: datetime) -> list[SourceOutlets]:
    """Every source that is no sandbox and has outlets; three queries."""
    lately = (
        Order.objects.filter(placed_at__gte=at - timedelta(days=LATELY_DAYS), outlet__isnull=False)
        .values_list("outlet")
        .annotate(Count("pk"), Max("placed_at"))
    )
    orders = {outlet_id: (count, last_at) for outlet_id, count, last_at in lately}
    sources = Source.objects.filter(is_sandbox=False).order_by("name", "pk").prefetch_related("outlets")
    return [
        SourceOutlets(source, [_row(outlet, orders) for outlet in sorted(outlets, key=_by_name)])
        for source in sources
        if (outlets := list(source.outlets.all()))
    ]


def _by_name(outlet: Outlet) -> tuple[bool, str, int]:
    return outlet.closed_at is not None, outlet.name.casefold(), outlet.pk


def _row(outlet: Outlet, orders: Mapping[int, tuple[int, datetime]]) -> OutletRow:
    orders_count, last_order_at = orders.get(outlet.pk, (0, None))
    return OutletRow(outlet, orders_count, last_order_at)
