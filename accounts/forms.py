"""Our part of the sign-up form, to which allauth adds e-mail and password, and the forms of the profile."""

import re
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import services
from accounts.contacts import EMAIL_LENGTH, readable_contact
from accounts.errors import InvalidEmail, InvalidPhone, NoFirstName
from accounts.models import Consent, ContactChange, Topic, User
from accounts.topics import can_be_switched_off


class SignupForm(forms.Form):
    """A first name and the two consents, both unticked; only the first is needed to join."""

    field_order = ("first_name", "email", "password1", "agrees_to_programme", "agrees_to_advertising")

    first_name = forms.CharField(
        label=_("First name"),
        max_length=100,
        help_text=_("It tells a friend who gives you points that it is you."),
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages={"required": NoFirstName.sentence},
    )
    agrees_to_programme = forms.BooleanField(
        label=_(
            "I agree to the processing of my name, my e-mail and my orders: the account of points needs them."
        ),
        error_messages={
            "required": _("Without this consent we cannot keep an account for you. Tick the box to join.")
        },
    )
    agrees_to_advertising = forms.BooleanField(
        label=_(
            "I agree to receive advertising. It is not needed to join, and I can take it back at any time."
        ),
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


class NameForm(forms.Form):
    """How the person is called."""

    first_name = forms.CharField(
        label=_("First name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages={"required": NoFirstName.sentence},
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


class JoinStaffForm(NameForm):
    """How a new colleague is called, and the password they choose; how good it must be, the service says."""

    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        help_text=_("At least eight characters; several words are easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )


class NewEmailForm(forms.Form):
    """The e-mail that somebody wants to have from now on; what it must be is the service's to say."""

    contact = forms.CharField(
        label=_("New e-mail"),
        max_length=EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": InvalidEmail.sentence},
    )


class NewPhoneForm(forms.Form):
    """The phone that somebody wants to have from now on; what it must be is the service's to say."""

    contact = forms.CharField(
        label=_("New phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        error_messages={"required": InvalidPhone.sentence},
    )


class LettersForm(forms.Form):
    """The topics that somebody wants letters about, of those which can be switched off."""

    topics = forms.TypedMultipleChoiceField(
        choices=[(topic.value, topic.label) for topic in Topic if can_be_switched_off(topic)],
        coerce=Topic,
        required=False,
        error_messages={
            "invalid_choice": _("The page was out of date. Look at the list once more and save it again.")
        },
    )


class MessageIdField(forms.IntegerField):
    """The id of a message, as addresses and hidden fields carry it."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(required=required, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)


class MessagesPlaceForm(forms.Form):
    """The place in the list of messages that an address names; what is none stands for the beginning."""

    before = MessageIdField()
    after = MessageIdField()

    def place(self) -> tuple[int | None, int | None]:
        """The id before which the page ends, and the one after which it begins; None where there is none."""
        self.full_clean()
        return self.cleaned_data.get("before"), self.cleaned_data.get("after")


class SeenMessagesForm(forms.Form):
    """The messages that somebody has seen, from one to another; without a first one, all before it too."""

    first = MessageIdField()
    last = MessageIdField(required=True)


class CodeField(forms.CharField):
    """Six digits, written with any spaces and hyphens between them."""

    def __init__(self) -> None:
        super().__init__(
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
            max_length=20,
            error_messages={
                "required": _("Enter the code: it has six digits."),
                "digits": _("A code has six digits. Check it and try again."),
            },
        )

    def to_python(self, value: Any) -> str:
        """The six digits.

        Raises:
            ValidationError: there is something else, or a different number of digits.
        """
        code = re.sub(r"[\s-]", "", super().to_python(value) or "")
        if code and not re.fullmatch(r"[0-9]{6}", code):
            raise forms.ValidationError(self.error_messages["digits"], code="digits")
        return code


class CodesForm(forms.Form):
    """The code from the contact in use and the one from the new contact."""

    current_code = CodeField()
    new_code = CodeField()

    def __init__(self, data: QueryDict | None = None, *, change: ContactChange) -> None:
        super().__init__(data)
        for name, contact in (("current_code", change.current_contact), ("new_code", change.new_contact)):
            self.fields[name].label = gettext("Code sent to %(contact)s") % {
                "contact": readable_contact(contact)
            }
