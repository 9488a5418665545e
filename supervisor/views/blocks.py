"""Blocking a member's account, and opening it again: from their card, or from a transfer."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in_user
from accounts.models import Member
from accounts.roles import Role
from loyalty.errors import LoyaltyError
from loyalty.queries.balance import balance
from loyalty.services.blocking import block_member, unblock_member
from supervisor.access import others_account
from supervisor.forms.transfers import ReasonForm
from supervisor.services.looks import note_look

FORM_REFUSED = 422


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def change_block(request: HttpRequest, number: str, *, is_blocked: bool) -> HttpResponse:
    """Says what blocking the account does, or opening it again, and does it when it is confirmed."""
    member = others_account(request, number)
    answer = block_page(
        request,
        member=member,
        is_blocked=is_blocked,
        back=(member.masked_name, reverse("supervisor:member", args=[number])),
    )
    if not isinstance(answer, HttpResponseRedirect):
        note_look(members=[member], page="block", at=timezone.now(), actor=signed_in_user(request))
    return answer


def block_page(
    request: HttpRequest,
    *,
    member: Member,
    is_blocked: bool,
    back: tuple[str, str],
    side: str = "",
) -> HttpResponse:
    """The page for any place that leads to it: `back` is its name and address.

    `side` says which side of a transfer the member is, where the place is a transfer.
    """
    now = timezone.now()
    form = ReasonForm(
        request.POST if request.method == "POST" else None,
        help_text=_("Colleagues read it here and in the journal."),
    )
    if balance(account_id=member.pk, at=now).is_blocked == is_blocked:
        messages.info(
            request,
            _("This account is blocked already.") if is_blocked else _("This account is open already."),
        )
        return redirect(back[1])
    if form.is_valid():
        change = block_member if is_blocked else unblock_member
        try:
            change(
                member=member,
                at=now,
                actor_id=signed_in_user(request).pk,
                reason=form.cleaned_data["reason"],
            )
        except LoyaltyError as refusal:
            form.add_error(None, str(refusal))
        else:
            sentence = (
                _("The account of %(name)s is blocked.")
                if is_blocked
                else _("The account of %(name)s is open again.")
            )
            messages.success(request, sentence % {"name": member.masked_name})
            return redirect(back[1])
    context = {
        "member": member,
        "side": side,
        "back": {"title": back[0], "address": back[1]},
        "form": form,
        "is_blocked": is_blocked,
    }
    status = FORM_REFUSED if form.errors else 200
    return render(request, "supervisor/actions/block.html", context, status=status)
