"""What a member asks of the list of operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from loyalty.models import Posting
from loyalty.queries.filters import OperationFilter, Sign
from loyalty.templatetags.numbers import day_text

Kind = Posting.Kind

# The ledger's kinds as people tell them apart. What is set aside has left the balance already, and
# its later capture moves nothing there: so the sum of what was spent holds only with both.
KIND_GROUPS = {
    "earned": (gettext_lazy("Earned"), frozenset({Kind.CREDIT, Kind.MATURE})),
    "spent": (
        gettext_lazy("Spent or set aside"),
        frozenset({Kind.SPEND, Kind.HOLD, Kind.CAPTURE, Kind.RELEASE}),
    ),
    "returned": (gettext_lazy("Returned orders"), frozenset({Kind.GIVE_BACK, Kind.TAKE_BACK})),
    "transfers": (gettext_lazy("Transfers"), frozenset({Kind.TRANSFER})),
    "expired": (gettext_lazy("Expired"), frozenset({Kind.EXPIRE})),
    "corrections": (gettext_lazy("Corrections"), frozenset({Kind.ADJUST})),
}
SIGNS = {
    "plus": (gettext_lazy("Plus only"), Sign.PLUS),
    "minus": (gettext_lazy("Minus only"), Sign.MINUS),
}
NO_SUCH_DAY = gettext_lazy("There is no such day. Write it like this: 31.12.2026.")


@dataclass(frozen=True)
class Tag:
    """One part of a filter in words, and the query of the same list without it."""

    text: str
    query_without: str


@dataclass(frozen=True)
class Shortcut:
    """A period with a name, and the query of the list for it."""

    text: str
    query: str
    is_current: bool


class DayField(forms.DateField):
    """A day from the browser's calendar, or as people write it."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    input_formats = ("%Y-%m-%d", "%d.%m.%Y")

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, error_messages={"invalid": NO_SUCH_DAY}, **more)


class HistoryForm(forms.Form):
    """The filter of the operations; every field may be left empty."""

    search = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
        help_text=gettext_lazy("Order number, outlet, a friend’s name, reason or operation number"),
        error_messages={
            "max_length": gettext_lazy("Search for 100 characters at most."),
            "null_characters_not_allowed": gettext_lazy("Search for letters and digits."),
        },
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=[
            ("", gettext_lazy("All kinds")),
            *((key, label) for key, (label, _kinds) in KIND_GROUPS.items()),
        ],
        error_messages={"invalid_choice": gettext_lazy("There is no such kind. Choose one from the list.")},
    )
    sign = forms.ChoiceField(
        label=gettext_lazy("Plus or minus"),
        required=False,
        choices=[("", gettext_lazy("Both")), *((key, label) for key, (label, _sign) in SIGNS.items())],
        error_messages={"invalid_choice": gettext_lazy("Choose one of the two, or both.")},
    )
    since = DayField(label=pgettext_lazy("a period", "From"))
    until = DayField(label=pgettext_lazy("a period", "Until"))

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.use_required_attribute = False
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

    def filters(self) -> OperationFilter:
        """Which operations are wanted."""
        values = self.cleaned_data
        return OperationFilter(
            kinds=KIND_GROUPS[values["kind"]][1] if values["kind"] else frozenset(),
            sign=SIGNS[values["sign"]][1] if values["sign"] else None,
            since_on=values["since"],
            until_on=values["until"],
            search=values["search"],
        )

    def query(self, **changes: object) -> str:
        """The filter as the query of an address, such as “?kind=earned”; empty when there is none."""
        values = {name: self.cleaned_data.get(name) for name in self.fields} | changes
        given = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return f"?{urlencode(given)}" if given else ""

    def tags(self) -> Sequence[Tag]:
        """Each part of the filter that is set."""
        values = self.cleaned_data
        found = []
        if values["search"]:
            text = _("Search: “%(text)s”") % {"text": values["search"]}
            found.append(Tag(text, self.query(search=None)))
        if values["kind"]:
            found.append(Tag(str(KIND_GROUPS[values["kind"]][0]), self.query(kind=None)))
        if values["sign"]:
            found.append(Tag(str(SIGNS[values["sign"]][0]), self.query(sign=None)))
        if values["since"] or values["until"]:
            text = period_text(values["since"], values["until"])
            found.append(Tag(text, self.query(since=None, until=None)))
        return found

    def shortcuts(self, today: date) -> Sequence[Shortcut]:
        """Periods that are asked for often; the rest of the filter stays."""
        month = today.replace(day=1)
        next_month = (month + timedelta(days=31)).replace(day=1)
        last_month = (month - timedelta(days=1)).replace(day=1)
        periods = [
            (_("This month"), month, next_month - timedelta(days=1)),
            (_("Last month"), last_month, month - timedelta(days=1)),
            (_("This year"), today.replace(month=1, day=1), today.replace(month=12, day=31)),
        ]
        chosen = (self.cleaned_data["since"], self.cleaned_data["until"])
        return [
            Shortcut(text, self.query(since=since_on, until=until_on), chosen == (since_on, until_on))
            for text, since_on, until_on in periods
        ]


def period_text(since_on: date | None, until_on: date | None) -> str:
    """A period in words, open at one end where that is None."""
    if since_on is None:
        return pgettext("a period", "until %(day)s") % {"day": day_text(until_on)} if until_on else ""
    if until_on is None:
        return pgettext("a period", "from %(day)s") % {"day": day_text(since_on)}
    if since_on == until_on:
        return day_text(since_on)
    return f"{day_text(since_on)} – {day_text(until_on)}"
