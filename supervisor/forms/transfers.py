"""Forms about transfers and about the accounts on both sides."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.numbers import SEPARATORS

REASON_LETTERS = 500
NUMBER_DIGITS = 10


class ReceiptForm(forms.Form):
    """Which transfer is looked for; empty for all of them."""

    number = forms.CharField(
        label=_("Receipt number"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_number(self) -> str:
        """The ten digits, without what stands between and before them."""
        number = SEPARATORS.sub("", self.cleaned_data["number"]).strip("№#")
        if number and not (number.isascii() and number.isdigit() and len(number) == NUMBER_DIGITS):
            raise ValidationError(_("A receipt number has ten digits. Copy it from the receipt."))
        return number


class ReasonForm(forms.Form):
    """Why something is done; `help_text` says who will read it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LETTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Say why: the reason is kept with what you do."),
            "max_length": _("Say it in 500 characters at most."),
        },
    )

    def __init__(self, *args: Any, help_text: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = help_text
