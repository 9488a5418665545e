"""The pages of accounts that allauth does not have."""

from accounts.views.contacts import cancel_contact_change, change_contact, confirm_contact
from accounts.views.cookies import show_cookies
from accounts.views.join import join, join_staff
from accounts.views.kept import show_kept_form
from accounts.views.letters import letters, letters_by_link, stop, try_again
from accounts.views.local_mail import show_mail, show_mail_html, show_mail_letter
from accounts.views.looks import show_looks
from accounts.views.messages import see_messages, show_messages
from accounts.views.profile import (
    change_consent,
    change_name,
    end_other_sessions,
    end_session,
    lead_to_profile,
    set_language,
    show_profile,
)
from accounts.views.steps import hide_steps

__all__ = [
    "cancel_contact_change",
    "change_consent",
    "change_contact",
    "change_name",
    "confirm_contact",
    "end_other_sessions",
    "end_session",
    "hide_steps",
    "join",
    "join_staff",
    "lead_to_profile",
    "letters",
    "letters_by_link",
    "see_messages",
    "set_language",
    "show_cookies",
    "show_kept_form",
    "show_looks",
    "show_mail",
    "show_mail_html",
    "show_mail_letter",
    "show_messages",
    "show_profile",
    "stop",
    "try_again",
]
