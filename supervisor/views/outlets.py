"""The console's pages of outlets: all of them, a new one, one to rename, close and open again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from orders.errors import OutletRefused
from orders.models import Outlet, Source
from orders.services.outlets import add_outlet, close_outlet, rename_outlet, reopen_outlet
from orders.services.sales import SOURCE_CODE, till_source
from supervisor.forms.outlets import NewOutletForm, OutletForm
from supervisor.queries.outlets import LATELY_DAYS, outlets_by_source


@require_safe
@role_required(Role.SUPERVISOR)
def show_outlets(request: HttpRequest) -> HttpResponse:
    """Every outlet by its source, with the orders of late."""
    context = {"sources": outlets_by_source(timezone.now()), "days": LATELY_DAYS}
    return render(request, "supervisor/outlets/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def new_outlet(request: HttpRequest) -> HttpResponse:
    """Asks where an outlet belongs and what it is called, and adds it."""
    form = NewOutletForm(request.POST or None, initial={"source": SOURCE_CODE})
    if form.is_valid():
        try:
            outlet = add_outlet(
                source=_source(form.cleaned_data["source"]),
                name=form.cleaned_data["name"],
                at=timezone.now(),
                by=signed_in_user(request),
            )
        except OutletRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, _("The outlet “%(name)s” is added.") % {"name": outlet.name})
            return redirect("supervisor:outlets")
    return render(request, "supervisor/outlets/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def show_outlet(request: HttpRequest, outlet_id: int) -> HttpResponse:
    """One outlet: renames it, and leads to closing it or opening it again."""
    outlet = _outlet(outlet_id)
    form = OutletForm(request.POST or None, initial={"name": outlet.name})
    if form.is_valid():
        try:
            renamed = rename_outlet(
                outlet=outlet,
                name=form.cleaned_data["name"],
                at=timezone.now(),
                by=signed_in_user(request),
            )
        except OutletRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, _("The outlet is called “%(name)s”.") % {"name": renamed.name})
            return redirect("supervisor:outlets")
    return render(
        request,
        "supervisor/outlets/outlet.html",
        {"outlet": outlet, "form": form},
        status=422 if form.errors else 200,
    )


@require_POST
@role_required(Role.SUPERVISOR)
def change_closing(request: HttpRequest, outlet_id: int, *, is_closed: bool) -> HttpResponse:
    """Close an outlet, or open it again."""
    change = close_outlet if is_closed else reopen_outlet
    outlet = change(outlet=_outlet(outlet_id), at=timezone.now(), by=signed_in_user(request))
    sentence = (
        _("The outlet “%(name)s” is closed. Staff can register no sales there.")
        if is_closed
        else _("The outlet “%(name)s” is open again.")
    )
    messages.success(request, sentence % {"name": outlet.name})
    return redirect("supervisor:outlets")


def _source(code: str) -> Source:
    return till_source() if code == SOURCE_CODE else Source.objects.get(code=code)


def _outlet(outlet_id: int) -> Outlet:
    return get_object_or_404(Outlet.objects.select_related("source"), pk=outlet_id, source__is_sandbox=False)
