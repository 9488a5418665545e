"""The part of the sign-up form that is ours; allauth adds the e-mail and the password."""

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import services
from accounts.models import Consent, User


class SignupForm(forms.Form):
    """A first name and the two consents, both unticked; only the first is needed to join."""

    field_order = ("first_name", "email", "password1", "agrees_to_programme", "agrees_to_advertising")

    first_name = forms.CharField(
        label=_("First name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    agrees_to_programme = forms.BooleanField(
        label=_("I accept the programme rules and agree to the processing of my personal data."),
        error_messages={
            "required": _("Without this consent we cannot keep an account for you. Tick the box to join.")
        },
    )
    agrees_to_advertising = forms.BooleanField(
        label=_("I agree to receive advertising messages. I can take this back at any time."),
        required=False,
    )

    @transaction.atomic
    def signup(self, request: HttpRequest, user: User) -> None:
        """Record the consents of the login that allauth has just made."""
        agreed = {
            Consent.Kind.PROGRAMME: self.cleaned_data["agrees_to_programme"],
            Consent.Kind.ADVERTISING: self.cleaned_data["agrees_to_advertising"],
        }
        for kind, is_given in agreed.items():
            if is_given:
                services.record_consent(
                    user=user,
                    kind=kind,
                    is_given=True,
                    how=Consent.How.SIGN_UP,
                    recorded_at=timezone.now(),
                )
