"""What a draft would do: asked for, watched while it is computed, shown, and taken out as a file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.errors import AlreadyPublished
from loyalty.models import RuleSet
from loyalty.rules_wording import difference_in_words
from loyalty.spreadsheets import csv_answer
from supervisor.exports import changed_members
from supervisor.models import Preview
from supervisor.queries.editions import holds, open_approval
from supervisor.queries.preview_card import preview_card
from supervisor.services.editions import MOST_WORSE_SHARE, needs_second_person
from supervisor.services.lists import note_export, note_list
from supervisor.services.previews import ask_preview


@require_POST
@role_required(Role.SUPERVISOR)
def ask(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Have it computed what the draft would do; where that is known already, it is shown."""
    draft = get_object_or_404(RuleSet, pk=draft_id)
    if draft.number is not None:
        messages.info(request, str(AlreadyPublished()))
        return redirect("supervisor:edition", draft.number)
    preview = ask_preview(draft=draft, at=timezone.now(), by=signed_in_user(request))
    return redirect("supervisor:preview", preview.pk)


@require_safe
@role_required(Role.SUPERVISOR)
def show_preview(request: HttpRequest, preview_id: int) -> HttpResponse:
    """How far it is, and then what the draft would do."""
    preview, now = _preview(preview_id), timezone.now()
    card = preview_card(preview)
    if card is not None and (card.falling or card.rising):
        note_list(name="preview", filters=f"?preview={preview_id}", at=now, actor=signed_in_user(request))
    context = {
        "preview": preview,
        "draft": preview.draft,
        "job_run": preview.job_run,
        "card": card,
        "before": preview.compared_with,
        "differences": difference_in_words(preview.compared_with, preview.draft),
        "is_published": preview.draft.number is not None,
        "holds": holds(preview, at=now),
        "most_worse_share": MOST_WORSE_SHARE,
        "needs_second_person": needs_second_person(preview),
        "approval": open_approval(preview.draft),
    }
    return render(request, "supervisor/editions/preview.html", context)


@require_GET
@role_required(Role.SUPERVISOR)
def export_members(request: HttpRequest, preview_id: int) -> HttpResponseBase:
    """Everybody who would rise or fall, as a file, while the preview holds; it is noted who took it.

    The page of a published one says why there is no file any more.
    """
    preview = _preview(preview_id)
    now = timezone.now()
    if preview.draft.number is not None:
        return redirect(f"{reverse('supervisor:preview', args=[preview_id])}#file")
    if not holds(preview, at=now):
        messages.info(request, _("The list is of rules that have changed since. Compute the preview again."))
        return redirect("supervisor:preview", preview_id)

    def note(rows_count: int) -> None:
        note_export(
            name="preview",
            filters=f"?preview={preview_id}",
            file_format="csv",
            rows_count=rows_count,
            at=now,
            actor=signed_in_user(request),
        )

    parts = changed_members.csv_parts(preview, at=now, language=get_language() or "en", note=note)
    moment = timezone.localtime(now, timezone.get_default_timezone())
    return csv_answer(parts, name=f"preview-{preview_id}-{moment:%Y-%m-%d-%H%M}")


def _preview(preview_id: int) -> Preview:
    found = Preview.objects.select_related(
        "draft__published_by", "compared_with", "job_run__cancel_asked_by", "asked_by"
    )
    return get_object_or_404(found, pk=preview_id)
