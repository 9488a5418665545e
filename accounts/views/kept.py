"""What somebody had typed before their session ended."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.kept_forms import forget_form, kept_form


@require_safe
@login_required
def show_kept_form(request: HttpRequest) -> HttpResponse:
    """The form that was sent after the end of a session, with the button that sends it again.

    It is shown once: whoever comes back later finds the first page.
    """
    member = getattr(request.user, "member", None)
    form = kept_form(request.session, member_id=member.pk, at=timezone.now()) if member else None
    if form is None or request.method == "GET":
        forget_form(request.session)
    if form is None:
        return redirect("loyalty:balance")
    return render(request, "accounts/kept_form.html", {"kept_form": form})
