"""How the console says counts that change, and parts of a whole."""

from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from loyalty.templatetags.numbers import PERCENT_FORMATS, figures, in_language, signed

register = template.Library()

TENTH = Decimal("0.1")


@register.filter
def signed_figures(number: int) -> SafeString:
    """The signed digits for the eye, and the words "minus 412" for a screen reader."""
    if number == 0:
        return format_html("{}", figures(0))
    spoken = gettext("plus %(number)s") if number > 0 else gettext("minus %(number)s")
    return format_html(
        '<span aria-hidden="true">{}</span><span class="visually-hidden">{}</span>',
        signed(number),
        spoken % {"number": figures(abs(number))},
    )


@register.filter
def less(number: int, other: int) -> int:
    """The one less the other."""
    return number - other


@register.filter
def share_of(part: int, whole: int) -> str:
    """Which part of a whole it is, in percent to a tenth: "1.7%"; more than nothing is never "0%"."""
    tenths = _tenths(part, whole)
    if part and whole and not tenths:
        return gettext("less than %(share)s") % {"share": _percent(TENTH)}
    return _percent(tenths.quantize(Decimal(1)) if tenths == tenths.to_integral_value() else tenths)


@register.filter
def change_share(now: int, then: int) -> str:
    """How much more or less it is than now, in percent with its sign; nothing where there is none now."""
    if not now or now == then:
        return ""
    if not _tenths(then - now, now):
        return share_of(then - now, now)
    sign = "+" if then > now else "\u2212"
    return sign + share_of(then - now, now)


def _tenths(part: int, whole: int) -> Decimal:
    exact = Decimal(abs(part)) * 100 / whole if whole else Decimal(0)
    return exact.quantize(TENTH, rounding=ROUND_HALF_UP)


def _percent(share: Decimal) -> str:
    return in_language(PERCENT_FORMATS).format(figures(share))
