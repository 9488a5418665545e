"""Fields in each of their states, for the page that shows them."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    """Nothing is done with what it holds."""

    plain = forms.CharField(label=_("With a hint"), help_text=_("What belongs here, and how it is written."))
    wrong = forms.CharField(label=_("With an error"))
    locked = forms.CharField(label=_("Locked"), disabled=True, initial="2481 9073 6514")
    choice = forms.ChoiceField(
        label=_("A choice of many"), choices=[("month", _("This month")), ("year", _("This year"))]
    )
    text = forms.CharField(label=_("Longer text"), widget=forms.Textarea(attrs={"rows": 3}))
    one = forms.ChoiceField(
        label=_("One of few"),
        choices=[("cabinet", _("In the cabinet")), ("mail", _("By e-mail"))],
        widget=forms.RadioSelect,
    )
    tick = forms.BooleanField(label=_("Ticked or not"), required=False)

    def clean_wrong(self) -> str:
        """Always refused: the page shows what that looks like."""
        raise forms.ValidationError(_("Says what is wrong and how to mend it."))


def sample_form() -> SampleForm:
    """The form as somebody has sent it."""
    sent = {
        "plain": "12 345",
        "wrong": "1,2,5",
        "choice": "month",
        "text": "2481",
        "one": "cabinet",
        "tick": "on",
    }
    return SampleForm(sent, auto_id="sample_%s")
