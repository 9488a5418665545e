"""The brand block: what it changes, what it refuses, and that no colour of a company costs contrast."""

import re
from itertools import product

import pytest
from django.test import Client

from config.brand import Brand, brand
from config.colours import Oklch, contrast, hex_of_oklch, oklch_of_hex
from config.palette import BASE_CSS, FULL_CHROMA, HUE, PAIRS, VIVID, roles
from tests.config.test_environment import start
from tests.pages import Page

HUES = range(0, 360, 2)
STRENGTHS = (0, 0.25, 0.5, 0.75, 1)
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 32"><path d="M0 0h96v32H0z"/></svg>'
LOGIN = "/accounts/login/"


@pytest.mark.parametrize(
    ("colour", "looks"),
    [
        ("#ffffff", (1.0, 0.0, None)),
        ("#000000", (0.0, 0.0, None)),
        ("#ff0000", (0.628, 0.258, 29.2)),
        ("#0000ff", (0.452, 0.313, 264.1)),
        ("#008000", (0.52, 0.177, 142.5)),
    ],
)
def test_colours_are_read_as_browsers_read_them(colour, looks):
    found = oklch_of_hex(colour)

    assert (round(found.lightness, 3), round(found.chroma, 3)) == looks[:2]
    assert looks[2] is None or round(found.hue, 1) == pytest.approx(looks[2], abs=0.3)
    assert hex_of_oklch(found) == colour


def test_contrast_is_that_of_the_standard():
    black, white, grey = (oklch_of_hex(colour) for colour in ("#000000", "#ffffff", "#767676"))

    assert round(contrast(black, white), 1) == 21.0
    assert round(contrast(grey, white), 2) == 4.54
    # More than a screen can show is cut off, and does not count.
    assert contrast(Oklch(1.2, 0, 0), black) == pytest.approx(21)


def test_every_role_of_the_stylesheet_is_known():
    tokens = BASE_CSS.read_text().split("@layer base {")[0]

    written = set(re.findall(r"--([a-z-]+): (?:light-dark\()?oklch\(", tokens))
    assert set(roles()) == written
    assert {name for pair in PAIRS for name in pair[:2]} <= written
    assert roles()["accent-ink"].light != roles()["accent-ink"].dark


def test_balladas_own_accent_is_that_of_the_stylesheet():
    written = dict(re.findall(r"--(hue|vivid): ([\d.]+);", BASE_CSS.read_text()))

    assert (float(written["hue"]), float(written["vivid"])) == (HUE, VIVID)
    assert {shade.chroma for shade in roles()["accent"][1:]} == {FULL_CHROMA}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} on {pair[1]}")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accent_costs_contrast(pair, scheme):
    front, back = (getattr(roles()[name], scheme) for name in pair[:2])

    worst = min(
        (contrast(front.of_brand(hue=hue, vivid=vivid), back.of_brand(hue=hue, vivid=vivid)), hue, vivid)
        for hue, vivid in product(HUES, STRENGTHS)
    )
    assert worst[0] >= pair[2]


@pytest.mark.parametrize("accent", ["#ffee00", "#00ff88", "#ff3b30", "#101010", "#ffffff", "#8a8d91"])
def test_an_accent_gives_hue_and_strength_and_nothing_else(accent):
    made = Brand("Noon", accent, "")

    assert re.fullmatch(r"@layer tokens \{ :root \{ --hue: [\d.]+; --vivid: [\d.]+; \} \}\n", made.stylesheet)
    assert 0 <= made.hue < 360
    assert 0 <= made.vivid <= 1
    assert contrast(oklch_of_hex(made.accent_colour), oklch_of_hex("#ffffff")) >= 4.5


@pytest.mark.parametrize("accent", ["#e8590c", "#ffee00", "#00b5ad", "#0a7d38", "#c2185b"])
def test_the_button_has_the_hue_of_the_brand(accent):
    made = Brand("Noon", accent, "")

    shown = oklch_of_hex(made.accent_colour)
    assert shown.hue == pytest.approx(made.hue, abs=3)


def test_a_grey_brand_has_no_hue():
    assert Brand("Noon", "#8a8d91", "").vivid == 0


