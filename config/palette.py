"""The colour roles of the pages, read from where they are written: the first layer of static/css/base.css."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from config.colours import Oklch

BASE_CSS = Path(__file__).resolve().parent.parent / "static" / "css" / "base.css"
ROLE = re.compile(
    r"^ *--(?P<name>[a-z-]+): (?:light-dark\((?P<both>oklch.+)\)|(?P<one>oklch.+));$", re.MULTILINE
)
COLOUR = re.compile(
    r"oklch\((?P<lightness>[\d.]+) (?:(?P<chroma>[\d.]+)|calc\((?P<vivid>[\d.]+) \* var\(--vivid\)\))"
    r" (?:(?P<hue>[\d.]+)|var\(--hue\)|calc\(var\(--hue\) \+ (?P<turn>[\d.]+)\))\)"
)
# The hue and the strength of Ballada's own accent.
HUE, VIVID = 272.0, 1.0
# The chroma of an accent that is as strong as the roles allow.
FULL_CHROMA = 0.19


class Shade(NamedTuple):
    """A colour of a role in one of the two schemes, before a brand has given its hue and strength."""

    lightness: float
    chroma: float
    hue: float
    follows_brand: bool

    def of_brand(self, *, hue: float, vivid: float) -> Oklch:
        """The colour that browsers make of it."""
        if not self.follows_brand:
            return Oklch(self.lightness, self.chroma, self.hue)
        return Oklch(self.lightness, self.chroma * vivid, hue + self.hue)


class Role(NamedTuple):
    """What a colour is for, with what it is in light and in dark."""

    name: str
    light: Shade
    dark: Shade


# What stands on what, and the least contrast: 4.5 for text, 3 for what shows where a control is.
TEXT, EDGE = 4.5, 3.0
GROUNDS = ("surface", "ground", "raised")
PAIRS = (
    *(
        (ink, ground, TEXT)
        for ink in ("ink", "ink-soft", "accent-ink")
        for ground in (*GROUNDS, "accent-soft")
    ),
    *((ink, ground, TEXT) for ink in ("plus", "warn", "bad") for ground in GROUNDS),
    ("plus", "good-soft", TEXT),
    ("warn", "warn-soft", TEXT),
    ("bad", "bad-soft", TEXT),
    ("urgent", "urgent-soft", TEXT),
    ("ink", "good-soft", TEXT),
    ("ink", "warn-soft", TEXT),
    ("ink", "bad-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    *((ink, card, TEXT) for ink in ("on-accent", "on-card") for card in ("card", "card-deep", "card-glow")),
    ("edge", "surface", EDGE),
    ("edge", "ground", EDGE),
    ("edge", "raised", EDGE),
)


@cache
def roles() -> dict[str, Role]:
    """Every colour role by its name, in the order of the file."""
    tokens = BASE_CSS.read_text().split("@layer base {")[0]
    found = {}
    for match in ROLE.finditer(tokens):
        shades = [_shade(colour) for colour in COLOUR.finditer(match["both"] or match["one"])]
        found[match["name"]] = Role(match["name"], shades[0], shades[-1])
    return found


def _shade(colour: re.Match[str]) -> Shade:
    return Shade(
        float(colour["lightness"]),
        float(colour["vivid"] or colour["chroma"]),
        float(colour["hue"] or colour["turn"] or 0),
        follows_brand=colour["vivid"] is not None,
    )
