"""Letters: plain text, from two templates, in the language of whoever gets them."""

import logging
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation

from accounts.errors import AddressRefused, MessageNotSent

logger = logging.getLogger(__name__)

# The mail server will not take it, and never would.
REFUSED_FOR_GOOD = 500


def send_letter(
    *,
    template: str,
    to: str,
    language: str,
    context: dict[str, object],
    message_id: str = "",
    server: BaseEmailBackend | None = None,
) -> None:
    """Send what `<template>_subject.txt` and `<template>_message.txt` say.

    A letter that may have to go out again is given a `message_id`: of two letters with the same one,
    mail programs show one. Many letters go by one `server`, which is open already.

    Raises:
        AddressRefused: the mail server takes no letters to that address.
        MessageNotSent: the mail server cannot be reached, or refused.
    """
    known = {"programme_name": settings.PROGRAMME_NAME, "support_email": settings.SUPPORT_EMAIL, **context}
    with translation.override(language):
        subject = " ".join(render_to_string(f"{template}_subject.txt", known).split())
        body = render_to_string(f"{template}_message.txt", known).strip()
    headers = {"Message-ID": message_id} if message_id else {}
    try:
        EmailMessage(subject, body, to=[to], headers=headers, connection=server).send()
    except (SMTPException, OSError) as error:
        # Its text may hold the address, and a traceback in the log would show it.
        logger.warning("A letter was not sent: %s", type(error).__name__)
        is_for_good = isinstance(error, SMTPRecipientsRefused) and all(
            code >= REFUSED_FOR_GOOD for code, _reason in error.recipients.values()
        )
        raise (AddressRefused if is_for_good else MessageNotSent) from None
