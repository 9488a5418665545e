"""Forms about who invited whom."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from referrals.models import Flag
from supervisor.errors import PersonRefused
from supervisor.forms.transfers import ReasonForm
from supervisor.queries.people import inviter_named, member_named

PERSON_LETTERS = 254


class DecisionForm(ReasonForm):
    """Whether inviter and friend are two people or one, and why."""

    decision = forms.ChoiceField(
        label=_("What you have found out"),
        choices=Flag.Decision.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose one of the two."),
            "invalid_choice": _("Choose one of the two."),
        },
    )
    field_order = ("decision", "reason")


class AttachForm(forms.Form):
    """Who is new, and who invited them."""

    invited = forms.CharField(
        label=_("New member"),
        max_length=PERSON_LETTERS,
        help_text=_("Member number, phone or e-mail."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter who is new.")},
    )
    inviter = forms.CharField(
        label=_("Inviter"),
        max_length=PERSON_LETTERS,
        help_text=_("Member number, phone, e-mail or invite code."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter who invited them.")},
    )

    def clean_invited(self) -> Member:
        """The new member."""
        return _found(member_named, self.cleaned_data["invited"])

    def clean_inviter(self) -> Member:
        """Who invited them."""
        return _found(inviter_named, self.cleaned_data["inviter"])

    def found(self) -> list[Member]:
        """Whom the form has found, also when the other one is nobody; once it was validated."""
        return [member for member in getattr(self, "cleaned_data", {}).values() if isinstance(member, Member)]


def _found(find: Callable[[str], Member], text: str) -> Member:
    try:
        return find(text)
    except PersonRefused as refusal:
        raise ValidationError(str(refusal)) from refusal
