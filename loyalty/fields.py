"""Form fields for points."""

import re
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What people and other programs put between the digits: a space, no-break, narrow or thin.
SPACES = str.maketrans("", "", "\u0020\u00a0\u202f\u2009")
POINTS = re.compile(r"[0-9]{1,9}")
TOO_LONG = re.compile(r"[0-9]{10,}")
NEGATIVE = re.compile(r"[-\u2212\u2013][0-9]+")
WITH_SEPARATOR = re.compile(r"[0-9]*[.,][0-9.,]*")
ASCII_LETTER = re.compile(r"[A-Za-z]")


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
