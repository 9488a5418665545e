"""Pages about the balance and the operations behind it."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_safe
from django_htmx.http import push_url

from accounts.access import own_member
from accounts.models import Member
from accounts.queries import new_messages
from accounts.roles import is_staff_person
from loyalty import access, exports, points_charts, points_wording, spreadsheets, wording
from loyalty.cursors import number_of
from loyalty.forms.history import HistoryForm
from loyalty.queries import operations as queries
from loyalty.queries.balance import balance
from loyalty.queries.breakdown import breakdown_of, one_snapshot
from loyalty.queries.lines import lines_with_lots
from loyalty.queries.months import points_by_month
from loyalty.queries.places import Place, place_of, place_of_found
from loyalty.queries.reach import reach
from loyalty.queries.standing import standing_card, tier_since_at
from loyalty.queries.steps import first_steps
from loyalty.queries.transfers import transfer_numbers
from loyalty.queries.turnover import Turnover, page_turnover, turnover

LATEST_OPERATIONS = 5
# As many as are read at a glance on a phone.
CHARTED_MONTHS = 6
# So many parts of what cannot be spent yet are told in the card itself.
MOST_PARTS_IN_CARD = 4


@require_safe
@login_required
def show_balance(request: HttpRequest) -> HttpResponse:
    """The first page: what there is to spend, what becomes of it, and the tier."""
    if getattr(request.user, "member", None) is None and is_staff_person(request.user):
        return redirect("supervisor:overview")
    member = own_member(request)
    now = timezone.now()
    latest = queries.operations_page(account_id=member.pk, limit=LATEST_OPERATIONS)
    context = _own_points(member, now) | {
        "operations": [wording.row(operation) for operation in latest.operations],
        "new_messages": new_messages(member),
    }
    context["first_steps"] = first_steps(member, now, rule_set=context["standing"].rule_set)
    months = points_by_month(account_id=member.pk, until_at=now, months=CHARTED_MONTHS)
    if any(month.earned_points or month.spent_points for month in months):
        context |= {"months": months, "months_chart": points_charts.months_chart(months)}
    if context["balance"].expiries:
        context["expiry_strip"] = points_charts.expiry_strip(context["balance"])
    return render(request, "loyalty/balance.html", context)


@require_safe
@login_required
def show_why(request: HttpRequest) -> HttpResponse:
    """Why the numbers of the first page are what they are, line by line."""
    member = own_member(request)
    with one_snapshot():
        context = _own_points(member, timezone.now())
        found = breakdown_of(context["balance"], account_id=member.pk)
    context |= {"breakdown": found, "lines": points_wording.lines(found)}
    return render(request, "loyalty/why.html", context)


@require_safe
@access.signed_in
def show_operations(request: HttpRequest) -> HttpResponse:
    """The operations that are wanted, newest first; a place beyond the list leads to its beginning."""
    member = own_member(request)
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return render(request, "loyalty/operations.html", {"form": form})
    filters = form.filters()
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = queries.operations_page(account_id=member.pk, before=before, after=after, filters=filters)
    address = reverse("loyalty:operations") + form.query()
    if not page.operations and (before, after) != (None, None):
        return redirect(address)
    numbers = transfer_numbers(operation.posting_id for operation in page.operations)
    found = None if filters.is_empty else turnover(account_id=member.pk, filters=filters)
    context = {
        "form": form,
        "filters": filters,
        "now": timezone.now(),
        "place": _place(page, member, found),
        "query": form.query(),
        "newer_query": page.newer_cursor and form.query(after=page.newer_cursor),
        "older_query": page.older_cursor and form.query(before=page.older_cursor),
        "tags": form.tags(),
        "shortcuts": form.shortcuts(timezone.localdate()),
        "page": page,
        "operations": [
            wording.row(operation, numbers.get(operation.posting_id, "")) for operation in page.operations
        ],
        "page_turnover": page_turnover(page.operations),
        "turnover": found,
    }
    # The form sends its empty fields, too; the address to keep or to share has none.
    return push_url(render(request, "loyalty/operations.html", context), address)


@require_GET
@login_required
def export_operations(request: HttpRequest, file_format: str) -> HttpResponseBase:
    """All operations that are wanted, as a file; a filter with an error leads back to the list."""
    member = own_member(request)
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('loyalty:operations')}?{request.GET.urlencode()}")
    name = f"operations-{timezone.localdate().isoformat()}"
    if file_format == "xlsx":
        file = exports.xlsx_file(account_id=member.pk, filters=form.filters())
        return spreadsheets.xlsx_answer(file, name=name)
    parts = exports.csv_parts(account_id=member.pk, filters=form.filters(), language=get_language() or "en")
    return spreadsheets.csv_answer(parts, name=name)


@require_safe
@login_required
def show_operation(request: HttpRequest, posting_id: int) -> HttpResponse:
    """One operation and why it is that number."""
    member = own_member(request)
    own = access.own_operation(member, posting_id)
    tier_name = own.explanation.get("tier")
    card = wording.card(
        own,
        lines=lines_with_lots(account_id=member.pk, posting_id=posting_id),
        related=queries.related_operations(account_id=member.pk, of=own),
        tier_since_at=tier_since_at(member_id=member.pk, tier_name=tier_name, at=own.effective_at)
        if tier_name
        else None,
        transfer_number=transfer_numbers([posting_id]).get(posting_id, ""),
    )
    return render(request, "loyalty/operation.html", {"operation": card})


def _place(page: queries.OperationsPage, member: Member, found: Turnover | None) -> Place | None:
    if not page.operations:
        return None
    if found is not None:
        return place_of_found(page, found_count=found.count)
    return place_of(page, account_id=member.pk)


def _own_points(member: Member, at: datetime) -> dict[str, Any]:
    """What every page about the whole of a member's points shows, read at one moment."""
    own, standing = balance(account_id=member.pk, at=at), standing_card(member, at)
    return {
        "member": member,
        "balance": own,
        "standing": standing,
        "tier_path": points_charts.tier_path(standing),
        "reach": reach(available_points=own.available_points, rule_set=standing.rule_set, tier=standing.tier),
        "can_give": own.available_points > 0 and not own.is_blocked and standing.rule_set.transfers_allowed,
        "is_waiting_listed_apart": len(own.pending) + len(own.holds) > MOST_PARTS_IN_CARD,
    }
