"""What waits for a second person, and what was decided."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.cursors import number_of
from loyalty.errors import LoyaltyError
from loyalty.models import Cause, RuleSet
from loyalty.rules_wording import difference_in_words
from supervisor.access import is_own
from supervisor.errors import ApprovalOver
from supervisor.forms.approvals import ApprovalForm
from supervisor.models import Approval
from supervisor.queries.approvals import decided_approvals_page, open_approvals
from supervisor.queries.editions import last_recount
from supervisor.queries.preview_card import preview_card
from supervisor.services.approvals import decide, withdraw_approval
from supervisor.services.looks import note_look


@require_safe
@role_required(Role.SUPERVISOR)
def show_approvals(request: HttpRequest) -> HttpResponse:
    """What waits to be decided, the oldest first, and below it what was."""
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = decided_approvals_page(before=before, after=after)
    if not page.rows and (before, after) != (None, None):
        return redirect("supervisor:approvals")
    is_first_page = page.previous_cursor is None
    context = {
        "is_first_page": is_first_page,
        "waiting": open_approvals() if is_first_page else (),
        "page": page,
    }
    return render(request, "supervisor/approvals/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def show_approval(request: HttpRequest, approval_id: int) -> HttpResponse:
    """What a colleague asks for and what it does; it is approved, declined or withdrawn here."""
    approvals = Approval.objects.select_related(
        "asked_by", "decided_by", "member", "rule_set", "preview__draft", "preview__compared_with"
    )
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
    preview = approval.preview
    context = {
        "approval": approval,
        "card": preview_card(preview) if preview else None,
        "before": preview.compared_with if preview else None,
        "differences": difference_in_words(preview.compared_with, preview.draft) if preview else (),
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
    if not is_approved:
        messages.success(request, _("Declined: nothing comes of it."))
    elif approval.rule_set is None:
        messages.success(request, _("Approved, and done."))
    else:
        messages.success(request, _published(approval.rule_set))
    return redirect("supervisor:approvals")


def _published(rule_set: RuleSet) -> SafeString:
    """That it is done, with links to the edition that the draft has become and to its recount."""
    rule_set.refresh_from_db()
    run = last_recount(rule_set)
    links = [
        (
            reverse("supervisor:edition", args=[rule_set.number]),
            _("Edition %(number)s") % {"number": rule_set.number},
        )
    ]
    if run is not None:
        links.append((reverse("supervisor:job", args=[run.pk]), _("Recount of the members’ tiers")))
    return format_html(
        "{} {}", _("Approved, and done."), format_html_join(", ", '<a href="{}">{}</a>', links)
    )
