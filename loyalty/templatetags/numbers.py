"""Points, money, shares and dates as people read them.

Digits and unit are joined by a no-break space, a minus is U+2212, and the plural form is chosen
by the absolute number: gettext alone would print "-1 баллов".
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, Protocol

from babel.dates import get_timezone_location
from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

register = template.Library()

NO_BREAK_SPACE = "\u00a0"
MINUS = "\u2212"
CURRENCY_SIGN = "₽"
KEPT_TEXTS = 4096
KOPECK = Decimal("0.01")
# A number of an order, whose hyphen a browser breaks lines at; a long one may have to be broken.
NUMBER_WITH_HYPHEN = re.compile(r"((?<![\w-])(?=[\w-]{3,20}(?![\w-]))[\w-]*-\d[\w-]*)")

# Formats by language; E is the month in the genitive, F the one that stands alone.
DAY_FORMATS = {"ru": "j E Y г.", "en": "j F Y"}
MOMENT_FORMATS = {"ru": "j E Y, H:i", "en": "j F Y, H:i"}
MONTH_FORMATS = {"ru": "F Y", "en": "F Y"}
SHORT_MONTH_FORMATS = {"ru": "b", "en": "M"}
PERCENT_FORMATS = {"ru": "{}" + NO_BREAK_SPACE + "%", "en": "{}%"}


class Expiry(Protocol):
    """Points that expire together; `expires_on` is None for those that never do."""

    @property
    def expires_on(self) -> date | None: ...

    @property
    def points(self) -> int: ...


class ExpiryMonth(NamedTuple):
    """What expires in the month that begins on `month`, day by day; None is "never"."""

    month: date | None
    points: int
    days: list[Expiry]


@register.filter
def figures(number: int | Decimal) -> str:
    """The number in groups of three: 12 345, −1 000, 12,5."""
    digits = number_format(abs(Decimal(number)), use_l10n=True, force_grouping=True)
    return f"{MINUS}{digits}" if number < 0 else digits


@register.filter
def points(number: int) -> str:
    """The points with their unit: "12 345 points", "−1 point"."""
    return _points_in(get_language(), number)


# A page with a year of expiries has hundreds of such texts, most of them again and again.
@lru_cache(maxsize=KEPT_TEXTS)
def _points_in(language: str, number: int) -> str:
    return points_template(number) % {"count": figures(number)}


@register.filter
def points_large(number: int) -> SafeString:
    """The same phrase as `points` with the digits in a tag of their own, to be set large."""
    return format_html(
        points_template(number).replace("%(count)s", "{}"), format_html("<b>{}</b>", figures(number))
    )


@register.filter
def signed_points(number: int) -> SafeString:
    """The signed digits for the eye and the words "minus 500 points" for a screen reader."""
    if number == 0:
        spoken = points(0)
    elif number < 0:
        spoken = gettext("minus %(points)s") % {"points": points(-number)}
    else:
        spoken = gettext("plus %(points)s") % {"points": points(number)}
    return format_html(
        '<span aria-hidden="true">{}</span><span class="visually-hidden">{}</span>', signed(number), spoken
    )


@register.filter
def taken_points(number: int) -> SafeString:
    """As `signed_points`, of a number that says how many points went."""
    return signed_points(-number)


@register.filter
def money(amount_sum: Decimal) -> str:
    """The sum in the programme's currency, without kopecks when there are none; never rounded up."""
    exact = Decimal(amount_sum).quantize(KOPECK, rounding=ROUND_DOWN)
    decimals = 0 if exact == exact.to_integral_value() else 2
    digits = number_format(abs(exact), decimals, use_l10n=True, force_grouping=True)
    sign = MINUS if exact < 0 else ""
    return f"{sign}{digits}{NO_BREAK_SPACE}{CURRENCY_SIGN}"


@register.filter
def rate(share: Decimal) -> str:
    """The share in percent: 0.05 is "5%", and "5 %" in Russian."""
    percent = (Decimal(share) * 100).normalize()
    if percent == percent.to_integral_value():
        percent = percent.quantize(Decimal(1))
    return in_language(PERCENT_FORMATS).format(figures(percent))


@register.filter
def day(value: date) -> SafeString:
    """The day in the programme's zone, as a <time>."""
    return _day_in(get_language(), local_date(value))


@lru_cache(maxsize=KEPT_TEXTS)
def _day_in(language: str, on: date) -> SafeString:
    return format_html('<time class="nowrap" datetime="{}">{}</time>', on.isoformat(), day_text(on))