def test_without_settings_pages_are_balladas_own(db):
    page = Page(Client().get(LOGIN))

    assert not [link for link in page.values("href") if "brand" in link]
    assert page.count("img") == 0


def test_the_accent_is_asked_for_once(db, settings):
    settings.ACCENT = "#0a7d38"

    page = Page(Client().get(LOGIN))

    links = [link for link in page.values("href") if link.startswith("/brand")]
    assert [link.split("?")[0] for link in links] == ["/brand/mark.svg", "/brand.css"]
    for link in links:
        response = Client().get(link)
        assert "immutable" in response.headers["Cache-Control"]
        assert "max-age=31536000" in response.headers["Cache-Control"]
    assert f"--hue: {brand().hue};" in Client().get(links[1]).content.decode()
    assert brand().accent_colour in Client().get(links[0]).content.decode()
    # Another colour is another address.
    settings.ACCENT = "#7d0a38"
    assert links[1] not in Page(Client().get(LOGIN)).values("href")


def test_what_is_asked_for_by_an_old_address_is_not_kept(db, settings):
    settings.ACCENT = "#0a7d38"

    assert Client().get("/brand.css?v=old").headers["Cache-Control"] == "no-cache"


def test_the_browsers_edge_follows_the_brand(db, settings):
    own = Page(Client().get(LOGIN))
    settings.ACCENT = "#0a7d38"
    branded = Page(Client().get(LOGIN))

    def edges(page: Page) -> list[str]:
        return [
            attributes["content"] for _tag, attributes in page.tags if attributes.get("name") == "theme-color"
        ]

    assert edges(own)[0] == edges(branded)[0] == "#ffffff"
    assert edges(own)[1] != edges(branded)[1]


def test_the_logo_stands_beside_the_name(db, settings, tmp_path):
    logo = tmp_path / "noon.svg"
    logo.write_text(LOGO)
    settings.LOGO, settings.PROGRAMME_NAME = str(logo), "Noon"

    page = Page(Client().get(LOGIN))

    [picture] = [attributes for tag, attributes in page.tags if tag == "img"]
    assert (picture["alt"], picture["width"], picture["height"]) == ("", "96", "32")
    assert picture["src"] in page.hrefs() + page.values("href")
    answer = Client().get(picture["src"])
    assert (answer.content.decode(), answer.headers["Content-Type"]) == (LOGO, "image/svg+xml")
    assert "immutable" in answer.headers["Cache-Control"]


def test_without_a_logo_there_is_none(db):
    assert Client().get("/brand/logo").status_code == 404


def test_pages_without_a_request_wear_the_brand(db, settings):
    settings.ACCENT, settings.PROGRAMME_NAME = "#0a7d38", "Noon"

    page = Page(Client().get("/\x00"))

    assert "/brand.css" in " ".join(page.values("href"))
    assert "Noon" in page.text
    assert f"mailto:{settings.SUPPORT_EMAIL}" in page.hrefs()


@pytest.mark.parametrize("colour", ["4b3fd6", "#4b3", "indigo", "#4b3fd6;}"])
def test_what_is_no_colour_stops_the_start(colour):
    started = start(BALLADA_ACCENT=colour)

    assert started.returncode != 0
    assert f"BALLADA_ACCENT is “{colour}”, which is no colour; set it like #4b3fd6." in started.stderr


def test_what_is_no_picture_stops_the_start(tmp_path):
    text, large = tmp_path / "logo.txt", tmp_path / "large.svg"
    text.write_text("<svg")
    large.write_text(LOGO + " " * 50_000)

    missing = start(BALLADA_LOGO=str(tmp_path / "nothing.svg"))
    assert "which cannot be read; set it to the path of an SVG or PNG file." in missing.stderr
    assert "which is no such picture" in start(BALLADA_LOGO=str(text)).stderr
    assert "every page shows it, and 40 KB is the most." in start(BALLADA_LOGO=str(large)).stderr


def test_a_logo_and_a_colour_start(tmp_path):
    logo = tmp_path / "noon.svg"
    logo.write_text(LOGO)

    started = start(BALLADA_LOGO=str(logo), BALLADA_ACCENT="#0A7D38")

    assert (started.returncode, started.stderr) == (0, "")
