"""When a session was last used and in which browser, without a query on every page."""

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.devices import device_token_of, set_device_cookie
from accounts.models import Member
from accounts.services.sessions import note_device, note_seen

NOTED_EVERY_SECONDS = 300
NOTED_AT = "seen_noted_at"


class LastSeenMiddleware:
    """Note every five minutes at most that a session is in use; the session itself remembers when.

    Writing that down also prolongs the session: who comes back within its life stays signed in.
    A member's browser is noted with it, and keeps the token it has when another member signs in there:
    two members with one browser may be one person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        device_token = None
        if request.user.is_authenticated:
            now = timezone.now()
            age_seconds = now.timestamp() - request.session.get(NOTED_AT, 0)
            if not 0 <= age_seconds < NOTED_EVERY_SECONDS:
                request.session[NOTED_AT] = int(now.timestamp())
                note_seen(request=request, seen_at=now)
                member: Member | None = getattr(request.user, "member", None)
                if member is not None:
                    device_token = device_token_of(request) or uuid4()
                    note_device(member=member, token=device_token, seen_at=now)
        response = self.get_response(request)
        if device_token is not None:
            set_device_cookie(response, device_token)
        return response
