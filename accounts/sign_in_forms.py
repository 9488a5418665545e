"""allauth's forms for signing in and up, as password managers and readers want them.

They stand apart from `accounts.forms`, which allauth itself reads while it makes its own.
"""

from typing import Any

from allauth.account import forms
from django.utils.translation import gettext_lazy as _

NO_EMAIL = _("Enter your e-mail: you sign in with it.")


class SignInForm(forms.LoginForm):
    """E-mail and password; the e-mail is what a password manager calls the user name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["login"].error_messages["required"] = NO_EMAIL
        self.fields["password"].error_messages["required"] = _("Enter your password.")


class SignUpForm(forms.SignupForm):
    """Our own fields and allauth's, with sentences that say what to enter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].error_messages["required"] = NO_EMAIL
        self.fields["email"].help_text = _("A code comes to it in a moment.")
        # One sentence for what the validators list; which of them minds is said when one does.
        self.fields["password1"].help_text = _(
            "At least eight characters; several words are easy to remember and hard to guess."
        )
        self.fields["password1"].error_messages["required"] = _("Choose a password.")
