"""Reads pages as a person and a browser do: their text, their links, their attributes."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

from django.http import HttpResponse
from django.test import Client

from accounts.models import Member, User

# What a visitor never reads.
UNREAD = {"script", "style", "svg"}
VOID = {"area", "base", "br", "circle", "col", "hr", "img", "input", "link", "meta", "path", "source", "wbr"}

ClientOf = Callable[[Member | User], object]


class Page(HTMLParser):
    """A page's `text` with single spaces, and its `tags` with their attributes, in their order."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(response.content.decode())
        # A no-break space is no white space here: it is what the figures are joined by.
        self.text = re.sub(r"[ \t\r\n]+", " ", "".join(self._texts)).strip()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if UNREAD.isdisjoint(self._open):
            self._texts.append(data)

    def count(self, tag: str) -> int:
        """How often a tag stands on the page."""
        return sum(name == tag for name, _attributes in self.tags)

    def hrefs(self, **wanted: str) -> list[str]:
        """Where the links lead, those with the wanted attributes."""
        return [
            attributes["href"]
            for tag, attributes in self.tags
            if tag == "a" and all(attributes.get(name) == value for name, value in wanted.items())
        ]

    def values(self, *names: str) -> list[str]:
        """Every value of those attributes."""
        return [attributes[name] for _tag, attributes in self.tags for name in names if name in attributes]


def opened(client: Client, address: str) -> Page:
    """The page at that address, which is there."""
    response = client.get(address)
    assert response.status_code == 200
    return Page(response)
