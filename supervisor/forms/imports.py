"""Forms for files of orders: the file itself, how it is read, and what is imported of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms import BoundField
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from orders.errors import SourceCodeTaken
from orders.imports.guessing import DATE_FORMATS
from orders.imports.mapping import (
    FIELD_NAMES,
    OUTLET_LETTERS,
    PERSON_FIELDS,
    ColumnMapping,
    is_source_code,
)
from orders.models import Source
from supervisor.forms.keys import NEW_SOURCE
from supervisor.queries.imports import live_sources
from supervisor.services.imports import MOST_MEGABYTES

SOURCE_NAME_LETTERS = 100
EXAMPLE = datetime(2026, 12, 31, 18, 30, tzinfo=UTC)
SEPARATOR_NAMES = {
    "comma": _("comma ,"),
    "semicolon": _("semicolon ;"),
    "tab": _("tab"),
    "whitespace": _("spaces"),
    "pipe": _("bar |"),
}
ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "cp1251": "Windows-1251",
    "utf-16": "UTF-16",
    "koi8-r": "KOI8-R",
    "cp866": "DOS 866",
}


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=_("File"),
        help_text=format_lazy(
            _("A CSV file, as a shop’s export or a spreadsheet saves it. At most {count} MB."),
            count=MOST_MEGABYTES,
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("There are no orders in this file."),
            "missing": _("Choose a file."),
            "invalid": _("Choose a file."),
            "max_length": ngettext_lazy(
                "The name of the file has more than %(max)d letter. Give it a shorter one.",
                "The name of the file has more than %(max)d letters. Give it a shorter one.",
                "max",
            ),
        },
    )

    @property
    def upload(self) -> "UploadedFile[Any]":
        """The file, once the form is valid."""
        return cast("UploadedFile[Any]", self.cleaned_data["file"])


class ReadingForm(forms.Form):
    """How the file is written: what has to be known to show its first rows."""

    separator = forms.ChoiceField(label=_("Between two columns"), choices=tuple(SEPARATOR_NAMES.items()))
    encoding = forms.ChoiceField(label=_("Encoding"), choices=tuple(ENCODING_NAMES.items()))
    has_header = forms.BooleanField(label=_("The first row names the columns"), required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, mapping: ColumnMapping) -> None:
        names = ("separator", "encoding", "has_header")
        super().__init__(data, initial={name: getattr(mapping, name) for name in names})

    def read(self, mapping: ColumnMapping) -> ColumnMapping:
        """The mapping with what is chosen here; of a wrong choice nothing."""
        return replace(mapping, **self.cleaned_data) if self.is_valid() else mapping


class ColumnsForm(forms.Form):
    """What the columns are, how dates and sums are written, and where the orders are from.

    `header` are the first cells of the columns, `mapping` how the file is read; the fields of the
    columns are called `column_1` and so on.
    """

    date_format = forms.ChoiceField(
        label=_("Dates are written like"),
        required=False,
        choices=[
            (written, EXAMPLE.strftime(written or "%Y-%m-%d, %Y-%m-%dT%H:%M")) for written in DATE_FORMATS
        ],
    )
    decimal = forms.ChoiceField(
        label=_("Sums are written like"), choices=[(".", "1234.50"), (",", "1234,50")]
    )
    source = forms.ChoiceField(
        label=_("Source"),
        help_text=_("The shop or till that these orders are from. Order numbers are unique within it."),
        error_messages={
            "required": _("Choose where these orders are from."),
            "invalid_choice": _("Choose where these orders are from."),
        },
    )
    source_name = forms.CharField(
        label=_("Name of the new source"),
        required=False,
        max_length=SOURCE_NAME_LETTERS,
        help_text=_("As your colleagues call it: “Online shop”."),
    )
    source_code = forms.CharField(
        label=_("Code of the new source"),
        required=False,
        help_text=_("Latin letters, digits and hyphens: “online-shop”. It never changes."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    outlet = forms.CharField(
        label=_("Outlet"),
        required=False,
        max_length=OUTLET_LETTERS,
        help_text=_(
            "The shop or branch of all these orders, by code or name, where their rows name none. "
            "One that is not known is made. May stay empty."
        ),
        widget=forms.TextInput(attrs={"list": "outlets", "autocomplete": "off"}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, mapping: ColumnMapping, header: Sequence[str]
    ) -> None:
        super().__init__(data, initial=self._initial(mapping))
        self.mapping = mapping
        self.header = header
        sources = [(source.code, f"{source.name} · {source.code}") for source in live_sources()]
        nothing = [("", gettext("Choose a source"))] if sources else []
        chosen = cast(forms.ChoiceField, self.fields["source"])
        chosen.choices = [*nothing, *sources, (NEW_SOURCE, gettext("A new source"))]
        known = {code for code, _name in sources}
        if mapping.source and mapping.source not in known:
            self.initial["source"] = NEW_SOURCE
            self.initial["source_code"] = mapping.source
            self.initial["source_name"] = mapping.source_name
        choices = [("", "—"), *FIELD_NAMES.items()]
        for place, name in enumerate(header, start=1):
            self.fields[_column(place)] = forms.ChoiceField(
                label=gettext("Column %(place)s: %(name)s") % {"place": place, "name": name}
                if mapping.has_header and name
                else gettext("Column %(place)s") % {"place": place},
                required=False,
                choices=choices,
            )

    def clean(self) -> dict[str, Any]:
        """What was chosen: no field twice, those that are needed, and a whole new source."""
        self._clean_columns()
        if self.cleaned_data.get("source") == NEW_SOURCE:
            self._clean_new_source()
        return self.cleaned_data

    def column_fields(self) -> list[BoundField]:
        """The field of each column, in their order."""
        return [self[_column(place)] for place in range(1, len(self.header) + 1)]

    def mapped(self) -> ColumnMapping:
        """How the file is to be read, once the form is valid."""
        chosen = self.cleaned_data
        is_new = chosen["source"] == NEW_SOURCE
        return replace(
            self.mapping,
            columns={field: place for place, field in self._chosen_columns()},
            date_format=chosen["date_format"],
            decimal=chosen["decimal"],
            source=chosen["source_code"] if is_new else chosen["source"],
            source_name=chosen["source_name"] if is_new else "",
            outlet=chosen["outlet"].strip(),
        )

    def _initial(self, mapping: ColumnMapping) -> dict[str, Any]:
        columns = {_column(place): field for field, place in mapping.columns.items()}
        names = ("date_format", "decimal", "source", "outlet")
        return columns | {name: getattr(mapping, name) for name in names}

    def _chosen_columns(self) -> list[tuple[int, str]]:
        chosen = ((place, self.cleaned_data.get(_column(place))) for place in range(1, len(self.header) + 1))
        return [(place, field) for place, field in chosen if field]

    def _clean_columns(self) -> None:
        places: dict[str, int] = {}
        for place, field in self._chosen_columns():
            if field in places:
                self.add_error(
                    _column(place),
                    gettext("Column %(place)s is this already: choose one of the two.")
                    % {"place": places[field]},
                )
            places.setdefault(field, place)
        for needed in ("paid_at", "total"):
            if needed not in places:
                self.add_error(
                    None, gettext("Choose which column is this: %(name)s.") % {"name": FIELD_NAMES[needed]}
                )
        if not any(field in places for field in PERSON_FIELDS):
            self.add_error(
                None,
                gettext(
                    "Choose which column tells whose order it is: the customer’s id, an e-mail or a phone."
                ),
            )

    def _clean_new_source(self) -> None:
        if not self.cleaned_data.get("source_name") and "source_name" not in self.errors:
            self.add_error("source_name", gettext("Give the new source a name."))
        code = self.cleaned_data.get("source_code")
        if not code:
            self.add_error("source_code", gettext("Give the new source a code."))
        elif not is_source_code(code):
            self.add_error("source_code", gettext("Use up to 50 Latin letters, digits and hyphens."))
        elif Source.objects.filter(code=code).exists():
            self.add_error("source_code", str(SourceCodeTaken(code)))


class ConfirmForm(forms.Form):
    """Which dry run is confirmed, and that its bad rows are left out."""

    dry_run = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)
    skip_bad_rows = forms.BooleanField(widget=forms.HiddenInput, required=False)


def _column(place: int | str) -> str:
    return f"column_{place}"
