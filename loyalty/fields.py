"""Form fields for points and for other numbers that people type."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

# What people and other programs put between the digits: a space, no-break, narrow or thin.
SPACES = str.maketrans("", "", "\u0020\u00a0\u202f\u2009")
POINTS = re.compile(r"[0-9]{1,9}")
TOO_LONG = re.compile(r"[0-9]{10,}")
NEGATIVE = re.compile(r"[-\u2212\u2013][0-9]+")
WITH_SEPARATOR = re.compile(r"[0-9]*[.,][0-9.,]*")
LETTER = re.compile(r"[^\W\d_]")
ASCII_LETTER = re.compile(r"[A-Za-z]")
NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
TWO_MARKS = re.compile(r"[0-9]*(?:[.,][0-9]*){2,}|[0-9]+[.,]|[.,][0-9]+")
HUNDRED_PERCENT = Decimal(100)


class Bound(NamedTuple):
    """A limit, and the sentence for who goes beyond it."""

    points: int
    sentence: str


class PointsField(forms.Field):
    """A whole number of points above 0, as a person types it: "1500" or "1 500".

    Everything else is refused with a text of its own, and is shown again as it was typed. `least`
    and `most` narrow it further.
    """

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    default_error_messages = {
        "required": _("Enter how many points."),
        "zero": _("Enter 1 point or more."),
        "negative": _("Enter the number without a minus."),
        "separator": _("Enter whole points, without a comma or a full stop: 1500."),
        "letters": _("Enter the number in digits only, without letters: 1500."),
        "other_digits": _("Enter the number in the digits from 0 to 9."),
        "too_long": _("Enter a number of at most 9 digits."),
        "invalid": _("Enter the number in digits only, such as 1500."),
    }

    def __init__(self, *, least: Bound | None = None, most: Bound | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = least
        self.most = most

    def to_python(self, value: Any) -> int | None:
        """The number that was typed; None where nothing was."""
        typed = str(value or "").translate(SPACES)
        if not typed:
            return None
        if not POINTS.fullmatch(typed):
            raise self._refusal(_why_not(typed))
        if not int(typed):
            raise self._refusal("zero")
        return int(typed)

    def validate(self, value: Any) -> None:
        """Refuse a number beyond the limits."""
        super().validate(value)
        if value is None:
            return
        if self.least and value < self.least.points:
            raise ValidationError(self.least.sentence, code="least")
        if self.most and value > self.most.points:
            raise ValidationError(self.most.sentence, code="most")

    def _refusal(self, code: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code)


class NumberField(forms.Field):
    """A number from 0 on, as a person types it: "1 500", "1,25" and "1.25".

    A comma and a full stop are the same decimal mark. It has at most `places` decimal places and is
    at most `most`; what is no such number is refused with a text of its own, and is shown again as it
    was typed.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {
        "required": _("Enter a number."),
        "negative": _("Enter the number without a minus."),
        "marks": _("Enter the number with a single comma or full stop, such as 1,25."),
        "letters": _("Enter the number in digits only, without letters."),
        "other_digits": _("Enter the number in the digits from 0 to 9."),
        "whole": _("Enter a whole number, without a comma or a full stop."),
        "invalid": _("Enter the number in digits only."),
    }

    def __init__(self, *, most: Decimal, places: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most
        self.places = places
        if not places:
            self.widget.attrs["inputmode"] = "numeric"

    def to_python(self, value: Any) -> Any:
        """The number that was typed, a Decimal; None where nothing was."""
        typed = self.stripped(str(value or ""))
        if not typed:
            return None
        if not NUMBER.fullmatch(typed):
            code = _why_no_number(typed)
            raise ValidationError(self.error_messages[code], code=code)
        _whole, _mark, decimals = typed.replace(",", ".").partition(".")
        # Also where they are zeros: "25.000" may be meant as twenty-five thousand.
        if len(decimals) > self.places:
            raise self._too_fine()
        number = Decimal(typed.replace(",", "."))
        if number > self.most:
            text = _("Enter a number of at most %(most)s.")
            raise ValidationError(text, code="most", params={"most": self.shown(self.most)})
        return number

    def prepare_value(self, value: Any) -> Any:
        """A number as it can be typed again; what was typed is left as it is."""
        return self.shown(Decimal(value)) if isinstance(value, Decimal | int) else value

    def stripped(self, typed: str) -> str:
        """What was typed without what people put around and between the digits."""
        return typed.translate(SPACES)

    def shown(self, number: Decimal) -> str:
        """The number in groups of three, as Russian and English readers alike can type it."""
        exact = format(number.normalize(), "f")
        whole, _mark, decimals = exact.partition(".")
        # A comma between the groups would be read as a decimal mark.
        groups = f"{int(whole):,}".replace(",", "\u00a0")
        return groups + (get_format("DECIMAL_SEPARATOR") + decimals if decimals else "")

    def _too_fine(self) -> ValidationError:
        if not self.places:
            return ValidationError(self.error_messages["whole"], code="whole")
        text = ngettext(
            "Enter the number with at most %(count)s decimal place.",
            "Enter the number with at most %(count)s decimal places.",
            self.places,
        )
        return ValidationError(text % {"count": self.places}, code="places")


class WholeNumberField(NumberField):
    """A whole number from 0 on: days, months, points where 0 has a meaning."""

    def to_python(self, value: Any) -> int | None:
        """The number that was typed; None where nothing was."""
        number = super().to_python(value)
        return None if number is None else int(number)


class PercentField(NumberField):
    """A share as people say it, in percent: "5" and "5 %" are the share 0.05.

    With two decimal places of a percent, the share has four.
    """

    def __init__(self, *, most: Decimal = HUNDRED_PERCENT, **kwargs: Any) -> None:
        super().__init__(most=most, places=2, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:
        """The share that was typed, 0.05 for 5 percent; None where nothing was."""
        percent = super().to_python(value)
        return None if percent is None else percent / 100

    def prepare_value(self, value: Any) -> Any:
        """A share in percent; what was typed is left as it is."""
        return super().prepare_value(value * 100 if isinstance(value, Decimal | int) else value)

    def stripped(self, typed: str) -> str:
        """What was typed, also with a percent sign behind it."""
        return super().stripped(typed).removesuffix("%")


def _why_not(typed: str) -> str:
    """Which of the field's error messages fits what is no number of points."""
    if TOO_LONG.fullmatch(typed):
        return "too_long"
    if NEGATIVE.fullmatch(typed):
        return "negative"
    if WITH_SEPARATOR.fullmatch(typed):
        return "separator"
    if ASCII_LETTER.search(typed):
        return "letters"
    if any(sign.isdecimal() and not sign.isascii() for sign in typed):
        return "other_digits"
    return "invalid"


def _why_no_number(typed: str) -> str:
    """Which of the error messages fits what is no number with or without decimal places."""
    if typed[0] in "-\u2212\u2013":
        return "negative"
    if TWO_MARKS.fullmatch(typed):
        return "marks"
    if LETTER.search(typed):
        return "letters"
    if any(sign.isdecimal() and not sign.isascii() for sign in typed):
        return "other_digits"
    return "invalid"
