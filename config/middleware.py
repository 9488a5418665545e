"""What holds for every answer of every app."""

from collections.abc import Callable
from http import HTTPStatus
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

# As long as the page of too many attempts asks for.
WAIT_SECONDS = 300


class ClosedMiddleware:
    """Until BALLADA_CLOSED_UNTIL, answer everything but static files with when the programme is back.

    Neither the database nor a session is asked for anything. Nothing opens earlier, and nobody needs to
    be there for it to open.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        if settings.CLOSED_UNTIL is None or now >= settings.CLOSED_UNTIL:
            return self.get_response(request)
        response: HttpResponse
        if request.path_info.startswith("/api/"):
            until = settings.CLOSED_UNTIL.isoformat(timespec="minutes")
            response = JsonResponse(
                {"type": "about:blank", "title": f"Closed until {until}.", "status": 503},
                content_type="application/problem+json",
            )
        else:
            context = {
                "closed_until": settings.CLOSED_UNTIL,
                "programme_name": settings.PROGRAMME_NAME,
                "support_email": settings.SUPPORT_EMAIL,
            }
            response = HttpResponse(render_to_string("503.html", context))
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = str(ceil((settings.CLOSED_UNTIL - now).total_seconds()))
        add_never_cache_headers(response)
        return response


class RetryAfterMiddleware:
    """Say in a header, too, when to try again: allauth’s answers to too many attempts do not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response.headers.setdefault("Retry-After", str(WAIT_SECONDS))
        return response


class PrivatePagesMiddleware:
    """Keep a signed-in person's pages out of every cache: after sign-out, Back shows no data."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class MethodPageMiddleware:
    """Say in words that an address only takes what a button sends, where nothing else was said."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_empty = response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content
        if is_empty and request.accepts("text/html"):
            response.content = render_to_string("405.html", request=request)
        return response
