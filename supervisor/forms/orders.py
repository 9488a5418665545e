"""The filter of the console's list of orders."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.cursors import number_of
from loyalty.forms.filters import DayField, FilterForm, Tag
from orders.models import Order
from supervisor.forms.filters import UNREADABLE_CHOICE
from supervisor.queries.imports import live_sources, outlets_of_live_sources
from supervisor.queries.orders import OrderFilter

NUMBER_LETTERS = 100
NOBODY = "nobody"


class OrdersForm(FilterForm):
    """Which orders to list."""

    number = forms.CharField(
        label=gettext_lazy("Order number"),
        required=False,
        max_length=NUMBER_LETTERS,
        help_text=gettext_lazy("The whole number, as the shop has it."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "max_length": gettext_lazy("An order number has 100 characters at most."),
            "null_characters_not_allowed": gettext_lazy("Search for letters and digits."),
        },
    )
    status = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("Every state")), *Order.Status.choices],
        error_messages=UNREADABLE_CHOICE,
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Source"),
        required=False,
        choices=[("", gettext_lazy("Every source"))],
        error_messages=UNREADABLE_CHOICE,
    )
    outlet = forms.ChoiceField(
        label=gettext_lazy("Outlet"),
        required=False,
        choices=[("", gettext_lazy("Every outlet"))],
        error_messages=UNREADABLE_CHOICE,
    )
    whose = forms.ChoiceField(
        label=gettext_lazy("Member"),
        required=False,
        choices=[("", gettext_lazy("Anybody or nobody")), (NOBODY, gettext_lazy("Nobody yet"))],
        error_messages=UNREADABLE_CHOICE,
    )
    since = DayField(label=gettext_lazy("Placed from"))
    until = DayField(label=gettext_lazy("Placed until"))

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(
            data,
            source=[(str(source.pk), source.name) for source in live_sources()],
            outlet=[
                (str(outlet.pk), f"{outlet.source.name}: {outlet.name}")
                for outlet in outlets_of_live_sources()
            ],
        )

    def tags(self) -> list[Tag]:
        """As every filter, with the number."""
        found = super().tags()
        if number := self.cleaned_data["number"]:
            text = _("Number: %(number)s") % {"number": number}
            found.append(Tag(text, self.query(number=None)))
        return found

    def filters(self) -> OrderFilter:
        """Which orders are wanted."""
        values = self.cleaned_data
        return OrderFilter(
            status=values["status"],
            source_id=number_of(values["source"]),
            outlet_id=number_of(values["outlet"]),
            number=values["number"],
            since_on=values["since"],
            until_on=values["until"],
            is_of_nobody=values["whose"] == NOBODY,
        )
