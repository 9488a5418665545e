"""The console's pages of transfers: all of them, one, its reversal, and the accounts on both sides."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse as address_of
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.cursors import number_of
from loyalty.errors import LoyaltyError, TransferEnded
from loyalty.models import Transfer
from loyalty.queries.transfers import transfers_page
from loyalty.services.transfers import reverse_transfer
from supervisor.access import is_own, require_others
from supervisor.forms.transfers import ReasonForm, ReceiptForm
from supervisor.queries.transfers import Side, effects_of_reversal, transfer_card, transfer_rows
from supervisor.services.looks import note_look
from supervisor.views.blocks import block_page


@require_safe
@role_required(Role.STAFF)
def show_transfers(request: HttpRequest) -> HttpResponse:
    """Every transfer, newest first, or the one with a receipt's number."""
    form = ReceiptForm(request.GET)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
        number = form.cleaned_data["number"]
        page = transfers_page(before=before, after=after, number=number)
        if not page.transfers and (before, after) != (None, None):
            return redirect("supervisor:transfers")
        context |= {
            "number": number,
            "rows": transfer_rows(page.transfers, timezone.now()),
            "page": page,
        }
    return render(request, "supervisor/transfers/list.html", context)


@require_safe
@role_required(Role.STAFF)
def show_transfer(request: HttpRequest, number: str) -> HttpResponse:
    """One transfer: both sides, how it was made, what became of it, and what can be done."""
    transfer = _transfer(number)
    now = timezone.now()
    _note_look(request, transfer, now)
    context = {
        "card": transfer_card(transfer, now),
        "is_own": is_own(request.user, transfer.sender, transfer.recipient),
    }
    return render(request, "supervisor/transfers/transfer.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def reverse(request: HttpRequest, number: str) -> HttpResponse:
    """Says what giving the points back would do to both accounts, and does it when it is confirmed."""
    transfer = _transfer(number)
    require_others(request.user, transfer.sender, transfer.recipient)
    now = timezone.now()
    form = ReasonForm(
        request.POST if request.method == "POST" else None,
        help_text=_("Colleagues read it here, and both members in the message that they get."),
    )
    try:
        if transfer.taken_back_at:
            raise TransferEnded
        if form.is_valid():
            reverse_transfer(
                transfer=transfer,
                reason=form.cleaned_data["reason"],
                at=now,
                actor_id=signed_in_user(request).pk,
            )
            messages.success(request, _("The points have gone back to the sender. Both members are told."))
            return redirect("supervisor:transfer", number)
    except TransferEnded as refusal:
        messages.info(request, str(refusal))
        return redirect("supervisor:transfer", number)
    except LoyaltyError as refusal:
        form.add_error(None, str(refusal))
    _note_look(request, transfer, now)
    card = transfer_card(transfer, now)
    context = {"card": card, "effects": effects_of_reversal(card), "form": form}
    return render(request, "supervisor/transfers/reverse.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def change_block(request: HttpRequest, number: str, side: str, *, is_blocked: bool) -> HttpResponse:
    """Says what blocking one side's account does, or opening it again, and does it when it is confirmed."""
    transfer = _transfer(number)
    if side not in Side.values:
        raise Http404
    require_others(request.user, transfer.sender, transfer.recipient)
    member = transfer.sender if side == Side.SENDER else transfer.recipient
    answer = block_page(
        request,
        member=member,
        is_blocked=is_blocked,
        back=(
            _("Transfer %(number)s") % {"number": number},
            address_of("supervisor:transfer", args=[number]),
        ),
        side=str(Side(side).label),
    )
    if not isinstance(answer, HttpResponseRedirect):
        _note_look(request, transfer, timezone.now())
    return answer


def _transfer(number: str) -> Transfer:
    return get_object_or_404(Transfer.objects.select_related("sender", "recipient"), number=number)


def _note_look(request: HttpRequest, transfer: Transfer, at: datetime) -> None:
    """Both accounts stand on each page of a transfer, with what they hold."""
    note_look(
        members=(transfer.sender, transfer.recipient),
        page="transfer",
        at=at,
        actor=signed_in_user(request),
        number=transfer.number,
    )
