"""The console's pages of invitations: doubts to decide, and inviters that are named at the till."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.errors import AccountsError
from accounts.models import Member
from accounts.numbers import format_member_number, parse_member_number
from accounts.roles import Role
from loyalty.cursors import number_of
from loyalty.errors import ReasonNeeded
from referrals.errors import (
    FlagDecided,
    ReferralError,
    SameEmail,
    SamePhone,
    SelfInvitation,
)
from referrals.models import Flag, Referral
from referrals.services import attach_at_till, decide_flags
from supervisor.access import is_own, limited, require_others
from supervisor.forms.invitations import AttachForm, DecisionForm
from supervisor.queries.invitations import decided_page, doubt_card, doubts, open_referrals_count
from supervisor.queries.people import masked_contacts
from supervisor.services.looks import note_look

# What is said about both is shown at the inviter: the member at the till is there, and new.
OF_THE_INVITER = (SelfInvitation, SameEmail, SamePhone)


@require_safe
@role_required(Role.STAFF)
def show_invitations(request: HttpRequest) -> HttpResponse:
    """The invitations to decide about, the oldest doubt first, and below them what was decided."""
    before = number_of(request.GET.get("before"))
    page = decided_page(before=before)
    if before is not None and not page.decided:
        return redirect("supervisor:invitations")
    shown = doubts() if before is None else []
    context = {
        "is_first_page": before is None,
        "doubts": shown,
        "more_count": open_referrals_count() - len(shown),
        "decided": page.decided,
        "older_query": page.older_cursor and f"?{urlencode({'before': page.older_cursor})}",
    }
    return render(request, "supervisor/invitations/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
def decide(request: HttpRequest, referral_id: int) -> HttpResponse:
    """Says what was noticed about an invitation and what each decision does, and decides."""
    referral = get_object_or_404(Referral.objects.select_related("inviter", "invited"), pk=referral_id)
    now = timezone.now()
    form = DecisionForm(
        request.POST if request.method == "POST" else None,
        help_text=_("Colleagues read it here and in the journal."),
    )
    if request.method == "POST":
        require_others(request.user, referral.inviter, referral.invited)
    try:
        if form.is_valid():
            return redirect(*_decide(request, referral, form))
    except FlagDecided:
        messages.info(request, _("This invitation was decided about before. Nothing has changed."))
        return redirect("supervisor:decide_invitation", referral_id)
    except ReasonNeeded as refusal:
        form.add_error("reason", str(refusal))
    note_look(
        members=(referral.inviter, referral.invited),
        page="invitation",
        at=now,
        actor=signed_in_user(request),
        referral_id=referral.pk,
    )
    context = {
        "card": doubt_card(referral, now),
        "is_own": is_own(request.user, referral.inviter, referral.invited),
        "form": form,
    }
    return render(request, "supervisor/invitations/decide.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.STAFF)
@limited("staff_search")
def attach(request: HttpRequest) -> HttpResponse:
    """Asks who is new and who invited them, shows both to be compared, and notes it when confirmed.

    What is entered may be somebody's phone or e-mail, so every step is a POST to this one address.
    """
    form = AttachForm(
        request.POST if request.method == "POST" else None, initial={"invited": _number_named(request)}
    )
    is_valid = form.is_valid()
    note_look(members=form.found(), page="inviter", at=timezone.now(), actor=signed_in_user(request))
    if is_valid and "change" not in request.POST:
        invited, inviter = form.cleaned_data["invited"], form.cleaned_data["inviter"]
        require_others(request.user, invited, inviter)
        if "confirm" not in request.POST:
            return render(request, "supervisor/invitations/check.html", _people(invited, inviter))
        try:
            _attach(request, invited, inviter)
            return redirect("supervisor:attach_inviter")
        except ReferralError as refusal:
            form.add_error("inviter" if isinstance(refusal, OF_THE_INVITER) else "invited", str(refusal))
    return render(
        request, "supervisor/invitations/attach.html", {"form": form}, status=422 if form.errors else 200
    )


def _decide(request: HttpRequest, referral: Referral, form: DecisionForm) -> tuple[str] | tuple[str, int]:
    """Decide about what the page had shown; where to go on comes back."""
    decision = Flag.Decision(form.cleaned_data["decision"])
    decide_flags(
        referral=referral,
        decision=decision,
        reason=form.cleaned_data["reason"],
        at=timezone.now(),
        actor_id=signed_in_user(request).pk,
        flag_ids={flag_id for flag_id in map(number_of, request.POST.getlist("flag")) if flag_id},
    )
    if referral.flags.filter(decision="").exists():
        messages.info(request, _("Decided. Meanwhile something else was noticed: decide about it, too."))
        return ("supervisor:decide_invitation", referral.pk)
    sentence = (
        _("Decided: %(inviter)s and %(friend)s are two people. The points that waited are theirs.")
        if decision == Flag.Decision.FINE
        else _(
            "Decided: %(inviter)s and %(friend)s are one person. The points that waited are taken back, "
            "and the invitation brings nothing more."
        )
    )
    messages.success(request, sentence % _names(referral.inviter, referral.invited))
    return ("supervisor:invitations",)


def _number_named(request: HttpRequest) -> str:
    """Who is new, where a member's card leads here: of what an address says, only a number is taken."""
    try:
        return format_member_number(parse_member_number(request.GET.get("member", "")))
    except AccountsError:
        return ""


def _attach(request: HttpRequest, invited: Member, inviter: Member) -> None:
    attach_at_till(inviter=inviter, invited=invited, at=timezone.now(), actor_id=signed_in_user(request).pk)
    sentence = _("It is noted that %(inviter)s invited %(friend)s.")
    messages.success(request, sentence % _names(inviter, invited))


def _names(inviter: Member, friend: Member) -> dict[str, str]:
    return {"inviter": inviter.masked_name, "friend": friend.masked_name}


def _people(invited: Member, inviter: Member) -> dict[str, object]:
    """Both as the check page shows them: their names and contacts are masked."""
    return {
        name: {"member": member, "contacts": masked_contacts(member)}
        for name, member in (("invited", invited), ("inviter", inviter))
    }
