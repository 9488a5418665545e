"""What the style guide shows: the colours with their measured contrast, and a sample of each component."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from accounts.kept_forms import KeptForm
from config.brand import Brand
from config.colours import contrast, hex_of_oklch
from config.palette import EDGE, PAIRS, Shade, roles
from loyalty.charts import Place, Stop, Strip, strip_chart

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

    shown_name: str
    colour: str


SAMPLE_TIERS = (
    SampleTier("#ffffff", "#ffffff"),
    SampleTier("#101318", "#101318"),
    SampleTier("#ffe600", "#ffe600"),
    SampleTier("#9fb0c8", "#9fb0c8"),
)


STOPS = (
    Stop("A", "0", "3 %", "", "#9fb0c8", Place.PASSED),
    Stop("B", "10 000", "5 %", "", "#ffe600", Place.HERE),
    Stop("C", "50 000", "7 %", "", "#101318", Place.AHEAD),
)


class SamplePage(NamedTuple):
    """A page of a list that has others on both sides."""

    newer_cursor: int = 2
    older_cursor: int = 1


def icons() -> list[str]:
    """The names of all pictures, from where they are drawn."""
    drawn = (settings.BASE_DIR / "templates/components/icon.html").read_text()
    return re.findall(r'name == "([a-z]+)"', drawn)


def kept_form() -> KeptForm:
    """What somebody typed into a form that went out of date."""
    return KeptForm(reverse("account_login"), {"login": "ada@example.com"})


def strip() -> Strip:
    """A year in which points go in three months."""
    points: dict[date | None, int] = {date(2026, month, 1): month * 40 for month in (2, 7, 10)}
    return strip_chart(points, since=date(2026, 1, 1))


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
