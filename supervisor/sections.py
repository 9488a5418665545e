"""The sections of the console, as a row of links that each of its main pages has."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import is_supervisor
from supervisor.queries.invitations import open_referrals_count


@dataclass(frozen=True)
class Section:
    """A section: its name, its first page, and how many things wait in it for a decision.

    `current` is what `aria-current` says: “page” on the first page, “true” on one below it.
    """

    title: str
    address: str
    open_count: int
    current: str


def sections(request: HttpRequest) -> list[Section]:
    """The sections that whoever is signed in may open."""

    def section(title: str, name: str, open_count: int = 0) -> Section:
        address = reverse(name)
        is_below = name != "supervisor:overview" and request.path.startswith(address)
        current = "page" if request.path == address else "true" if is_below else ""
        return Section(title, address, open_count, current)

    found = [
        section(_("Overview"), "supervisor:overview"),
        section(_("Transfers"), "supervisor:transfers"),
        section(_("Invitations"), "supervisor:invitations", open_referrals_count()),
    ]
    if is_supervisor(request.user):
        found.append(section(_("API keys"), "supervisor:keys"))
    return found
