"""The code that a member shows at the till to pay with points."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import own_member
from loyalty.errors import LoyaltyError
from loyalty.queries.balance import balance
from loyalty.services.till_codes import make_till_code, open_till_code


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def show_till_code(request: HttpRequest) -> HttpResponse:
    """The code that holds now, if there is one; with the button a new one is made."""
    member, now = own_member(request), timezone.now()
    if request.method == "POST":
        try:
            make_till_code(member=member, at=now)
        except LoyaltyError as refusal:
            messages.error(request, str(refusal))
        return redirect("loyalty:till_code")
    context = {
        "member": member,
        "balance": balance(account_id=member.pk, at=now),
        "till_code": open_till_code(member=member, at=now),
    }
    return render(request, "loyalty/till_code.html", context)
