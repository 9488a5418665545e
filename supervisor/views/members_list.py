"""The console's list of all members, and the same as a file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from accounts.access import role_required, signed_in_user
from accounts.models import Member
from accounts.roles import Role
from loyalty import spreadsheets
from loyalty.cursors import number_of
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.templatetags.numbers import figures
from supervisor.exports import members as member_files
from supervisor.forms.filters import MembersForm
from supervisor.queries.members import every_member, member_rows, members, members_page
from supervisor.queries.pages import ROWS_PER_PAGE, ListPage
from supervisor.queries.programme import members_count_lately
from supervisor.services.lists import note_export, note_list
from supervisor.tables import MembersTable

# A longer workbook would keep a server's process busy for too long; CSV is sent while it is read.
MOST_XLSX_ROWS = 50_000


@require_safe
@role_required(Role.SUPERVISOR)
def show_members(request: HttpRequest) -> HttpResponse:
    """The members that are wanted, page by page, with contacts masked."""
    now = timezone.now()
    form = MembersForm(request.GET, tiers=tiers_of(rule_set_in_force(now)))
    if not form.is_valid():
        return render(request, "supervisor/members/list.html", {"form": form})
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    sort = form.sort_order()
    page = members_page(filters=form.filters(), sort=sort, at=now, before=before, after=after)
    if not page.rows and (before, after) != (None, None):
        return redirect(reverse("supervisor:members") + form.query())
    note_list(name="members", filters=form.query(), at=now, actor=signed_in_user(request))
    context = {
        "form": form,
        "is_filtered": form.is_set(),
        "count": _count(page, is_filtered=form.is_set()),
        "tags": form.tags(),
        "query": form.query(),
        "page": page,
        "table": MembersTable(member_rows(page.rows, now), caption=_("Members"), order_by=sort.value),
    }
    return render(request, "supervisor/members/list.html", context)


@require_GET
@role_required(Role.SUPERVISOR)
def export_members(request: HttpRequest, file_format: str) -> HttpResponseBase:
    """All members that are wanted, as a file; a filter with an error leads back to the list."""
    now = timezone.now()
    form = MembersForm(request.GET, tiers=tiers_of(rule_set_in_force(now)))
    address = reverse("supervisor:members")
    if not form.is_valid():
        return redirect(f"{address}?{request.GET.urlencode()}")
    filters = form.filters()
    rows_count = members(filters, now).count()
    if file_format == "xlsx" and rows_count > MOST_XLSX_ROWS:
        sentence = _(
            "An Excel file can hold %(most)s members here, and these are %(count)s. Take them as CSV."
        )
        messages.info(request, sentence % {"most": figures(MOST_XLSX_ROWS), "count": figures(rows_count)})
        return redirect(address + form.query())
    note_export(
        name="members",
        filters=form.query(),
        file_format=file_format,
        rows_count=rows_count,
        at=now,
        actor=signed_in_user(request),
    )
    batches = member_files.batches(every_member(filters=filters, sort=form.sort_order(), at=now))
    name = f"members-{timezone.localdate().isoformat()}"
    if file_format == "xlsx":
        file = spreadsheets.xlsx_file(
            title=_("Members"),
            headings=member_files.headings(),
            widths=member_files.SHEET_WIDTHS,
            batches=batches,
        )
        return spreadsheets.xlsx_answer(file, name=name)
    parts = spreadsheets.csv_parts(member_files.headings(), batches, language=get_language() or "en")
    return spreadsheets.csv_answer(parts, name=name)


def _count(page: ListPage[Member], *, is_filtered: bool) -> str:
    """How many members there are; of those that are wanted only what their page tells."""
    if is_filtered and (page.previous_cursor or page.next_cursor):
        text = ngettext("More than %(number)s member", "More than %(number)s members", ROWS_PER_PAGE)
        return text % {"number": figures(ROWS_PER_PAGE)}
    count = len(page.rows) if is_filtered else members_count_lately()
    return ngettext("%(number)s member", "%(number)s members", count) % {"number": figures(count)}
