"""When a session was last used, without a query on every page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.services.sessions import note_seen

NOTED_EVERY_SECONDS = 300
NOTED_AT = "seen_noted_at"


class LastSeenMiddleware:
    """Note every five minutes at most that a session is in use; the session itself remembers when.

    Writing that down also prolongs the session: who comes back within its life stays signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = timezone.now()
            age_seconds = now.timestamp() - request.session.get(NOTED_AT, 0)
            if not 0 <= age_seconds < NOTED_EVERY_SECONDS:
                request.session[NOTED_AT] = int(now.timestamp())
                note_seen(request=request, seen_at=now)
        return self.get_response(request)