@register.filter
def day_heading(value: date, now: datetime | None = None) -> SafeString:
    """The day as a heading: today and yesterday are named, and keep their date."""
    on = local_date(value)
    age_days = (local_date(now or timezone.now()) - on).days
    text = day_text(on)
    if age_days == 0:
        text = gettext("Today, %(day)s") % {"day": text}
    elif age_days == 1:
        text = gettext("Yesterday, %(day)s") % {"day": text}
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), text)


@register.filter
def moment(value: datetime) -> SafeString:
    """The moment in the programme's zone, to the minute, as a <time>."""
    at = timezone.localtime(value)
    return format_html(
        '<time class="nowrap" datetime="{}">{}</time>', at.isoformat(timespec="seconds"), moment_text(value)
    )


@register.filter
def clock(value: datetime) -> SafeString:
    """The hour and minute in the programme's zone, where the day stands above, as a <time>."""
    at = timezone.localtime(value)
    return format_html(
        '<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), format_date(at, "H:i")
    )


@register.filter
def lies_ahead(at: datetime) -> bool:
    """Whether the moment has not come yet."""
    return at > timezone.now()


@register.filter
def days_left(on: date) -> int:
    """How many days there are from today to that day; 0 on the day itself."""
    return (on - timezone.localdate()).days


@register.filter
def version_day(version: str) -> str:
    """The version of a text that is named by its day, as that day; any other as it is."""
    try:
        return day(date.fromisoformat(version))
    except ValueError:
        return version


@register.filter
def whole_numbers(text: str) -> SafeString:
    """The text with its numbers like W-00730 each kept in one line."""
    parts = NUMBER_WITH_HYPHEN.split(text)
    return format_html_join(
        "",
        "{}{}",
        (
            (part, format_html('<span class="nowrap">{}</span>', number)) if number else (part, "")
            for part, number in zip(parts[::2], [*parts[1::2], ""], strict=True)
        ),
    )


@register.filter
def month(value: date) -> str:
    """The month and year as they stand alone: "December 2026"."""
    text = format_date(value, in_language(MONTH_FORMATS))
    return text[:1].upper() + text[1:]


@register.filter
def month_short(value: date) -> str:
    """The month in three letters, as it stands below a column: "Dec"; a January tells its year, too."""
    text = format_date(value, in_language(SHORT_MONTH_FORMATS))
    return f"{text} {value.year}" if value.month == 1 else text


@register.filter
def seconds(duration: timedelta) -> str:
    """How long something took, to a tenth of a second: "12.4 s"."""
    tenths = round(Decimal(duration.total_seconds()), 1)
    digits = number_format(tenths, 1, use_l10n=True, force_grouping=True)
    return gettext("%(seconds)s s").replace(" ", NO_BREAK_SPACE) % {"seconds": digits}


@register.filter
def by_month(expiries: Iterable[Expiry]) -> list[ExpiryMonth]:
    """The expiries, given in order of their days, with the sum of each month."""
    return [
        ExpiryMonth(month=first, points=sum(one.points for one in days), days=days)
        for first, group in groupby(
            expiries, key=lambda one: one.expires_on.replace(day=1) if one.expires_on else None
        )
        for days in [list(group)]
    ]


@register.simple_tag
def zone_place() -> str:
    """The place whose clock the programme goes by: "Moscow"."""
    return get_timezone_location(timezone.get_current_timezone_name(), get_language(), return_city=True)


def points_template(number: int) -> str:
    """The phrase for that many points, with %(count)s where the digits go."""
    template_text = ngettext("%(count)s point", "%(count)s points", abs(number))
    return template_text.replace(" ", NO_BREAK_SPACE)


def signed(number: int) -> str:
    """The digits with a plus or a minus; zero has neither."""
    return f"+{figures(number)}" if number > 0 else figures(number)


def day_text(on: date) -> str:
    """The day in words."""
    return format_date(on, in_language(DAY_FORMATS))


def moment_text(at: datetime) -> str:
    """The moment in the programme's zone, to the minute, in words."""
    return format_date(timezone.localtime(at), in_language(MOMENT_FORMATS))


def local_date(value: date) -> date:
    """The date itself, or the date of an aware moment in the programme's zone."""
    return timezone.localdate(value) if isinstance(value, datetime) else value


def in_language(formats: dict[str, str]) -> str:
    """The format for the active language; English where there is no other."""
    return formats.get((get_language() or "en")[:2], formats["en"])
