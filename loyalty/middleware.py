"""The card that a browser keeps for times without a connection, and when it has to go."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts.models import User

# Says whose card the browser keeps; nobody can tell from it who that is.
COOKIE = "kept_card"
KEPT_FOR_SECONDS = 400 * 24 * 60 * 60


class KeptCardMiddleware:
    """Have a kept card thrown away as soon as the browser is no longer its member's.

    A session ends in many ways: here or on another device, with a new password, by itself. Whichever it was,
    the first answer to a browser that keeps a card and is not signed in as its member clears what is kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        kept = request.COOKIES.get(COOKIE)
        if kept and not (isinstance(request.user, User) and kept == _mark_of(request.user)):
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
            # The page that is kept from now on has just set it anew.
            if COOKIE not in response.cookies:
                response.delete_cookie(COOKIE)
        return response


def remember_kept_card(response: HttpResponse, user: User) -> None:
    """Note in the browser whose card it keeps from now on."""
    response.set_cookie(
        COOKIE,
        _mark_of(user),
        max_age=KEPT_FOR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _mark_of(user: User) -> str:
    return salted_hmac(COOKIE, str(user.pk)).hexdigest()[:16]
