"""Forms about colleagues: who is invited, and what each may do."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.contacts import EMAIL_LENGTH
from accounts.errors import InvalidEmail, NoStaffRole
from accounts.roles import CONSOLE_ROLES, Role

ROLES = [(role.value, role.label) for role in CONSOLE_ROLES]


class InviteForm(forms.Form):
    """Who is invited, and as what; what an address must be is the service's to say."""

    email = forms.CharField(
        label=_("E-mail"),
        max_length=EMAIL_LENGTH,
        help_text=_("The letter with the link goes there; later it is what the colleague signs in with."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": InvalidEmail.sentence},
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=ROLES,
        initial=Role.STAFF.value,
        widget=forms.RadioSelect,
        error_messages={"required": NoStaffRole.sentence, "invalid_choice": NoStaffRole.sentence},
    )


class RoleForm(forms.Form):
    """Which role is given or taken."""

    role = forms.ChoiceField(choices=ROLES)
    action = forms.ChoiceField(choices=[("give", "give"), ("take", "take")])
