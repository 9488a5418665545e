"""Correcting a balance: the form, the page that asks whether it is right, and what waits for approval."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in_user
from accounts.models import Member
from accounts.roles import Role
from loyalty.errors import LoyaltyError
from loyalty.templatetags.numbers import points as points_text
from supervisor.access import others_account
from supervisor.errors import ApprovalOver
from supervisor.forms.adjust import AdjustForm
from supervisor.models import Approval
from supervisor.queries.adjustments import Effect, effect_of, limits_of, supervisors_for
from supervisor.services.adjustments import adjust_points
from supervisor.services.approvals import withdraw_approval
from supervisor.services.looks import note_look

FORM_REFUSED = 422


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def adjust(request: HttpRequest, number: str) -> HttpResponse:
    """Asks how many points and why, shows what it does to the balance, and does it when confirmed.

    What is typed may be about the member's own matters, so every step is a POST to this one address.
    """
    member, now = others_account(request, number), timezone.now()
    form = AdjustForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and "change" not in request.POST:
        if "confirm" in request.POST:
            try:
                return _adjust(request, member, form, now)
            except LoyaltyError as refusal:
                form.refuse(refusal)
        else:
            effect = effect_of(member=member, points=form.signed_points, at=now)
            if effect.refusal is None:
                return _check_page(request, member, form, effect, now)
            form.refuse(effect.refusal)
    _note_look(request, member, now)
    context = {
        "member": member,
        "form": form,
        "limits": limits_of(by=signed_in_user(request), at=now),
        "now": effect_of(member=member, points=0, at=now),
    }
    status = FORM_REFUSED if form.errors else 200
    return render(request, "supervisor/actions/adjust.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def show_asked_adjustment(request: HttpRequest, number: str, approval_id: int) -> HttpResponse:
    """What a colleague has asked for and who may decide about it; with the button it is withdrawn."""
    member, user = others_account(request, number), signed_in_user(request)
    approval = get_object_or_404(
        Approval.objects.select_related("decided_by"),
        pk=approval_id,
        kind=Approval.Kind.ADJUSTMENT,
        member=member,
        asked_by=user,
    )
    if request.method == "POST":
        try:
            withdraw_approval(approval=approval, at=timezone.now(), by=user)
        except ApprovalOver as refusal:
            messages.info(request, str(refusal))
        return redirect("supervisor:asked_adjustment", number, approval_id)
    _note_look(request, member, timezone.now())
    context = {
        "member": member,
        "approval": approval,
        "supervisors": supervisors_for(member=member, asked_by=user),
    }
    return render(request, "supervisor/actions/adjust_asked.html", context)


def _adjust(request: HttpRequest, member: Member, form: AdjustForm, now: datetime) -> HttpResponse:
    """Correct the balance, or ask a supervisor for it, and lead on to what has become of it."""
    values = form.cleaned_data
    adjusted = adjust_points(
        member=member,
        points=form.signed_points,
        cause=form.cause_of,
        text=values["text"],
        key=values["key"],
        at=now,
        by=signed_in_user(request),
    )
    if adjusted.approval is not None:
        return redirect("supervisor:asked_adjustment", member.number, adjusted.approval.pk)
    sentence = (
        _("Given: %(points)s. %(name)s is told, and reads why.")
        if form.signed_points > 0
        else _("Taken away: %(points)s. %(name)s is told, and reads why.")
    )
    messages.success(
        request, sentence % {"points": points_text(values["points"]), "name": member.masked_name}
    )
    return redirect("supervisor:member", member.number)


def _check_page(
    request: HttpRequest, member: Member, form: AdjustForm, effect: Effect, now: datetime
) -> HttpResponse:
    _note_look(request, member, now)
    user = signed_in_user(request)
    limits = limits_of(by=user, at=now)
    context = {
        "member": member,
        "kept": form.kept(),
        "cause": form.cause_of,
        "effect": effect,
        "limits": limits,
        "is_alone": limits.is_enough_for(form.signed_points),
        "supervisors": supervisors_for(member=member, asked_by=user),
    }
    return render(request, "supervisor/actions/adjust_check.html", context)


def _note_look(request: HttpRequest, member: Member, at: datetime) -> None:
    note_look(members=[member], page="adjustment", at=at, actor=signed_in_user(request))
