"""Pages about the balance and the operations behind it."""

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
from accounts.queries import new_messages
from accounts.roles import is_staff_person
from loyalty import access, exports, spreadsheets, wording
from loyalty.cursors import number_of
from loyalty.forms.history import HistoryForm
from loyalty.queries import operations as queries
from loyalty.queries.balance import balance
from loyalty.queries.lines import lines_with_lots
from loyalty.queries.standing import standing_card, tier_since_at
from loyalty.queries.transfers import transfer_numbers
from loyalty.queries.turnover import page_turnover, turnover

LATEST_OPERATIONS = 5


@require_safe
@login_required
def show_balance(request: HttpRequest) -> HttpResponse:
    """The first page: what there is to spend, what becomes of it, and the tier."""
    if getattr(request.user, "member", None) is None and is_staff_person(request.user):
        return redirect("supervisor:overview")
    member = own_member(request)
    now = timezone.now()
    latest = queries.operations_page(account_id=member.pk, limit=LATEST_OPERATIONS)
    own, standing = balance(account_id=member.pk, at=now), standing_card(member, now)
    context = {
        "member": member,
        "balance": own,
        "standing": standing,
        "can_give": own.available_points > 0 and not own.is_blocked and standing.rule_set.transfers_allowed,
        "operations": [wording.row(operation) for operation in latest.operations],
        "new_messages": new_messages(member),
    }
    return render(request, "loyalty/balance.html", context)


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
    context = {
        "form": form,
        "filters": filters,
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
        "turnover": None if filters.is_empty else turnover(account_id=member.pk, filters=filters),
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
