"""Somebody at a browser who has no mouse: Tab, Shift+Tab, Enter, Space and typing, and eyes on the focus."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.browser.gate import LOOK_AT_STOP

MOST_TABS = 250

Play = Callable[[Callable[[Browser], Any]], Any]


class Way(NamedTuple):
    """How somebody comes: how wide the screen is, and whether scripts run."""

    width: int
    has_javascript: bool

    def __str__(self) -> str:
        return f"{self.width}" if self.has_javascript else f"{self.width}-without-javascript"


WAYS = (Way(360, True), Way(1280, True), Way(360, False))


class Visitor:
    """Reaches everything by its role and its words; whatever stop is not to be seen on the way is a failure.

    Every call is played in the thread of the browser, so that the test may ask the database in between.
    """

    def __init__(self, play: Play, site: str, way: Way, cookies: list[dict[str, str]]) -> None:
        self._play, self.site, self._way = play, site, way
        self._page: Page = play(lambda browser: _page(browser, way, cookies))

    def close(self) -> None:
        """Leave, with everything that the browser remembers."""
        self._play(lambda _browser: self._page.context.close())

    def open(self, address: str) -> None:
        """Type an address."""
        url = address if "://" in address else f"{self.site}{address}"
        self._do(lambda page: page.goto(url))

    def wait_for(self, words: str) -> None:
        """See those words come: by themselves where scripts run, or else when the page is loaded again."""
        if not self._way.has_javascript:
            self.reload()
        self._do(lambda page: page.locator("main").get_by_text(words).first.wait_for())

    def reload(self) -> None:
        """Press F5."""
        self._do(lambda page: page.reload())

    def go_back(self) -> None:
        """Press Back."""
        self._do(lambda page: page.go_back())

    def follow(self, words: str) -> None:
        """Press Enter on the link of those words, and come to where it leads."""
        self._do(lambda page: _press(page, page.get_by_role("link", name=words)))

    def press(self, words: str) -> None:
        """Press Enter on the button of those words, and come to where it leads."""
        self._do(lambda page: _press(page, page.get_by_role("button", name=words)))

    def type(self, label: str, text: str) -> None:
        """Type into the field of that label, in place of what stands there."""

        def act(page: Page) -> None:
            _reach(page, _field(page, label))
            page.keyboard.press("Control+A")
            page.keyboard.type(text)

        self._do(act)

    def tick(self, label: str) -> None:
        """Press Space on the box or the choice of that label."""

        def act(page: Page) -> None:
            box = _field(page, label)
            _reach(page, box)
            page.keyboard.press("Space")
            assert box.first.is_checked(), label

        self._do(act)

    @property
    def heading(self) -> str:
        """What the page is about."""
        return str(self._do(lambda page: page.locator("h1").inner_text()))

    @property
    def text(self) -> str:
        """What the page says, with single spaces; no-break spaces are kept."""
        said = self._do(lambda page: page.locator("main").inner_text())
        return re.sub(r"[ \t\r\n]+", " ", str(said))

    @property
    def path(self) -> str:
        """Where the visitor is."""
        return str(self._do(lambda page: page.url.removeprefix(self.site)))

    def value(self, label: str) -> str:
        """What stands in a field."""
        return str(self._do(lambda page: _field(page, label).first.input_value()))

    def sees(self, words: str) -> bool:
        """Whether those words stand anywhere on the screen, in the header too."""
        return bool(self._do(lambda page: page.get_by_text(words).first.is_visible()))

    def _do(self, act: Callable[[Page], Any]) -> Any:
        return self._play(lambda _browser: act(self._page))


def _page(browser: Browser, way: Way, cookies: list[dict[str, str]]) -> Page:
    context: BrowserContext = browser.new_context(
        viewport={"width": way.width, "height": 740 if way.width < 1000 else 900},
        java_script_enabled=way.has_javascript,
        reduced_motion="reduce",
    )
    context.add_cookies(cookies)
    return context.new_page()


def _field(page: Page, label: str) -> Locator:
    return page.get_by_label(label).and_(page.locator("input, select, textarea"))


def _press(page: Page, wanted: Locator) -> None:
    _reach(page, wanted)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _reach(page: Page, wanted: Locator) -> None:
    """Press Tab until one of those has the focus, and look at every stop on the way."""
    assert wanted.count(), f"{wanted} is not on {page.url}: {page.locator('main').inner_text()}"
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        # After the last stop Tab leaves the page, and begins anew.
        if page.evaluate("document.activeElement === document.body"):
            continue
        problems = page.evaluate(f"({LOOK_AT_STOP})(document.activeElement)")
        assert not problems, (page.url, problems)
        if wanted.evaluate_all("found => found.includes(document.activeElement)"):
            return
    raise AssertionError(f"Tab does not reach {wanted} on {page.url}")
