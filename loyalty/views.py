"""The cabinet's pages about points."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import is_staff_person, own_member
from loyalty import access, wording
from loyalty.queries import operations as queries
from loyalty.queries.balance import balance
from loyalty.queries.standing import standing_card

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
    context = {
        "member": member,
        "balance": balance(account_id=member.pk, at=now),
        "standing": standing_card(member, now),
        "operations": [wording.row(operation) for operation in latest.operations],
    }
    return render(request, "loyalty/balance.html", context)


@require_safe
@login_required
def show_operations(request: HttpRequest) -> HttpResponse:
    """All operations, newest first, page by page; a place beyond the list leads to its beginning."""
    member = own_member(request)
    page = queries.operations_page(
        account_id=member.pk,
        before=_cursor(request.GET.get("before")),
        after=_cursor(request.GET.get("after")),
    )
    if request.GET and not page.operations:
        return redirect("loyalty:operations")
    context = {"page": page, "operations": [wording.row(operation) for operation in page.operations]}
    return render(request, "loyalty/operations.html", context)


@require_safe
@login_required
def show_operation(request: HttpRequest, posting_id: int) -> HttpResponse:
    """One operation and why it is that number."""
    member = own_member(request)
    own = access.own_operation(member, posting_id)
    card = wording.card(
        own,
        lines=queries.operation_lines(account_id=member.pk, posting_id=posting_id),
        related=queries.related_operations(account_id=member.pk, of=own),
    )
    return render(request, "loyalty/operation.html", {"operation": card})


def _cursor(text: str | None) -> int | None:
    """A place in the list; whatever is not one stands for the beginning."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
