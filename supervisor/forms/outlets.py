"""Forms for outlets."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from orders.models import Source
from orders.services.outlets import NAME_LETTERS
from orders.services.sales import SOURCE_CODE

NAME_MISSING = _("Write what colleagues call the outlet.")


class OutletForm(forms.Form):
    """What an outlet is called."""

    name = forms.CharField(
        label=pgettext_lazy("of an outlet", "Name"),
        max_length=NAME_LETTERS,
        help_text=_("As colleagues and members know it: “Shop in Lenin Street”."),
        error_messages={"required": NAME_MISSING},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.use_required_attribute = False


class NewOutletForm(OutletForm):
    """An outlet, and the source whose orders come from there."""

    source = forms.ChoiceField(
        label=_("Source"),
        help_text=_("The shop or till that its orders come from."),
        error_messages={
            "required": _("Choose the source that the outlet belongs to."),
            "invalid_choice": _("There is no such source. Choose one of the list."),
        },
    )

    field_order = ("source", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = Source.objects.filter(is_sandbox=False).order_by("name", "pk").values_list("code", "name")
        # The source of sales that staff register is made with its first outlet, or with the first sale.
        choices = {SOURCE_CODE: gettext("Sales registered by staff")} | dict(known)
        cast(forms.ChoiceField, self.fields["source"]).choices = list(choices.items())
