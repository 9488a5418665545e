"""The pages for what goes wrong outside of any view: an error of ours, and a form that is out of date."""

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_BAD_ORIGIN
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.kept_forms import KeptForm, came_from_own_page, typed_form

# Letters and digits that nobody takes for each other, over the phone neither.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of an error of ours, by settings and files alone: the database may be what is missing.

    Its number is also in the log, where Django writes what happened.
    """
    number = "-".join("".join(secrets.choice(ALPHABET) for _place in range(4)) for _part in range(2))
    request.incident = number  # type: ignore[attr-defined]
    context = {
        "incident": number,
        "was_only_looking": request.method in SAFE_METHODS,
        "programme_name": settings.PROGRAMME_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }
    return HttpResponse(render_to_string("500.html", context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page of a form that is out of date, with what was typed where it is safe to send it again.

    It is safe for forms that hold no secret, and only if our own page sent them: otherwise the button
    would do what a foreign page wished for.
    """
    is_own = came_from_own_page(request) and reason != REASON_BAD_ORIGIN
    form: KeptForm | None = typed_form(request) if is_own else None
    return render(request, "403_csrf.html", {"kept_form": form}, status=403)
