"""What waits for a second person, and what was decided."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.cursors import number_of
from loyalty.errors import LoyaltyError
from loyalty.models import Cause
from supervisor.access import is_own
from supervisor.errors import ApprovalOver
from supervisor.forms.approvals import ApprovalForm
from supervisor.models import Approval
from supervisor.queries.approvals import open_approvals
from supervisor.queries.decided_approvals import decided_approvals_page
from supervisor.services.approvals import decide, withdraw_approval
from supervisor.services.looks import note_look


@require_safe
@role_required(Role.SUPERVISOR)
def show_approvals(request: HttpRequest) -> HttpResponse:
    """What waits to be decided, the oldest first, and below it what was."""
    before = number_of(request.GET.get("before"))
    page = decided_approvals_page(before=before)
    if before is not None and not page.decided:
        return redirect("supervisor:approvals")
    context = {
        "is_first_page": before is None,
        "waiting": open_approvals() if before is None else (),
        "page": page,
    }
    return render(request, "supervisor/approvals/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def show_approval(request: HttpRequest, approval_id: int) -> HttpResponse:
    """What a colleague asks for and what it does; it is approved, declined or withdrawn here."""
    approvals = Approval.objects.select_related("asked_by", "decided_by", "member", "rule_set", "preview")
    approval = get_object_or_404(approvals, pk=approval_id)
    form = ApprovalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return _decide(request, approval, form)
        except ApprovalOver:
            messages.info(request, _("This was decided or withdrawn before. Nothing has changed."))
            return redirect("supervisor:approval", approval_id)
        except LoyaltyError as refusal:
            field = getattr(refusal, "field", "")
            form.add_error(field if field in form.fields else None, str(refusal))
    members = [approval.member] if approval.member else []
    note_look(members=members, page="approval", at=timezone.now(), actor=signed_in_user(request))
    context = {
        "approval": approval,
        "cause": Cause(approval.cause).label if approval.cause else "",
        "form": form,
        "is_asker": approval.asked_by == request.user,
        "is_own": is_own(request.user, *members),
    }
    return render(request, "supervisor/approvals/approval.html", context, status=422 if form.errors else 200)


def _decide(request: HttpRequest, approval: Approval, form: ApprovalForm) -> HttpResponse:
    """Do what the button says; where to go on comes back.

    Raises:
        LoyaltyError: whoever is signed in may not, or what was asked for cannot be done any more.
    """
    now, colleague, decision = timezone.now(), signed_in_user(request), form.cleaned_data["decision"]
    if decision == ApprovalForm.WITHDRAW:
        withdraw_approval(approval=approval, at=now, by=colleague)
        messages.success(request, _("Withdrawn: nothing comes of it."))
        return redirect("supervisor:approvals")
    is_approved = decision == ApprovalForm.APPROVE
    decide(
        approval=approval,
        is_approved=is_approved,
        reason=form.cleaned_data["reason"],
        at=now,
        by=colleague,
    )
    messages.success(
        request, _("Approved, and done.") if is_approved else _("Declined: nothing comes of it.")
    )
    return redirect("supervisor:approvals")
