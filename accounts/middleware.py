"""What holds for sessions: when one was last used, how long it lasts, and what is kept when it has ended."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import page_of
from accounts.devices import device_token_of, set_device_cookie
from accounts.kept_forms import keep_form, typed_form
from accounts.models import Member
from accounts.queries import last_member_id
from accounts.roles import is_staff_person
from accounts.services.sessions import note_device, note_seen

NOTED_EVERY_SECONDS = 300
# A colleague's session is short, so that its use is noted more often.
STAFF_NOTED_EVERY_SECONDS = 60
NOTED_AT = "seen_noted_at"
# What pages ask for every second.
POLLED = "supervisor:job_progress"


class LastSeenMiddleware:
    """Note every five minutes at most that a session is in use; the session itself remembers when.

    Writing that down also prolongs the session: who comes back within its life stays signed in. The
    session of somebody who may open the console ends after STAFF_IDLE_MINUTES without use, and is noted
    every minute for that; a page that asks by itself how far a job is says nothing of anybody's presence.
    A member's browser is noted with it, and keeps the token it has when another member signs in there:
    two members with one browser may be one person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        device_token = None
        if request.user.is_authenticated and not _asks_by_itself(request):
            now = timezone.now()
            is_colleague = is_staff_person(request.user)
            every_seconds = STAFF_NOTED_EVERY_SECONDS if is_colleague else NOTED_EVERY_SECONDS
            age_seconds = now.timestamp() - request.session.get(NOTED_AT, 0)
            if not 0 <= age_seconds < every_seconds:
                request.session[NOTED_AT] = int(now.timestamp())
                if is_colleague:
                    request.session.set_expiry(settings.STAFF_IDLE_MINUTES * 60)
                note_seen(request=request, seen_at=now)
                member: Member | None = getattr(request.user, "member", None)
                if member is not None:
                    device_token = device_token_of(request) or uuid4()
                    note_device(member=member, token=device_token, seen_at=now)
        response = self.get_response(request)
        if device_token is not None:
            set_device_cookie(response, device_token)
        return response


class SignedOutFormMiddleware:
    """Lead whoever sends a form after the end of their session back to it, once they have signed in.

    A door sends them to the sign-in page with the form's address as the next one, which may be one that
    only takes what a button sends. It becomes the page that the form stood on, or, where what was typed
    is kept, the page that offers it again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _was_turned_away(request, response):
            return response
        messages.info(request, _("You were signed out meanwhile. Sign in, and go on where you were."))
        form, member_id = typed_form(request), last_member_id(device_token_of(request))
        if form and member_id is not None:
            keep_form(request.session, form, member_id=member_id, at=timezone.now())
            return redirect_to_login(reverse("accounts:kept_form"))
        return redirect_to_login(page_of(request))


def _was_turned_away(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a door sent a form of somebody who is not signed in to the sign-in page."""
    is_form = request.method == "POST" and "HX-Request" not in request.headers
    if not is_form or response.status_code != HTTPStatus.FOUND:
        return False
    address = urlsplit(response.headers["Location"])
    next_pages = parse_qs(address.query).get("next", [])
    return (
        address.path == resolve_url(settings.LOGIN_URL)
        and next_pages in ([request.get_full_path()], [page_of(request)])
        and not request.user.is_authenticated
    )


def _asks_by_itself(request: HttpRequest) -> bool:
    """Whether it is a page that asks, and nobody who uses it."""
    if "HX-Request" not in request.headers:
        return False
    try:
        return resolve(request.path_info).view_name == POLLED
    except Resolver404:
        return False
