"""Text messages: handed to the gateway of the installation, or to the log while developing."""

import logging

import httpx
from django.conf import settings

from accounts.errors import MessageNotSent, NoTextMessages

TIMEOUT_SECONDS = 5.0

logger = logging.getLogger(__name__)


def is_available() -> bool:
    """Whether text messages get anywhere: production needs BALLADA_SMS_URL for that."""
    return bool(settings.SMS_URL) or not settings.IS_PRODUCTION


def send_sms(*, to: str, text: str) -> None:
    """Hand the text over to the gateway: POST {"to": "+79161234567", "text": "…"} to BALLADA_SMS_URL.

    Any answer of the 2xx kind means that the gateway has taken it.

    Raises:
        NoTextMessages: no gateway is set, in production.
        MessageNotSent: the gateway did not answer within seconds, or refused.
    """
    if not is_available():
        raise NoTextMessages
    if not settings.SMS_URL:
        logger.info("Text message to %s: %s", to, text)
        return
    try:
        answer = httpx.post(settings.SMS_URL, json={"to": to, "text": text}, timeout=TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Its text may hold the address, and the address may hold the gateway's key.
        logger.warning("The SMS gateway cannot be reached: %s", type(error).__name__)
        raise MessageNotSent from None
    if not answer.is_success:
        logger.warning("The SMS gateway answered %s", answer.status_code)
        raise MessageNotSent
