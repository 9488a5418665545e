"""What the style guide shows: the colours with their measured contrast, and a sample of each component."""

from collections.abc import Sequence
from typing import NamedTuple

from config.brand import Brand
from config.colours import contrast, hex_of_oklch
from config.palette import EDGE, PAIRS, Shade, roles

ICONS = (
    "balance",
    "history",
    "card",
    "transfer",
    "invite",
    "message",
    "profile",
    "orders",
    "clock",
    "check",
    "warning",
    "info",
    "plus",
    "minus",
    "gift",
    "mail",
    "qr",
    "chevron",
    "close",
    "menu",
    "help",
    "console",
    "home",
)
TYPE_STEPS = ("2xl", "xl", "l", "m", "s", "xs")
SPACES = ("1", "2", "3", "4", "5", "6", "12")


class Sample(NamedTuple):
    """One colour on another in one scheme: as screens show both, and their contrast."""

    front: str
    back: str
    contrast: str


class Pair(NamedTuple):
    """Two roles that meet, and the least contrast that they must keep."""

    front: str
    back: str
    least: str
    is_edge: bool
    light: Sample
    dark: Sample


class SampleTier(NamedTuple):
    """A tier in a colour that is hard to show."""

    name: str
    colour: str


SAMPLE_TIERS = (
    SampleTier("#ffffff", "#ffffff"),
    SampleTier("#101318", "#101318"),
    SampleTier("#ffe600", "#ffe600"),
    SampleTier("#9fb0c8", "#9fb0c8"),
)


def pairs_of(brand: Brand) -> Sequence[Pair]:
    """Every pair of roles as this brand has it."""
    found = []
    for front, back, least in PAIRS:
        samples = [
            _sample(brand, getattr(roles()[front], scheme), getattr(roles()[back], scheme))
            for scheme in ("light", "dark")
        ]
        found.append(Pair(front, back, f"{least:g}", least == EDGE, *samples))
    return found


def _sample(brand: Brand, front: Shade, back: Shade) -> Sample:
    ink, ground = (shade.of_brand(hue=brand.hue, vivid=brand.vivid) for shade in (front, back))
    # Cut, not rounded: 4.49 is no 4.5.
    return Sample(hex_of_oklch(ink), hex_of_oklch(ground), f"{int(contrast(ink, ground) * 10) / 10:.1f}")
