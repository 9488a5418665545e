"""The console's list of all orders, and the page of one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.cursors import number_of
from referrals.models import Reward
from supervisor.forms.orders import OrdersForm
from supervisor.queries.orders import listed_orders, live_order, order_page, orders_page
from supervisor.services.lists import note_list
from supervisor.services.looks import note_look
from supervisor.tables import OrdersTable


@require_safe
@role_required(Role.SUPERVISOR)
def show_orders(request: HttpRequest) -> HttpResponse:
    """The orders that are wanted, the latest first, page by page."""
    form = OrdersForm(request.GET)
    if not form.is_valid():
        return render(request, "supervisor/orders/list.html", {"form": form})
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = orders_page(filters=form.filters(), before=before, after=after)
    if not page.rows and (before, after) != (None, None):
        return redirect(reverse("supervisor:orders") + form.query())
    # As a number somebody's contact may have been typed.
    filters = form.query(number=None)
    note_list(name="orders", filters=filters, at=timezone.now(), actor=signed_in_user(request))
    context = {
        "form": form,
        "is_filtered": form.is_set(),
        "tags": form.tags(),
        "page": page,
        "table": OrdersTable(listed_orders(page), caption=_("Orders, the latest first")),
    }
    return render(request, "supervisor/orders/list.html", context)


@require_safe
@role_required(Role.SUPERVISOR)
def show_order(request: HttpRequest, order_id: int) -> HttpResponse:
    """One order: what was bought and returned, what it earned whom, and why."""
    order = get_object_or_404(live_order(order_id))
    now = timezone.now()
    page = order_page(order, now)
    inviters = [reward.referral.inviter for reward in page.rewards if reward.kind == Reward.Kind.SHARE]
    note_look(
        members=[*([page.member] if page.member else []), *inviters],
        page="order",
        at=now,
        actor=signed_in_user(request),
        order=order.pk,
    )
    return render(request, "supervisor/orders/order.html", {"page": page, "card": page.card})
