"""The form of a second person's decision."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervisor.forms.transfers import REASON_LETTERS


class ApprovalForm(forms.Form):
    """What is decided, and why; whether a reason is needed is the service's to say."""

    APPROVE, DECLINE, WITHDRAW = "approve", "decline", "withdraw"

    decision = forms.ChoiceField(
        choices=[(choice, choice) for choice in (APPROVE, DECLINE, WITHDRAW)],
        error_messages={
            "required": _("Press one of the buttons."),
            "invalid_choice": _("Press one of the buttons."),
        },
        widget=forms.HiddenInput,
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=REASON_LETTERS,
        help_text=_("Needed to decline: whoever asked reads it. It is kept with the decision."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": _("Say it in 500 characters at most.")},
    )
