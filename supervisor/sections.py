"""The sections of the console: a row of groups above each of its pages, and the pages of the open one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.roles import is_supervisor
from supervisor.queries.approvals import open_approvals_count
from supervisor.queries.invitations import open_referrals_count

Text = str | Promise


@dataclass(frozen=True)
class Place:
    """A page that the sections lead to, by the name of its address; what waits there is counted."""

    title: Text
    name: str
    is_for_staff: bool = False
    waiting: Callable[[], int] | None = None


@dataclass(frozen=True)
class Section:
    """A link of the sections: its name, its address, and how many things wait there for a decision.

    `current` is what `aria-current` says: “page” on the page itself, “true” on one below it. Where it
    is a group, `pages` are those of the group.
    """

    title: Text
    address: str
    waiting_count: int
    current: str
    pages: Sequence["Section"] = ()


GROUPS: Sequence[tuple[Text, Sequence[Place]]] = (
    (_("Overview"), [Place(_("Overview"), "overview")]),
    (_("Look-up"), [Place(_("Look-up"), "find", is_for_staff=True)]),
    (_("Members"), [Place(_("Members"), "members")]),
    (
        _("Orders"),
        [
            Place(_("Orders"), "orders"),
            Place(pgettext_lazy("of orders", "Imports"), "imports"),
            Place(_("Outlets"), "outlets"),
        ],
    ),
    (
        _("Points"),
        [
            Place(_("Transfers"), "transfers", is_for_staff=True),
            Place(_("Invitations"), "invitations", is_for_staff=True, waiting=open_referrals_count),
        ],
    ),
    (
        pgettext_lazy("of the programme", "Rules"),
        [Place(_("Editions"), "editions"), Place(_("Long jobs"), "jobs")],
    ),
    (
        pgettext_lazy("of the console", "Team"),
        [
            Place(_("Colleagues"), "colleagues"),
            Place(_("Approvals"), "approvals", waiting=open_approvals_count),
            Place(_("API keys"), "keys"),
            Place(_("Journal"), "journal"),
        ],
    ),
)


def sections(request: HttpRequest) -> list[Section]:
    """The sections that whoever is signed in may open: for supervisors in groups, for staff the few pages."""
    if not is_supervisor(request.user):
        places = (place for _title, of_group in GROUPS for place in of_group)
        return _pages(request, [place for place in places if place.is_for_staff])
    groups = [(title, _pages(request, places)) for title, places in GROUPS]
    return [pages[0] if len(pages) == 1 else _group(title, pages) for title, pages in groups]


def _group(title: Text, pages: Sequence[Section]) -> Section:
    return Section(
        title=title,
        address=pages[0].address,
        waiting_count=sum(page.waiting_count for page in pages),
        current="true" if any(page.current for page in pages) else "",
        pages=pages,
    )


def _pages(request: HttpRequest, places: Sequence[Place]) -> list[Section]:
    pages = []
    for place in places:
        address = reverse(f"supervisor:{place.name}")
        waiting_count = place.waiting() if place.waiting else 0
        pages.append(Section(place.title, address, waiting_count, _current(request, place, address)))
    return pages


def _current(request: HttpRequest, place: Place, address: str) -> str:
    if request.path == address:
        return "page"
    # The address of the overview begins all the others.
    begins = [address] if place.name != "overview" else []
    if place.name == "find" and not is_supervisor(request.user):
        # Staff come to a member by the look-up: they have no list of members.
        begins.append(address.removesuffix("find/") + "members/")
    return "true" if request.path.startswith(tuple(begins)) else ""
