"""Fills in the console's forms of editions as a colleague does: what a page offers, changed in places."""

from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser

from django.test import Client

from accounts.models import Member, User
from loyalty.models import RuleSet
from supervisor.jobs import HANDLERS
from supervisor.models import Preview
from supervisor.services.job_runs import carry_out
from supervisor.services.previews import ask_preview
from tests.clock import NOON
from tests.supervisor.given import in_english

ClientOf = Callable[[Member | User], Client]


class Filled(HTMLParser):
    """What a browser would send of the forms on a page, without any button."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select = ""
        self._textarea = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        name = found.get("name", "")
        if tag == "input" and name:
            is_box = found.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in found:
                self.sent[name] = found.get("value", "on" if is_box else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in found:
            self.sent[self._select] = found.get("value", "")
        elif tag == "textarea":
            self._textarea = name
            self.sent[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.sent[self._textarea] += data.removeprefix("\n")


def filled(client: Client, address: str) -> dict[str, str]:
    """The form on a page as it would be sent unchanged."""
    response = client.get(address)
    assert response.status_code == 200
    return Filled(response.content.decode()).sent


def signed_in(client_of: ClientOf, person: Member | User) -> Client:
    """The browser of somebody who reads English."""
    return in_english(client_of(person))


def draft_address(draft: RuleSet) -> str:
    return f"/console/editions/drafts/{draft.pk}/"


def computed(draft: RuleSet, by: User, *, at: datetime = NOON) -> Preview:
    """A preview of the draft that the worker has computed."""
    preview = ask_preview(draft=draft, at=at, by=by)
    carry_out(job_run_id=preview.job_run_id, handlers=HANDLERS)
    return Preview.objects.get(pk=preview.pk)
