"""The style guide shows what there is: every icon, every pair of colours, every state of a field."""

import re

from accounts.wording import TOPIC_ICONS
from config.palette import PAIRS
from dev.check_messages import PROJECT
from supervisor.styles import icons
from tests.pages import Page

GUIDE = "/styleguide/"


def test_every_icon_is_shown(sue, client_of):
    page = Page(client_of(sue).get(GUIDE))

    assert icons()
    assert all(name in page.text for name in icons())


def test_every_icon_stands_on_some_page():
    pages = (path.read_text() for path in (PROJECT / "templates").rglob("*.html"))
    used = {name for text in pages for name in re.findall(r'icon\.html" with name="([a-z]+)"', text)}

    assert used | set(TOPIC_ICONS.values()) == set(icons())


def test_components_are_those_of_the_pages():
    guide = (path.read_text() for path in (PROJECT / "templates/supervisor/styleguide").glob("*.html"))
    shown = {name for text in guide for name in re.findall(r'include "components/([a-z/_]+)\.html"', text)}

    charts = {f"charts/{path.stem}" for path in (PROJECT / "templates/components/charts").glob("*.html")}
    assert shown >= {*charts, "empty", "field", "icon", "pager", "send_again", "tier"}


def test_every_pair_of_colours_is_measured(sue, client_of, settings):
    measured = re.compile(r"\b(?:[3-9]|1\d|2[01])\.\d\b")
    page = Page(client_of(sue).get(GUIDE))
    assert len(measured.findall(page.text)) >= 2 * len(PAIRS)

    settings.ACCENT = "#0a7d38"
    assert Page(client_of(sue).get(GUIDE)).values("fill") != page.values("fill")


def test_fields_are_shown_in_their_states(sue, client_of):
    page = Page(client_of(sue).get(GUIDE))

    fields = [found for tag, found in page.tags if tag in ("input", "select", "textarea")]
    assert any(found.get("aria-invalid") == "true" for found in fields)
    assert any("disabled" in found for found in fields)
    assert {"checkbox", "radio", "text"} <= {found.get("type") for found in fields}
    assert page.count("h1") == 1


def test_a_tier_is_told_by_its_name_and_not_by_its_colour(sue, client_of):
    content = client_of(sue).get(GUIDE).content.decode()

    for tier in re.findall(r'<span class="tier">(.*?)</span>', content, flags=re.DOTALL):
        assert 'aria-hidden="true"' in tier
        assert re.sub(r"<[^>]+>", "", tier).strip()
