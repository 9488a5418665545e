"""What every page is held against: what people with other senses, other screens and slow lines need.

A page is loaded once. Then its screen grows and its colours change under it, and it is looked at again.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import axe_playwright_python
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
# What axe asks of a page in one scheme holds for the other: they differ in custom properties alone, each of
# them a colour or a shadow (tests/config/test_static.py). So a dark page answers for its colours only.
ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOUR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
LOOKS = (
    ("light", PHONE, ALL_RULES),
    ("dark", PHONE, COLOUR_RULES),
    ("dark", DESK, COLOUR_RULES),
    ("light", DESK, ALL_RULES),
)
# At 1280 with the page enlarged twice, 640 are left.
NARROWEST, TABLET, ENLARGED = ({"width": width, "height": 740} for width in (320, 768, 640))
# A4 within its margins, in CSS pixels.
PAPER = {"width": 672, "height": 1000}

MOST_BYTES, MOST_CSS_BYTES, MOST_JS_BYTES, MOST_REQUESTS = 150_000, 20_000, 30_000, 12
MOST_SHIFT = 0.02

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
AXE_RUN = """async (runOnly) => (await axe.run(document, {
    runOnly, resultTypes: ['violations'], preload: false, iframes: false,
})).violations.map(one => [one.id, one.nodes.map(node => node.target.join(' '))])"""
WATCH_SHIFTS = """new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shiftedSoFar = (window.shiftedSoFar || 0) + entry.value;
}).observe({ type: 'layout-shift', buffered: true });"""

HEIGHT = "() => document.documentElement.scrollHeight"
TOO_WIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
# Text that its own box cuts off. What is for the screen reader alone is cut off on purpose.
CLIPPED = """() => [...document.querySelectorAll('body *')].filter(one => {
    const { overflowX, overflowY, clip, clipPath } = getComputedStyle(one);
    if (clip !== 'auto' || clipPath !== 'none' || one.clientWidth < 2) return false;
    const cuts = (overflow) => overflow === 'hidden' || overflow === 'clip';
    return ((cuts(overflowX) && one.scrollWidth > one.clientWidth + 1)
        || (cuts(overflowY) && one.scrollHeight > one.clientHeight + 1)) && Boolean(one.innerText?.trim());
}).map(one => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 120))"""
# Text in a column of a letter or two: narrower than three of its letters, and more than four high. Heads of
# tables are kept out of sight on a phone.
SQUEEZED = """() => [...document.querySelectorAll('main *')].filter(one => {
    const isText = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim().length > 5);
    const { width, height } = one.getBoundingClientRect();
    const letter = parseFloat(getComputedStyle(one).fontSize);
    return isText && !one.closest('thead') && width > 1 && width < 3 * letter && height > 4 * letter;
}).map(one => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 120))"""
# What nobody can press on paper, and ink that a dark screen would have left white.
USELESS_ON_PAPER = """() => [
    ...[...document.querySelectorAll('nav, .skip, .top form, main .actions, main button')]
        .filter(one => one.checkVisibility({ visibilityProperty: true })),
    ...[...document.querySelectorAll('h1, main p, main td, main dd')]
        .filter(one => getComputedStyle(one).color.match(/[\\d.]+/g).slice(0, 3).every(part => part > 150)),
].map(one => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 120))"""
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important }
* { word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
SCREENS = (
    (NARROWEST, "", "320"),
    (NARROWEST, SPACED, "320 spaced"),
    (TABLET, "", "768"),
    (ENLARGED, "", "1280 enlarged twice"),
)
# The stops of a page are the same in every language, and what has room in the longest has it in the other.
LONGEST = "ru"
# A style of the tester's own: the policy of the page lets none in as a tag.
STYLE = """css => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
}"""

STRUCTURE = """() => ({
    language: document.documentElement.lang,
    title: document.title,
    levels: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(one => Number(one.tagName[1])),
})"""
# Of one stop of the keyboard: is it to be seen, and is nothing on top of it?
LOOK_AT_STOP = """one => {
    const words = one.outerHTML.replace(/\\s+/g, ' ').slice(0, 120), label = one.closest('label'), wrong = [];
    const looks = [getComputedStyle(one), getComputedStyle(one, '::after'), getComputedStyle(label ?? one)];
    const isDrawn = looks.some(look => (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2)
        || look.boxShadow !== 'none');
    if (!isDrawn) wrong.push('no focus to be seen: ' + words);
    const box = one.getClientRects()[0];
    if (!box) return [...wrong, 'no box: ' + words];
    const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (!found || !(one.contains(found) || found.contains(one) || label?.contains(found)))
        wrong.push(`hidden by ${found?.outerHTML.replace(/\\s+/g, ' ').slice(0, 60)}: ` + words);
    return wrong;
}"""
WALK_STOPS = f"""() => {{
    const look = {LOOK_AT_STOP};
    const stops = [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')];
    const wrong = stops.flatMap(one => {{
        if (one.disabled || !one.checkVisibility({{ visibilityProperty: true }})) return [];
        one.focus({{ focusVisible: true }});
        return document.activeElement === one ? look(one) : [];
    }});
    const first = stops[0];
    const leads = !first || first.closest('main') || first.getAttribute('href') === '#main';
    return leads ? wrong : [...wrong, 'the first stop is ' + first.outerHTML.slice(0, 120)];
}}"""


class Finding(NamedTuple):
    """What is wrong with a page, and how it was looked at."""

    page: str
    looked_at: str
    what: str
    where: str = ""

    def __str__(self) -> str:
        return " | ".join(self)


class Traffic:
    """What a page asks for and what its console says, from its first request on."""

    def __init__(self, page: Page, origin: str) -> None:
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.origin = origin
        self._kinds: dict[str, str] = {}
        self._bytes: dict[str, int] = {}
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._note)
        self.line = page.context.new_cdp_session(page)
        self.line.send("Network.enable")
        self.line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.line.on("Network.responseReceived", self._meet)
        self.line.on(
            "Network.loadingFinished",
            lambda it: self._bytes.update({it["requestId"]: int(it["encodedDataLength"])}),
        )

    def forget(self) -> None:
        """What comes next belongs to another page."""
        for seen in (self.said, self.elsewhere, self._kinds, self._bytes):
            seen.clear()

    def count(self) -> int:
        """How many requests there were."""
        return len(self._kinds)

    def bytes_of(self, *kinds: str) -> int:
        """How much came over the wire, of some kinds or in all."""
        return sum(size for key, size in self._bytes.items() if not kinds or self._kinds.get(key) in kinds)

    def _meet(self, answered: dict[str, Any]) -> None:
        # A browser asks for that by itself, once, where a page (such as a letter) names no icon.
        if not answered["response"]["url"].endswith("/favicon.ico"):
            self._kinds[answered["requestId"]] = answered["type"]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.elsewhere.append(request.url)


def equip(context: BrowserContext) -> None:
    """Have every page of the context bring what it is examined with."""
    context.add_init_script(AXE)
    context.add_init_script(WATCH_SHIFTS)


def examine(page: Page, traffic: Traffic, name: str, language: str) -> list[Finding]:
    """Look at the page that has just been loaded, at its four looks and beyond; the findings."""
    is_longest = language == LONGEST
    return [
        *weigh(page, traffic, name),
        *read_structure(page, name, language),
        *(walk_stops(page, name) if is_longest else []),
        *run_axe(page, name),
        *stretch(page, name, SCREENS if is_longest else SCREENS[:1]),
        *(enlarge(page, traffic, name) if is_longest else []),
        *(print_out(page, name) if is_longest else []),
        *(Finding(name, "console", words) for words in _but_the_answer_itself(traffic.said)),
        *(Finding(name, "another origin", address) for address in traffic.elsewhere),
    ]


def examine_letter(page: Page, traffic: Traffic, name: str, _language: str) -> list[Finding]:
    """Look at the HTML part of a letter, which asks for nothing and leads nobody about."""
    asked = [Finding(name, "letter", f"{traffic.count()} requests")] if traffic.count() > 1 else []
    said = [Finding(name, "console", words) for words in _but_the_answer_itself(traffic.said)]
    return [*asked, *said, *run_axe(page, name), *stretch(page, name)]


def weigh(page: Page, traffic: Traffic, name: str) -> list[Finding]:
    """The first view: what came over the wire, and whether anything moved."""
    shift = page.evaluate("window.shiftedSoFar || 0")
    measured = (
        ("bytes", traffic.bytes_of(), MOST_BYTES),
        ("bytes of CSS", traffic.bytes_of("Stylesheet"), MOST_CSS_BYTES),
        ("bytes of JavaScript", traffic.bytes_of("Script"), MOST_JS_BYTES),
        ("requests", traffic.count(), MOST_REQUESTS),
        ("layout shift", shift, MOST_SHIFT),
    )
    return [Finding(name, "first view", f"{value} {what}") for what, value, most in measured if value > most]


def read_structure(page: Page, name: str, language: str) -> list[Finding]:
    """The language, a title, one h1, no level skipped."""
    read: dict[str, Any] = page.evaluate(STRUCTURE)
    levels = read["levels"]
    wrong = []
    if read["language"] != language:
        wrong.append(f"the language is {read['language']}")
    if not read["title"].split("—")[0].strip():
        wrong.append("no title")
    if levels.count(1) != 1:
        wrong.append(f"{levels.count(1)} h1")
    skipped = [f"h{low} to h{high}" for low, high in pairwise(levels) if high > low + 1]
    return [Finding(name, language, words) for words in [*wrong, *skipped]]


def walk_stops(page: Page, name: str) -> list[Finding]:
    """Every stop of the keyboard is to be seen; the first leads to the content, or is there already."""
    page.keyboard.press("Shift")
    wrong = page.evaluate(WALK_STOPS)
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    return [Finding(name, "360 keyboard", words) for words in wrong]


def run_axe(page: Page, name: str) -> list[Finding]:
    """What axe says of the page at each of its looks."""
    found = []
    for scheme, screen, rules in LOOKS:
        # As high as the page: what lies under the bar at the lower edge can be scrolled, and is no finding.
        page.set_viewport_size({**screen, "height": max(screen["height"], page.evaluate(HEIGHT))})
        page.emulate_media(color_scheme=scheme)
        looked_at = f"{screen['width']} {scheme}"
        found += [
            Finding(name, looked_at, rule, where)
            for rule, nodes in page.evaluate(AXE_RUN, rules)
            for where in nodes
        ]
        found += _too_wide(page, name, looked_at)
        found += [Finding(name, looked_at, "text is squeezed", where) for where in page.evaluate(SQUEEZED)]
    return found


def stretch(page: Page, name: str, screens: Sequence[tuple[Any, str, str]] = SCREENS) -> list[Finding]:
    """Narrow and middling screens, wider spaces in the text, twice the size: nothing sticks out or is cut."""
    found = []
    for screen, css, looked_at in screens:
        page.set_viewport_size(screen)
        page.evaluate(STYLE, css)
        found += _too_wide(page, name, looked_at)
        found += [Finding(name, looked_at, "text is cut off", where) for where in page.evaluate(CLIPPED)]
    page.evaluate(STYLE, "")
    return found


def enlarge(page: Page, traffic: Traffic, name: str) -> list[Finding]:
    """Letters twice as large, as somebody sets them in the browser: nothing sticks out or is cut."""
    page.set_viewport_size(DESK)
    traffic.line.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    found = _too_wide(page, name, "text at 200 %")
    found += [Finding(name, "text at 200 %", "text is cut off", where) for where in page.evaluate(CLIPPED)]
    traffic.line.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
    return found


def print_out(page: Page, name: str) -> list[Finding]:
    """The page on A4, from a dark screen: all of it is there, dark on white, and nothing to press."""
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print", color_scheme="dark")
    found = _too_wide(page, name, "on paper")
    found += [Finding(name, "on paper", "text is cut off", where) for where in page.evaluate(CLIPPED)]
    found += [Finding(name, "on paper", "of no use", where) for where in page.evaluate(USELESS_ON_PAPER)]
    page.emulate_media(media="screen", color_scheme="light")
    return found


def _too_wide(page: Page, name: str, looked_at: str) -> list[Finding]:
    excess = page.evaluate(TOO_WIDE)
    return [Finding(name, looked_at, f"{excess} px too wide")] if excess > 0 else []


def _but_the_answer_itself(said: list[str]) -> list[str]:
    """Chromium notes that the page came with 404; that is what was asked for."""
    return [words for words in said if not words.startswith("Failed to load resource: the server responded")]
