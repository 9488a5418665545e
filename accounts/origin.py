"""Where a request came from, as letters about security say."""

from typing import NamedTuple

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

USER_AGENT_LETTERS = 200


class Origin(NamedTuple):
    """Where a request came from."""

    ip: str
    user_agent: str


def origin_of(request: HttpRequest) -> Origin:
    """The address, and what the browser says of itself, as far as anybody reads it."""
    user_agent = request.headers.get("User-Agent", "")[:USER_AGENT_LETTERS]
    return Origin(ip=get_adapter(request).get_client_ip(request), user_agent=user_agent)
