"""The row of sections above the console's pages: who sees which, and where they are."""

import re
from html import unescape

import pytest

from tests.factories import MemberFactory
from tests.pages import Page
from tests.supervisor.given import doubted, in_english, invited_by

OF_STAFF = ["/console/find/", "/console/transfers/", "/console/invitations/"]
OF_SUPERVISORS = [
    "/console/",
    "/console/find/",
    "/console/members/",
    "/console/orders/",
    "/console/transfers/",
    "/console/editions/",
    "/console/colleagues/",
]


def sections_of(client, address):
    """The links of the sections on a page: where each leads, its text, and what it says of the page."""
    content = client.get(address).content.decode()
    row = content[content.index('<nav class="sections"') :]
    links = re.findall(r"<a ([^>]*)>(.*?)</a>", row[: row.index("</nav>")], flags=re.DOTALL)
    found = []
    for attributes, text in links:
        words = " ".join(unescape(re.sub(r"<[^>]+>", "", text)).split())
        current = re.search(r'aria-current="(\w+)"', attributes)
        found.append((re.search(r'href="([^"]+)"', attributes)[1], words, current[1] if current else ""))
    return found


def test_staff_see_the_pages_that_are_theirs(stan, client_of):
    found = sections_of(client_of(stan), "/console/transfers/")

    assert [address for address, _text, _current in found] == OF_STAFF
    assert [current for _address, _text, current in found] == ["", "page", ""]


def test_supervisors_see_groups_and_the_pages_of_the_open_one(sue, client_of):
    found = sections_of(in_english(client_of(sue)), "/console/journal/")

    assert [address for address, _text, _current in found[:7]] == OF_SUPERVISORS
    assert found[6:] == [
        ("/console/colleagues/", "Team", "true"),
        ("/console/colleagues/", "Colleagues", ""),
        ("/console/approvals/", "Approvals", ""),
        ("/console/keys/", "API keys", ""),
        ("/console/journal/", "Journal", "page"),
    ]


def test_every_section_opens(sue, client_of):
    client = client_of(sue)
    addresses = {
        address for first in OF_SUPERVISORS for address, _text, _current in sections_of(client, first)
    }

    assert len(addresses) == 14
    for address in sorted(addresses):
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("address", ["/console/keys/new/", "/console/invitations/attach/"])
def test_page_below_a_section_belongs_to_it(sue, client_of, address):
    currents = [current for _address, _text, current in sections_of(client_of(sue), address) if current]

    # The group, and the page in it that this one is below.
    assert currents == ["true", "true"]


def test_what_waits_is_counted_on_the_group_and_on_the_page(ada, sue, client_of):
    doubted(invited_by(ada, MemberFactory()))

    found = sections_of(in_english(client_of(sue)), "/console/transfers/")

    waiting = [text for _address, text, _current in found if "waiting" in text]
    assert waiting == ["Points 1 waiting for a decision", "Invitations 1 waiting for a decision"]


def test_member_card_is_below_the_list_for_supervisors_and_below_the_look_up_for_staff(
    ada, sue, stan, client_of
):
    card = f"/console/members/{ada.number}/"

    for person, section in ((sue, "/console/members/"), (stan, "/console/find/")):
        found = sections_of(client_of(person), card)
        assert [address for address, _text, current in found if current] == [section]


def test_console_leads_back_to_the_cabinet_of_those_who_have_one(sue, client_of):
    client = client_of(sue)
    assert Page(client.get("/console/keys/")).hrefs().count("/") == 1

    MemberFactory(user=sue)

    # The sign of the programme leads there, and now a link does, too.
    assert Page(client_of(sue).get("/console/keys/")).hrefs().count("/") == 2
