"""The site, and beside it what is no page of an address: pages about errors, and letters."""

from csp.decorators import csp_replace
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from config.urls import *  # noqa: F403  (the handlers of errors too)
from config.urls import urlpatterns as pages_of_the_site


def show_error(request: HttpRequest, status: str) -> HttpResponse:
    """The page about that error, as an address that fails would show it."""
    return render(request, f"{status}.html", {"closed_until": timezone.now()}, status=int(status[:3]))


@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"]})
def show_letter(request: HttpRequest, index: int) -> HttpResponse:
    """The HTML part of a letter of the test; what it may do is decided by the mail program."""
    content, _kind = mail.outbox[index].alternatives[0]
    return HttpResponse(content)


urlpatterns = [
    path("shown/errors/<str:status>/", show_error),
    path("shown/letters/<int:index>/", show_letter),
    *pages_of_the_site,
]
