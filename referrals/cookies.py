"""The invitation that a browser remembers, until its person has joined."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from referrals.services.attaching import CLICK_LIFE, Click

COOKIE = "invitation"
SALT = "referrals.cookies"
ANSWERED = "invitation_is_answered"


def read_click(request: HttpRequest) -> Click | None:
    """The invitation by which this browser came; None without one, or when its life is over."""
    click = remembered_click(request)
    return click if click and timezone.now() - click.clicked_at <= CLICK_LIFE else None


def remembered_click(request: HttpRequest) -> Click | None:
    """The same, however long ago that was: a sign-up keeps why nothing came of it.

    A cookie that is not ours, or that somebody has changed, is none.
    """
    try:
        said: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
        return Click(
            token=UUID(said["token"]),
            code=str(said["code"]),
            clicked_at=datetime.fromisoformat(said["clicked_at"]).astimezone(UTC),
        )
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return None


def set_click(response: HttpResponse, click: Click) -> None:
    """Have the browser remember the invitation."""
    said = {"token": str(click.token), "code": click.code, "clicked_at": click.clicked_at.isoformat()}
    response.set_cookie(
        COOKIE,
        signing.dumps(said, salt=SALT),
        max_age=CLICK_LIFE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_click(request: HttpRequest) -> None:
    """Have the answer to this request take the invitation from the browser."""
    setattr(request, ANSWERED, True)


def drop_forgotten_click(request: HttpRequest, response: HttpResponse) -> None:
    """Take the invitation from the browser, if `forget_click` was asked to."""
    if getattr(request, ANSWERED, False):
        response.delete_cookie(COOKIE, samesite="Lax")
