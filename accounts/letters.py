"""Letters: from two templates, in the language of whoever gets them, as plain text and as HTML.

The HTML is made from the text (`letter_blocks` says how), so both always say the same.
"""

import logging
import re
from collections.abc import Mapping
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation

from accounts.errors import AddressRefused, LetterRefused, MessageNotSent
from accounts.letter_blocks import letter_blocks, preheader
from accounts.letter_links import LetterLinks

logger = logging.getLogger(__name__)

# The mail server will not take it, and never would.
REFUSED_FOR_GOOD = 500
# Of these, what is wrong is the address or the mailbox. Another such code is about us or the letter: a
# mail server that has its doubts about the sender must not cost the members their letters for good.
ABOUT_THE_MAILBOX = (b"5.1.", b"5.2.")
ENHANCED_CODE = b"5."
# Of a refusal of the letter itself, this is about us.
ABOUT_US = b"5.7."
LINE_ENDS = re.compile(r"[\r\n]+")
# Where a template left something out.
MANY_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n")


def compose_letter(
    *,
    template: str,
    to: list[str],
    context: Mapping[str, object],
    links: LetterLinks | None = None,
    headers: Mapping[str, str] | None = None,
    server: BaseEmailBackend | None = None,
) -> EmailMultiAlternatives:
    """What `<template>_subject.txt` and `<template>_message.txt` say, in the active language.

    Letters that the member chose to get, or can do without, end with `links`.
    """
    known = {
        "programme_name": settings.PROGRAMME_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "links": links,
        **context,
    }
    # Not every space: the one between a number and its unit does not break, and stays.
    subject = LINE_ENDS.sub(" ", render_to_string(f"{template}_subject.txt", known)).strip()
    body = MANY_EMPTY_LINES.sub("\n\n", render_to_string(f"{template}_message.txt", known)).strip()
    foot = render_to_string("letters/foot.txt", known).strip()
    language = translation.get_language() or settings.LANGUAGE_CODE
    blocks = letter_blocks(body)
    html = render_to_string(
        "letters/base.html",
        {
            **known,
            "language": language,
            "subject": subject,
            "preheader": preheader(blocks),
            "blocks": blocks,
            "foot": letter_blocks(foot),
        },
    )
    letter = EmailMultiAlternatives(
        subject,
        f"{body}\n\n{foot}\n",
        to=to,
        headers={**_headers(language, links), **(headers or {})},
        connection=server,
    )
    letter.attach_alternative(html, "text/html")
    return letter


def send_letter(
    *,
    template: str,
    to: str,
    language: str,
    context: Mapping[str, object],
    links: LetterLinks | None = None,
    message_id: str = "",
    server: BaseEmailBackend | None = None,
) -> None:
    """Send a letter in that language; see `compose_letter`.

    A letter that may have to go out again is given a `message_id`: of two letters with the same one,
    mail programs show one. Many letters go by one `server`, which is open already.

    Raises:
        AddressRefused: the mail server takes no letters to that address.
        LetterRefused: the mail server will never take this letter.
        MessageNotSent: the mail server cannot be reached, or refused.
    """
    with translation.override(language):
        letter = compose_letter(
            template=template,
            to=[to],
            context=context,
            links=links,
            headers={"Message-ID": message_id} if message_id else {},
            server=server,
        )
    try:
        letter.send()
    except (SMTPException, OSError) as error:
        # Its text may hold the address, and a traceback in the log would show it.
        logger.warning("A letter was not sent: %s", type(error).__name__)
        raise _refusal(error) from None


def _headers(language: str, links: LetterLinks | None) -> dict[str, str]:
    """What programs read: nobody answers an automatic letter, and one press stops letters on a topic."""
    headers = {"Auto-Submitted": "auto-generated", "Content-Language": language}
    if links and links.stop_url:
        headers |= {
            "List-Unsubscribe": f"<{links.stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return headers


def _refusal(error: Exception) -> MessageNotSent:
    """What the mail server will not take: the address, this letter, or only nothing at the moment."""
    if isinstance(error, SMTPRecipientsRefused) and all(
        code >= REFUSED_FOR_GOOD
        and (not reason.startswith(ENHANCED_CODE) or reason.startswith(ABOUT_THE_MAILBOX))
        for code, reason in error.recipients.values()
    ):
        return AddressRefused()
    if isinstance(error, (SMTPDataError, SMTPSenderRefused)) and error.smtp_code >= REFUSED_FOR_GOOD:
        reason = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        return MessageNotSent() if reason.startswith(ABOUT_US) else LetterRefused()
    return MessageNotSent()
