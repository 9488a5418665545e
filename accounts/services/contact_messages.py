"""What is written to the contacts of a change: codes before it, and afterwards that it happened.

Each goes as a letter to an e-mail address and as a text message to a phone. All of them raise
MessageNotSent when it could not be handed over.
"""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from accounts.contacts import readable_contact
from accounts.letters import send_letter
from accounts.models import ContactChange
from accounts.origin import Origin
from accounts.sms import send_sms


def send_current_code(*, change: ContactChange, code: str, language: str) -> None:
    """Ask at the contact in use whether the change may happen."""
    if _is_email(change.current_contact):
        send_letter(
            template="accounts/email/allow_change",
            to=change.current_contact,
            language=language,
            context={
                "code": code,
                "kind": change.kind,
                "new_contact": readable_contact(change.new_contact),
            },
        )
    else:
        with translation.override(language):
            text = gettext(
                "%(programme)s: %(code)s is the code to change your phone to %(phone)s. "
                "If it was not you, give it to nobody."
            )
            values = {"programme": settings.PROGRAMME_NAME, "code": code, "phone": change.new_contact}
            send_sms(to=change.current_contact, text=text % values)


def send_new_code(*, change: ContactChange, code: str, language: str) -> None:
    """Ask at the new contact whether it is the member's."""
    if _is_email(change.new_contact):
        send_letter(
            template="account/email/email_confirmation",
            to=change.new_contact,
            language=language,
            context={"code": code},
        )
    else:
        with translation.override(language):
            text = gettext("%(programme)s: %(code)s is your code. If you did not ask for it, do nothing.")
            send_sms(to=change.new_contact, text=text % {"programme": settings.PROGRAMME_NAME, "code": code})


def send_already_taken(*, change: ContactChange, language: str) -> None:
    """Tell the owner of the new contact that somebody else wanted it."""
    if _is_email(change.new_contact):
        send_letter(
            template="accounts/email/contact_taken", to=change.new_contact, language=language, context={}
        )
    else:
        with translation.override(language):
            text = gettext(
                "%(programme)s: somebody tried to give this number to another account. Nothing was changed. "
                "If it was you, write to %(support_email)s."
            )
            values = {"programme": settings.PROGRAMME_NAME, "support_email": settings.SUPPORT_EMAIL}
            send_sms(to=change.new_contact, text=text % values)


def send_email_changed(
    *, to: str, old_email: str, new_email: str, language: str, at: datetime, origin: Origin
) -> None:
    """Tell an address that the member signs in with another one."""
    send_letter(
        template="account/email/email_changed",
        to=to,
        language=language,
        context={"from_email": old_email, "to_email": new_email, **_when_and_where(at, origin)},
    )


def send_phone_changed(*, to: str, phone: str, language: str, at: datetime, origin: Origin) -> None:
    """Tell an address or a phone that the member has this phone now."""
    if _is_email(to):
        send_letter(
            template="accounts/email/phone_changed",
            to=to,
            language=language,
            context={"phone": readable_contact(phone), **_when_and_where(at, origin)},
        )
    else:
        with translation.override(language):
            text = gettext(
                "%(programme)s: the phone of your account is now %(phone)s. "
                "If it was not you, write to %(support_email)s."
            )
            values = {
                "programme": settings.PROGRAMME_NAME,
                "phone": phone,
                "support_email": settings.SUPPORT_EMAIL,
            }
            send_sms(to=to, text=text % values)


def _is_email(contact: str) -> bool:
    return "@" in contact


def _when_and_where(at: datetime, origin: Origin) -> dict[str, object]:
    return {"timestamp": at, "ip": origin.ip, "user_agent": origin.user_agent}
