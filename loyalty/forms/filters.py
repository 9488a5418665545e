"""Filters of lists: forms that are sent by GET, whose every field may be left empty."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from loyalty.templatetags.numbers import day_text

NO_SUCH_DAY = gettext_lazy("There is no such day. Write it like this: 31.12.2026.")
# The day before the calendar's first one, and the day after its last, would be none.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
BEYOND = gettext_lazy("Choose a day of the years 2000 to 2099.")


@dataclass(frozen=True)
class Tag:
    """One part of a filter in words, and the query of the same list without it."""

    text: str
    query_without: str


class DayField(forms.DateField):
    """A day from the browser's calendar, or as people write it."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    input_formats = ("%Y-%m-%d", "%d.%m.%Y")

    def __init__(self, **more: Any) -> None:
        super().__init__(
            required=False,
            error_messages={"invalid": NO_SUCH_DAY},
            validators=[MinValueValidator(FIRST_DAY, BEYOND), MaxValueValidator(LAST_DAY, BEYOND)],
            **more,
        )


class FilterForm(forms.Form):
    """A filter with a period of days, its parts in words, and the addresses of lists with others."""

    # What has a default is no part of the filter: it hides nothing.
    NO_PARTS: ClassVar[Sequence[str]] = ()

    def __init__(self, data: Mapping[str, Any], **choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(data)
        self.use_required_attribute = False
        for name, own in choices.items():
            field = cast(forms.ChoiceField, self.fields[name])
            field.choices = [*_choices(field), *own]
        # A calendar shows no day that does not exist, so a text field keeps what was typed.
        for name in ("since", "until"):
            if name in self.errors:
                self.fields[name].widget.input_type = "text"

    def clean(self) -> dict[str, Any]:
        """Both ends of the period, in their order."""
        values = super().clean() or {}
        since_on, until_on = values.get("since"), values.get("until")
        if since_on and until_on and until_on < since_on:
            self.add_error("until", _("The period ends before it begins."))
        return values

    def query(self, **changes: object) -> str:
        """The filter as the query of an address, such as “?tier=1”; empty when there is none."""
        values = {name: self.data.get(name) for name in self.fields} | changes
        given = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return f"?{urlencode(given)}" if given else ""

    def is_set(self) -> bool:
        """Whether the filter leaves anything out."""
        return any(
            value not in (None, "") for name, value in self.cleaned_data.items() if name not in self.NO_PARTS
        )

    def tags(self) -> list[Tag]:
        """Each part of the filter that is set, in words."""
        values = self.cleaned_data
        found = [
            Tag(self.choice_text(field, dict(_choices(field))[values[name]]), self.query(**{name: None}))
            for name, field in self.fields.items()
            if isinstance(field, forms.ChoiceField) and values[name] and name not in self.NO_PARTS
        ]
        if values.get("since") or values.get("until"):
            text = period_text(values["since"], values["until"])
            found.append(Tag(text, self.query(since=None, until=None)))
        return found

    def choice_text(self, field: forms.ChoiceField, choice: str) -> str:
        """What was chosen in a field, in words."""
        return f"{field.label}: {choice}"


def period_text(since_on: date | None, until_on: date | None) -> str:
    """A period in words, open at one end where that is None."""
    if since_on is None:
        return pgettext("a period", "until %(day)s") % {"day": day_text(until_on)} if until_on else ""
    if until_on is None:
        return pgettext("a period", "from %(day)s") % {"day": day_text(since_on)}
    if since_on == until_on:
        return day_text(since_on)
    return f"{day_text(since_on)} – {day_text(until_on)}"


def _choices(field: forms.ChoiceField) -> list[tuple[str, str]]:
    return list(cast("Iterable[tuple[str, str]]", field.choices))
