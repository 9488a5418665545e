"""The letters that were kept because there is no mail server: for development, on this machine alone."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from urllib.parse import urlsplit

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts.local_mail import LocalLetter, local_letter, local_letters

SHOWN_LETTERS = 100
OWN_NAMES = ("localhost", "127.0.0.1", "::1")
# A letter may show its own inline styles, and lead to its links; nothing else happens in it.
LETTER_CSP = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-top-navigation-by-user-activation"],
}


def _on_this_machine(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """There is such a page only where letters are kept, and only for a browser that runs here."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        is_own_name = urlsplit(f"//{request.get_host()}").hostname in OWN_NAMES
        if settings.IS_PRODUCTION or not settings.LOCAL_MAIL or not is_own_name or not _is_from_here(request):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@never_cache
@_on_this_machine
def show_mail(request: HttpRequest) -> HttpResponse:
    """The latest letters, newest first."""
    return render(request, "accounts/mail.html", {"letters": local_letters(SHOWN_LETTERS)})


@require_safe
@never_cache
@csp_update({"frame-src": ["'self'"]})
@_on_this_machine
def show_mail_letter(request: HttpRequest, name: str) -> HttpResponse:
    """One letter: its text, and its HTML in a frame."""
    return render(request, "accounts/mail_letter.html", {"letter": _found(name)})


@require_safe
@never_cache
@xframe_options_sameorigin
@csp_replace(LETTER_CSP)
@_on_this_machine
def show_mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of a letter as it was sent, but that its links open in the whole window."""
    html = _found(name).html
    return HttpResponse(html.replace("<head>", '<head><base target="_top">', 1))


def _found(name: str) -> LocalLetter:
    letter = local_letter(name)
    if letter is None:
        raise Http404
    return letter


def _is_from_here(request: HttpRequest) -> bool:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
