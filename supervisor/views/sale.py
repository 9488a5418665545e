"""A sale at the till: what was bought, the page that asks whether it is right, and what came of it."""

from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.models import Member
from accounts.roles import Role
from loyalty.errors import LoyaltyError, TillCodeRefused
from loyalty.queries.balance import balance
from orders.errors import OwnInvitation, PointsChanged, SaleDiffers, SaleTooLarge
from orders.models import Order
from orders.queries.quotes import Quote, quote
from orders.queries.sale_limits import refuse_large_sale, refuse_own_friend
from orders.queries.sales import sale_by_key
from orders.services.sales import SOURCE_CODE, check_receipt, register_sale, sale_key
from orders.wording import will_earn
from supervisor.access import others_account
from supervisor.forms.sale import CodeConfirmForm, ConfirmForm, SaleForm
from supervisor.services.looks import note_look

FORM_REFUSED = 422
# In which outlet somebody stands they say once, not with every sale.
OUTLET_NAME = "sale_outlet"


@require_safe
@role_required(Role.STAFF)
def sale(request: HttpRequest, number: str) -> HttpResponse:
    """What was bought, and how many points are to be taken; filled in where “Change” leads to it."""
    member = _buyer(request, number)
    typed = {name: request.GET[name] for name in SaleForm.base_fields if request.GET.get(name)}
    outlet = request.session.get(OUTLET_NAME)
    return _form_page(request, member, SaleForm(initial={"outlet": outlet, **typed}))


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def check_sale(request: HttpRequest, number: str) -> HttpResponse:
    """What the sale will take and bring, and the button that registers it.

    What was bought stands in the address, so that Back, a second tab and a refresh show it again.
    """
    member, now = _buyer(request, number), timezone.now()
    if not request.GET:
        return redirect("supervisor:sale", number)
    form = SaleForm(request.GET)
    if not form.is_valid():
        return _form_page(request, member, form)
    registered = sale_by_key(sale_key(member, form.cleaned_data["key"]))
    if registered is not None:
        return _lead_to_sale(request, member, registered, form)
    try:
        refuse_large_sale(total_sum=form.cleaned_data["total"], actor_id=signed_in_user(request).pk, at=now)
    except SaleTooLarge as refusal:
        form.refuse(refusal)
        return _form_page(request, member, form)
    offer = quote(
        member=member, total_sum=form.cleaned_data["total"], points=form.asked_points or None, at=now
    )
    if request.method == "POST" and offer.refusal is None:
        return _register(request, member, form, offer)
    try:
        if offer.refusal is not None:
            raise offer.refusal
        check_receipt(number=form.cleaned_data["number"].strip(), outlet=form.cleaned_data.get("outlet"))
    except LoyaltyError as refusal:
        form.refuse(refusal)
        return _form_page(request, member, form)
    return _check_page(request, member, form, offer, _confirm_form(offer))


@require_safe
@role_required(Role.STAFF)
def show_sale(request: HttpRequest, number: str, order_id: int) -> HttpResponse:
    """What a sale took and brought, and the way to the next one."""
    member, now = others_account(request, number), timezone.now()
    orders = Order.objects.select_related("outlet", "tier")
    order = get_object_or_404(orders, pk=order_id, member=member, source__code=SOURCE_CODE)
    _note_look(request, member, now)
    context = {
        "member": member,
        "order": order,
        "paid_sum": order.total_sum - order.spent_points,
        "balance": balance(account_id=member.pk, at=now),
    }
    return render(request, "supervisor/actions/sale_done.html", context)


def _buyer(request: HttpRequest, number: str) -> Member:
    """The member who buys, unless a sale to them would bring the colleague points."""
    member = others_account(request, number)
    try:
        refuse_own_friend(member=member, actor_id=signed_in_user(request).pk)
    except OwnInvitation as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    return member


