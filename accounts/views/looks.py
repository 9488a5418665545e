"""Who looked at the member's account."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts import queries, wording
from accounts.access import own_member
from accounts.forms import MessagesPlaceForm


@require_safe
@login_required
def show_looks(request: HttpRequest) -> HttpResponse:
    """Which colleagues looked at the member's account or did something to it, and when; newest first."""
    member = own_member(request)
    before, after = MessagesPlaceForm(request.GET).place()
    page = queries.looks_page(member=member, before=before, after=after)
    if not page.looks and (before, after) != (None, None):
        return redirect("accounts:looks")
    context = {"page": page, "rows": wording.look_rows(page.looks)}
    return render(request, "accounts/looks.html", context)
