"""Which cookies there are: none of them needs to be asked about."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.cookies import cookies


@require_safe
def show_cookies(request: HttpRequest) -> HttpResponse:
    """The cookies of this site, each with what it is for and how long it lives."""
    return render(request, "accounts/cookies.html", {"cookies": cookies()})
