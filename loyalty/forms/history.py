"""What a member asks of the list of operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from loyalty.forms.filters import DayField, FilterForm, Tag
from loyalty.models import Posting, Purpose
from loyalty.queries.filters import OperationFilter, Sign

Kind = Posting.Kind

EARNED = frozenset({Kind.CREDIT, Kind.MATURE})


@dataclass(frozen=True)
class KindGroup:
    """Kinds of the ledger that people do not tell apart, and what for, where they do."""

    label: Promise
    kinds: frozenset[Kind]
    purposes: frozenset[Purpose] = frozenset()


# What is set aside has left the balance already, and its later capture moves nothing there: so the sum
# of what was spent holds only with both.
KIND_GROUPS = {
    "earned": KindGroup(gettext_lazy("Earned"), EARNED),
    "orders": KindGroup(gettext_lazy("Earned for your orders"), EARNED, frozenset({Purpose.ORDER})),
    "friends": KindGroup(gettext_lazy("Earned for friends’ orders"), EARNED, frozenset({Purpose.REFERRAL})),
    "gifts": KindGroup(
        gettext_lazy("Welcome points and gifts"),
        EARNED,
        frozenset(Purpose) - {Purpose.ORDER, Purpose.REFERRAL},
    ),
    "spent": KindGroup(
        gettext_lazy("Spent or set aside"), frozenset({Kind.SPEND, Kind.HOLD, Kind.CAPTURE, Kind.RELEASE})
    ),
    "returned": KindGroup(gettext_lazy("Returned orders"), frozenset({Kind.GIVE_BACK, Kind.TAKE_BACK})),
    "transfers": KindGroup(gettext_lazy("Transfers"), frozenset({Kind.TRANSFER})),
    "expired": KindGroup(gettext_lazy("Expired"), frozenset({Kind.EXPIRE})),
    "corrections": KindGroup(gettext_lazy("Corrections"), frozenset({Kind.ADJUST})),
}
SIGNS = {
    "plus": (gettext_lazy("Plus only"), Sign.PLUS),
    "minus": (gettext_lazy("Minus only"), Sign.MINUS),
}


@dataclass(frozen=True)
class Shortcut:
    """A period with a name, and the query of the list for it."""

    text: str
    query: str
    is_current: bool


class HistoryForm(FilterForm):
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
            *((key, group.label) for key, group in KIND_GROUPS.items()),
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

    def filters(self) -> OperationFilter:
        """Which operations are wanted."""
        values = self.cleaned_data
        group = KIND_GROUPS.get(values["kind"])
        return OperationFilter(
            kinds=group.kinds if group else frozenset(),
            purposes=group.purposes if group else frozenset(),
            sign=SIGNS[values["sign"]][1] if values["sign"] else None,
            since_on=values["since"],
            until_on=values["until"],
            search=values["search"],
        )

    def tags(self) -> list[Tag]:
        """As every filter, with what is searched for."""
        found = super().tags()
        if search := self.cleaned_data["search"]:
            text = _("Search: “%(text)s”") % {"text": search}
            found.insert(0, Tag(text, self.query(search=None)))
        return found

    def choice_text(self, field: forms.ChoiceField, choice: str) -> str:
        """The choice alone: it says of what it is."""
        return str(choice)

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
