"""Where orders come from, as staff choose it."""

from django.db.models import QuerySet

from orders.models import Outlet


def open_outlets() -> QuerySet[Outlet]:
    """The outlets that take sales of staff, by name; those of the sandbox are not among them."""
    return Outlet.objects.filter(closed_at=None, source__is_sandbox=False).order_by("name", "pk")