def _register(request: HttpRequest, member: Member, form: SaleForm, offer: Quote) -> HttpResponse:
    """Register what was confirmed, or show what has become of it meanwhile."""
    user, values = signed_in_user(request), form.cleaned_data
    confirmed = _confirm_form(offer, request.POST)
    refusal: LoyaltyError | None = None
    if confirmed.is_valid():
        try:
            if (confirmed.cleaned_data["taken"] or 0) != offer.points:
                raise PointsChanged(offer.points)
            order = register_sale(
                outlet=values.get("outlet"),
                member=member,
                total_sum=values["total"],
                points=offer.points,
                number=values["number"],
                key=values["key"],
                at=offer.at,
                actor_id=user.pk,
                code=confirmed.cleaned_data.get("code", ""),
            )
        except LoyaltyError as refused:
            refusal = refused
        else:
            request.session[OUTLET_NAME] = order.outlet_id
            return redirect("supervisor:sale_done", member.number, order.pk)
    # The same form, sent twice at once, may have been quicker.
    registered = sale_by_key(sale_key(member, values["key"]))
    if registered is not None:
        return _lead_to_sale(request, member, registered, form)
    if isinstance(refusal, PointsChanged):
        messages.warning(request, str(refusal))
        return redirect(f"{reverse('supervisor:check_sale', args=[member.number])}{_query(form)}")
    if isinstance(refusal, TillCodeRefused):
        confirmed.add_error("code", str(refusal))
    elif refusal is not None:
        form.refuse(refusal)
        return _form_page(request, member, form)
    return _check_page(request, member, form, offer, confirmed)


def _lead_to_sale(request: HttpRequest, member: Member, registered: Order, form: SaleForm) -> HttpResponse:
    """To the sale that this form has registered; who did not just send it again is told so."""
    outlet = form.cleaned_data.get("outlet")
    asked = (form.cleaned_data["total"], outlet and outlet.pk)
    if asked != (registered.total_sum, registered.outlet_id):
        messages.warning(request, str(SaleDiffers(registered.number)))
    elif request.method != "POST":
        messages.info(request, _("This sale is registered already."))
    return redirect("supervisor:sale_done", member.number, registered.pk)


def _confirm_form(offer: Quote, data: QueryDict | None = None) -> ConfirmForm:
    """The form below the figures: it asks for a code where points are taken."""
    kind = CodeConfirmForm if offer.points else ConfirmForm
    return kind(data, initial={"taken": offer.points})


def _form_page(request: HttpRequest, member: Member, form: SaleForm) -> HttpResponse:
    now = timezone.now()
    _note_look(request, member, now)
    points = balance(account_id=member.pk, at=now)
    if points.is_blocked:
        form.fields.pop("points", None)
    context = {"member": member, "form": form, "balance": points}
    status = FORM_REFUSED if form.errors else 200
    return render(request, "supervisor/actions/sale.html", context, status=status)


def _check_page(
    request: HttpRequest, member: Member, form: SaleForm, offer: Quote, confirm: Form
) -> HttpResponse:
    _note_look(request, member, offer.at)
    context = {
        "member": member,
        "form": confirm,
        "outlet": form.cleaned_data.get("outlet"),
        "number": form.cleaned_data["number"],
        "offer": offer,
        "asked_points": form.asked_points,
        "will_earn": will_earn(offer),
        "left_points": offer.available_points - offer.points,
        "query": _query(form),
    }
    status = FORM_REFUSED if confirm.errors else 200
    return render(request, "supervisor/actions/sale_check.html", context, status=status)


def _query(form: SaleForm) -> str:
    """What was typed, as it stands in the address; the key is there even where it was lost on the way."""
    typed = {name: form.data[name] for name in form.fields if form.data.get(name)}
    return f"?{urlencode({**typed, 'key': form.cleaned_data['key']})}"


def _note_look(request: HttpRequest, member: Member, at: datetime) -> None:
    note_look(members=[member], page="sale", at=at, actor=signed_in_user(request))
