"""What a sign-up leaves for its answer to do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from referrals.cookies import drop_forgotten_click


class InvitationMiddleware:
    """Take an invitation that was answered from the browser: sign-up itself cannot reach its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        drop_forgotten_click(request, response)
        return response
