"""Drafts of the rules: copied from an edition, changed, deleted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.cursors import number_of
from loyalty.errors import AlreadyPublished, DraftChanged, DraftKept
from loyalty.models import RuleSet
from loyalty.queries.rules import all_editions, drafts, rule_set_in_force
from loyalty.rules_wording import difference_in_words
from loyalty.services.rules import copy_edition, delete_draft, update_draft
from supervisor.forms.editions import DraftForm
from supervisor.queries.editions import edition_before, holds, last_preview, open_approval
from supervisor.services.previews import ask_preview


@require_POST
@role_required(Role.SUPERVISOR)
def new_draft(request: HttpRequest) -> HttpResponse:
    """A draft with everything as it is in the edition in force."""
    now = timezone.now()
    draft = copy_edition(copy_of=rule_set_in_force(now), at=now, drafted_by=signed_in_user(request))
    return redirect("supervisor:draft", draft.pk)


@require_POST
@role_required(Role.SUPERVISOR)
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """A draft with everything as it is in that edition: published, it is how to go back."""
    edition = get_object_or_404(all_editions(), number=number)
    draft = copy_edition(copy_of=edition, at=timezone.now(), drafted_by=signed_in_user(request))
    messages.success(
        request,
        _("This draft is edition %(number)s as it was. Look at what it would do, and publish it.")
        % {"number": number},
    )
    return redirect("supervisor:draft", draft.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def edit_draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The draft as a form; its rows are added and left out without anything being saved."""
    draft = get_object_or_404(RuleSet.objects.select_related("drafted_by", "copied_from"), pk=draft_id)
    if request.method != "POST":
        if draft.number is not None:
            return redirect("supervisor:edition", draft.number)
        return _form_page(request, DraftForm.of(draft))
    form = DraftForm.sent(draft, request.POST)
    act, _mark, place = request.POST.get("do", "").partition("-")
    if act == "add":
        return _form_page(request, form.with_rows(add=True))
    if act == "leave_out":
        return _form_page(request, form.with_rows(leave_out=number_of(place)))
    if act == "keep":
        return _form_page(request, form.with_rows(keep=number_of(place)))
    if form.is_valid() and _is_saved(request, form):
        if act == "preview":
            preview = ask_preview(draft=form.draft, at=timezone.now(), by=signed_in_user(request))
            return redirect("supervisor:preview", preview.pk)
        messages.success(request, _("The draft is saved. The rules in force have not changed."))
        return redirect("supervisor:draft", draft_id)
    return _form_page(request, form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def remove_draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Asks whether a draft is to be deleted, and deletes it when that is confirmed."""
    draft = get_object_or_404(drafts().select_related("drafted_by", "copied_from"), pk=draft_id)
    if request.method == "POST":
        try:
            delete_draft(draft=draft)
        except DraftKept as refusal:
            messages.info(request, str(refusal))
            return redirect("supervisor:draft", draft_id)
        messages.success(request, _("The draft is deleted."))
        return redirect("supervisor:editions")
    return render(request, "supervisor/editions/delete_draft.html", {"draft": draft})


def _is_saved(request: HttpRequest, form: DraftForm) -> bool:
    """Save the draft as it was typed; where that is refused, the form says why.

    A form that was sent twice finds what it has saved itself: nothing differs then.
    """
    try:
        form.draft = update_draft(
            draft=form.draft,
            revision=form.revision,
            tiers=form.specs(),
            settings=form.asked_settings(),
            at=timezone.now(),
            actor_id=signed_in_user(request).pk,
        )
    except DraftChanged:
        current = RuleSet.objects.select_related("drafted_by", "copied_from").get(pk=form.draft.pk)
        form.note_conflict(current)
        return not form.conflicts
    except AlreadyPublished as refusal:
        form.refusals.append(str(refusal))
        return False
    return True


def _form_page(request: HttpRequest, form: DraftForm, status: int = 200) -> HttpResponse:
    draft = form.draft
    before = edition_before(draft)
    preview = last_preview(draft)
    context = {
        "form": form,
        "draft": draft,
        "before": before,
        "differences": difference_in_words(before, draft) if before else [],
        "preview": preview,
        "preview_holds": preview is not None and holds(preview, at=timezone.now()),
        "is_preview_current": preview is not None and preview.draft_revision == draft.revision,
        "approval": open_approval(draft),
    }
    return render(request, "supervisor/editions/draft.html", context, status=status)
