"""How a company makes the pages its own: a name, a logo and one colour, from the settings.

The colour gives a hue and a strength; the lightness of every role stays as static/css/base.css has it, and
with it the contrast. What is sent is named by its hash, so that browsers keep it for ever.
"""

import hashlib
import re
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse

from config.colours import hex_of_oklch, most_chroma, oklch_of_hex
from config.palette import FULL_CHROMA, HUE, VIVID, roles

MARK = Path(__file__).resolve().parent.parent / "static" / "img" / "mark.svg"
# The colour of the mark as it is drawn.
MARK_COLOUR = "#4b3fd6"
LOGO_HEIGHT, LOGO_MOST_WIDTH = 32, 112
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
# Greys have no hue: what a colour this weak calls its hue is chance.
GREY_CHROMA = 0.015
PNG_SIZE = struct.Struct(">II")
SVG_SIZE = re.compile(rb"<svg\b[^>]*?\bviewBox=[\"'][-\d.eE]+[ ,]+[-\d.eE]+[ ,]+([\d.]+)[ ,]+([\d.]+)")


@dataclass(frozen=True)
class Brand:
    """What the settings say of the brand. An empty accent is Ballada's own; an empty logo is the mark."""

    name: str
    accent: str
    logo: str

    @cached_property
    def hue(self) -> float:
        """In degrees."""
        return round(oklch_of_hex(self.accent).hue, 1) if self.accent else HUE

    @cached_property
    def vivid(self) -> float:
        """From 0, a grey brand, to 1."""
        if not self.accent:
            return VIVID
        chroma = oklch_of_hex(self.accent).chroma
        if chroma < GREY_CHROMA:
            return 0.0
        # Browsers cut off what no screen can show, and that turns the hue: a strong orange would be red.
        most = most_chroma(lightness=roles()["accent"].light.lightness, hue=self.hue)
        return round(min(chroma, most, FULL_CHROMA) / FULL_CHROMA, 2)

    @cached_property
    def stylesheet(self) -> str:
        """What turns the roles to the brand's colour."""
        return f"@layer tokens {{ :root {{ --hue: {self.hue}; --vivid: {self.vivid}; }} }}\n"

    @cached_property
    def mark(self) -> str:
        """Ballada's mark in the brand's colour."""
        return MARK.read_text().replace(MARK_COLOUR, self.accent_colour)

    @cached_property
    def logo_bytes(self) -> bytes:
        """The file, as it was when the server started."""
        return Path(self.logo).read_bytes()

    @property
    def logo_type(self) -> str:
        """As browsers are told it."""
        return LOGO_TYPES[Path(self.logo).suffix.lower()]

    @cached_property
    def logo_width(self) -> int:
        """How wide it stands in the header at its height, in pixels: its room is kept while it comes."""
        width, height = _size(self.logo_bytes)
        return min(LOGO_MOST_WIDTH, round(LOGO_HEIGHT * width / height))

    @property
    def accent_colour(self) -> str:
        """The accent as buttons have it in light, for what knows no custom properties: letters, icons."""
        return self._shown("accent", is_dark=False)

    @property
    def header_colours(self) -> tuple[str, str]:
        """The ground of the header in light and in dark: browsers paint their own edge with it."""
        return self._shown("surface", is_dark=False), self._shown("surface", is_dark=True)

    @cached_property
    def stylesheet_url(self) -> str:
        """Where the stylesheet is, or nothing where Ballada's own colour stays."""
        return _kept(reverse("brand_stylesheet"), self.stylesheet.encode()) if self.accent else ""

    @cached_property
    def logo_url(self) -> str:
        """Where the logo is, or nothing."""
        return _kept(reverse("brand_logo"), self.logo_bytes) if self.logo else ""

    @property
    def icon_url(self) -> str:
        """What stands on the browser's tab: the logo, or the mark in the brand's colour."""
        if self.logo:
            return self.logo_url
        if self.accent:
            return _kept(reverse("brand_mark"), self.mark.encode())
        return static("img/mark.svg")

    def _shown(self, role: str, *, is_dark: bool) -> str:
        shade = roles()[role].dark if is_dark else roles()[role].light
        return hex_of_oklch(shade.of_brand(hue=self.hue, vivid=self.vivid))


def brand() -> Brand:
    """The brand of this programme."""
    wanted = Brand(settings.PROGRAMME_NAME, settings.ACCENT, settings.LOGO)
    return _made.setdefault(wanted, wanted)


def version(content: bytes) -> str:
    """The hash that an address carries."""
    return hashlib.sha256(content).hexdigest()[:12]


_made: dict[Brand, Brand] = {}


def _kept(address: str, content: bytes) -> str:
    return f"{address}?v={version(content)}"


def _size(picture: bytes) -> tuple[float, float]:
    """Width and height, in whatever unit; a drawing that says neither is taken for a square."""
    if picture.startswith(b"\x89PNG"):
        width, height = PNG_SIZE.unpack_from(picture, 16)
    elif found := SVG_SIZE.search(picture):
        width, height = float(found[1]), float(found[2])
    else:
        return 1, 1
    return (width, height) if width and height else (1, 1)
