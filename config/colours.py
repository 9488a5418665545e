"""Colours as people see them (OKLCH) and as screens show them (sRGB), and how well two of them contrast.

The matrices are those of CSS Color 4; the contrast is that of WCAG 2.
"""

import re
from math import atan2, cos, degrees, hypot, radians, sin
from typing import NamedTuple

HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Oklch(NamedTuple):
    """Lightness from 0 to 1, chroma from 0 (grey) on, hue in degrees."""

    lightness: float
    chroma: float
    hue: float


def oklch_of_hex(colour: str) -> Oklch:
    """What `#rrggbb` looks like."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return Oklch(lightness, hypot(a, b), degrees(atan2(b, a)) % 360)


def hex_of_oklch(colour: Oklch) -> str:
    """As `#rrggbb`; what no screen can show is cut off channel by channel, as browsers do it."""
    return "#" + "".join(f"{round(_gamma(part) * 255):02x}" for part in _channels(colour))


def contrast(one: Oklch, other: Oklch) -> float:
    """From 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def most_chroma(*, lightness: float, hue: float) -> float:
    """The strongest that screens can show of a hue at a lightness, to a thousandth."""
    steps = (step / 1000 for step in range(1, 400))
    beyond = (step for step in steps if not _is_shown(Oklch(lightness, step, hue)))
    return next(beyond) - 0.001


def _is_shown(colour: Oklch) -> bool:
    return all(0 <= part <= 1 for part in _light(colour))


def _luminance(colour: Oklch) -> float:
    red, green, blue = _channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: Oklch) -> tuple[float, ...]:
    """Linear light of red, green and blue, each cut off to what a screen can show."""
    return tuple(min(1.0, max(0.0, part)) for part in _light(colour))


def _light(colour: Oklch) -> tuple[float, float, float]:
    a = colour.chroma * cos(radians(colour.hue))
    b = colour.chroma * sin(radians(colour.hue))
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
