"""Letters: plain text, from two templates, in the language of whoever gets them."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from accounts.errors import MessageNotSent

logger = logging.getLogger(__name__)


def send_letter(*, template: str, to: str, language: str, context: dict[str, object]) -> None:
    """Send what `<template>_subject.txt` and `<template>_message.txt` say.

    Raises:
        MessageNotSent: the mail server cannot be reached, or refused.
    """
    known = {"programme_name": settings.PROGRAMME_NAME, "support_email": settings.SUPPORT_EMAIL, **context}
    with translation.override(language):
        subject = " ".join(render_to_string(f"{template}_subject.txt", known).split())
        body = render_to_string(f"{template}_message.txt", known).strip()
    try:
        EmailMessage(subject, body, to=[to]).send()
    except (SMTPException, OSError) as error:
        # Its text may hold the address, and a traceback in the log would show it.
        logger.warning("A letter was not sent: %s", type(error).__name__)
        raise MessageNotSent from None
