"""The field of the look-up."""

from django import forms
from django.utils.translation import gettext_lazy as _

MOST_LETTERS = 100


class FindForm(forms.Form):
    """What is looked for; nothing typed is no error. The field has the focus when the page opens."""

    text = forms.CharField(
        label=_("Who is it?"),
        required=False,
        max_length=MOST_LETTERS,
        help_text=_(
            "Part of a name, member number, phone or its last four digits, e-mail, card, order number"
        ),
        error_messages={"max_length": _("Type 100 characters at most.")},
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "autofocus": True,
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
