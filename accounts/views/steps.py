"""The first steps on the balance page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import services
from accounts.access import own_member


@require_POST
@login_required
def hide_steps(request: HttpRequest) -> HttpResponse:
    """Put the first steps away from the balance page, for good."""
    services.hide_first_steps(member=own_member(request), hidden_at=timezone.now())
    return redirect("loyalty:balance")
