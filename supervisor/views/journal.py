"""The console's audit journal, and the same as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from accounts.access import role_required, signed_in_user
from accounts.models import AuditRecord
from accounts.numbers import format_member_number
from accounts.roles import Role
from loyalty import spreadsheets
from loyalty.cursors import number_of
from supervisor.forms.filters import JournalForm
from supervisor.journal_wording import doer, doer_role, facts_in_words, title
from supervisor.queries.journal import (
    JournalFilter,
    colleagues,
    every_record,
    journal,
    journal_page,
    people_of,
)
from supervisor.services.lists import note_export
from supervisor.tables import JournalTable


@dataclass(frozen=True)
class JournalRow:
    """One record in words."""

    record: AuditRecord
    title: str
    facts: Sequence[str]
    who: str
    role: str


@require_safe
@role_required(Role.SUPERVISOR)
def show_journal(request: HttpRequest) -> HttpResponse:
    """The records that are wanted, the newest first."""
    form = JournalForm(request.GET, colleagues=colleagues())
    if not form.is_valid():
        return render(request, "supervisor/journal/list.html", {"form": form})
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = journal_page(form.filters(), before=before, after=after)
    if not page.rows and (before, after) != (None, None):
        return redirect(reverse("supervisor:journal") + form.query())
    context = {
        "form": form,
        "is_filtered": form.is_set(),
        "tags": form.tags(),
        "query": form.query(),
        "page": page,
        "table": JournalTable(_rows(page.rows), caption=_("Journal, the latest first")),
    }
    return render(request, "supervisor/journal/list.html", context)


@require_GET
@role_required(Role.SUPERVISOR)
def export_journal(request: HttpRequest) -> HttpResponseBase:
    """All records that are wanted, as a file; a filter with an error leads back to the list."""
    form = JournalForm(request.GET, colleagues=colleagues())
    if not form.is_valid():
        return redirect(f"{reverse('supervisor:journal')}?{request.GET.urlencode()}")
    now = timezone.now()
    filters = form.filters()
    note_export(
        name="journal",
        filters=form.query(),
        file_format="csv",
        rows_count=journal(filters).count(),
        at=now,
        actor=signed_in_user(request),
    )
    headings = [
        _("Moment"),
        _("What was done"),
        _("Member number"),
        _("Who did it"),
        _("Role"),
        _("Explanation"),
    ]
    parts = spreadsheets.csv_parts(headings, _batches(filters), language=get_language() or "en")
    return spreadsheets.csv_answer(parts, name=f"journal-{timezone.localdate(now).isoformat()}")


def _rows(records: Sequence[AuditRecord]) -> list[JournalRow]:
    people = people_of(records)
    return [
        JournalRow(
            record=record,
            title=title(record),
            facts=facts_in_words(record, people),
            who=doer(record, people),
            role=doer_role(record),
        )
        for record in records
    ]


def _batches(filters: JournalFilter) -> Iterator[list[spreadsheets.Row]]:
    for some in every_record(filters):
        yield [
            [
                timezone.localtime(row.record.happened_at),
                row.title,
                format_member_number(row.record.member.number) if row.record.member else "",
                row.who,
                row.role,
                "; ".join(row.facts),
            ]
            for row in _rows(some)
        ]
