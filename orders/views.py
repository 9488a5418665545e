"""The member's pages about orders."""

from datetime import datetime
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import own_member
from accounts.models import Member
from loyalty.access import signed_in
from loyalty.cursors import number_of
from loyalty.errors import LoyaltyError
from loyalty.queries.operations import Operation
from loyalty.queries.standing import tier_since_at
from loyalty.services.ledger import event_key
from orders import access, wording
from orders.forms import OpinionForm, PointsForm, SetAsideForm, StepForm
from orders.models import Order
from orders.queries import orders as queries
from orders.queries.opinions import MOST_SCORE, may_be_asked
from orders.queries.quotes import order_quote
from orders.services import opinions as services
from orders.services.orders import add_points, remove_points

FORM_REFUSED = 422
# More than anybody has: a quote for so many reckons with the most that can be spent.
AS_MANY_AS_POSSIBLE = 999_999_999


@require_safe
@login_required
def show_orders(request: HttpRequest) -> HttpResponse:
    """The orders, newest first, page by page; a place beyond the list leads to its beginning."""
    member = own_member(request)
    page = queries.orders_page(
        member=member, before=number_of(request.GET.get("before")), after=number_of(request.GET.get("after"))
    )
    if request.GET and not page.orders:
        return redirect("orders:list")
    context = {
        "member": member,
        "page": page,
        "orders": [wording.row(order) for order in page.orders],
        "scores": range(MOST_SCORE + 1) if may_be_asked(member, timezone.now()) else [],
    }
    return render(request, "orders/list.html", context)


@require_POST
@login_required
def give_opinion(request: HttpRequest) -> HttpResponse:
    """Note how likely the member is to recommend the programme, or that they skip the question."""
    form = OpinionForm(request.POST)
    is_skipped = "skip" in request.POST
    if is_skipped or form.is_valid():
        score = None if is_skipped else form.cleaned_data["score"]
        services.give_opinion(member=own_member(request), score=score, at=timezone.now())
        if not is_skipped:
            messages.success(request, _("Your answer is noted."))
    else:
        messages.error(request, _("Choose a number from 0 to 10, or skip the question."))
    return redirect("orders:list")


@require_safe
@login_required
def show_order(request: HttpRequest, order_id: int) -> HttpResponse:
    """One order: what was bought and returned, how it was paid, and what it earned and why."""
    member = own_member(request)
    order = access.own_order(member, order_id)
    now = timezone.now()
    operations = queries.operations_of(order, account_id=member.pk)
    card = wording.card(
        order,
        operations=operations,
        credits_=queries.open_credits(order),
        holds=queries.live_holds(order, now),
        tier_since_at=_tier_since_at(member, wording.last_credit(operations)),
        at=now,
    )
    context = {"card": card, "key": uuid4()}
    if card.is_new:
        offer = order_quote(order, points=None, at=now)
        context |= {"offer": offer, "will_earn": wording.will_earn(offer)}
    return render(request, "orders/order.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def pay_with_points(request: HttpRequest, order_id: int) -> HttpResponse:
    """A number of points, the quote for it, and the button that sets them aside."""
    member = own_member(request)
    order = access.own_order(member, order_id)
    if request.method == "POST":
        return _set_aside(request, member, order)
    form = PointsForm(request.GET) if "points" in request.GET else PointsForm()
    return _points_page(request, order, form)


@require_POST
@login_required
def take_points_off(request: HttpRequest, order_id: int) -> HttpResponse:
    """The points that are set aside for the order come free again."""
    member = own_member(request)
    order = access.own_order(member, order_id)
    form = StepForm(request.POST)
    key = _step_key(order, form)
    if key and not queries.is_step_taken(order, key):
        try:
            order = remove_points(
                order=order,
                member=member,
                key=key,
                at=timezone.now(),
                actor_id=request.user.pk,
            )
        except LoyaltyError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, wording.points_taken_off(order))
    return redirect("orders:order", order.pk)


def _set_aside(request: HttpRequest, member: Member, order: Order) -> HttpResponse:
    """Set the confirmed points aside, or show the page again with what is possible now."""
    form = SetAsideForm(request.POST)
    now = timezone.now()
    key = _step_key(order, form)
    if key and queries.is_step_taken(order, key):
        return redirect("orders:order", order.pk)
    form.hold_against(order_quote(order, points=form.asked_points, at=now))
    if key and form.is_valid() and not wording.has_lapsed(order, queries.live_holds(order, now)):
        try:
            order = add_points(
                order=order,
                member=member,
                points=form.cleaned_data["points"],
                key=key,
                at=now,
                actor_id=request.user.pk,
            )
        except LoyaltyError as refusal:
            form.add_error("points", str(refusal))
        else:
            messages.success(request, wording.points_set_aside(order))
            return redirect("orders:order", order.pk)
    # The same form, sent twice at once, may have been quicker.
    if key and queries.is_step_taken(order, key):
        return redirect("orders:order", order.pk)
    return _points_page(request, access.own_order(member, order.pk), form, status=FORM_REFUSED)


def _step_key(order: Order, form: StepForm) -> UUID | None:
    """The key of the step that a form asks for, None while the form is wrong.

    A browser may send any key, so it is made into one that no other order and no shop can have.
    """
    return event_key("cabinet", order.pk, form.cleaned_data["key"]) if form.is_valid() else None


def _points_page(request: HttpRequest, order: Order, form: PointsForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    holds = queries.live_holds(order, now)
    is_open = order.status == Order.Status.NEW and not wording.has_lapsed(order, holds)
    is_part = bool(request.htmx)  # type: ignore[attr-defined]
    if not is_open:
        if is_part:
            return HttpResponseClientRefresh()
        return render(request, "orders/points/closed.html", {"order": order, "key": uuid4()}, status=status)
    offer = order_quote(order, points=form.asked_points if form.is_bound else AS_MANY_AS_POSSIBLE, at=now)
    if form.is_bound:
        form.hold_against(offer)
    else:
        form.initial["points"] = offer.points or ""
    template = "orders/points/quote.html" if is_part else "orders/points.html"
    context = {
        "order": order,
        "form": form,
        "offer": offer,
        "will_earn": wording.will_earn(offer),
        "key": uuid4(),
    }
    return render(request, template, context, status=status)


def _tier_since_at(member: Member, earning: Operation | None) -> datetime | None:
    """Since when the member had the tier that an order earned at."""
    if earning is None:
        return None
    return tier_since_at(
        member_id=member.pk, tier_name=earning.explanation.get("tier", ""), at=earning.effective_at
    )
