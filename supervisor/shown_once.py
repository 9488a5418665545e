"""A secret that a person is shown once, on the page after the one that made it.

It waits in their session, and a session is a row of the database, which is in backups for years. So
it is kept in a form that only the settings' secret key can read, and is gone once it was shown.
"""

import secrets
from hashlib import shake_256

from django.conf import settings
from django.http import HttpRequest

SESSION_NAME = "shown_once"


def keep(request: HttpRequest, secret: str) -> None:
    """Keep a secret for the next page."""
    nonce = secrets.token_hex(16)
    request.session[SESSION_NAME] = {"nonce": nonce, "sealed": _sealed(secret.encode(), nonce).hex()}


def take(request: HttpRequest) -> str | None:
    """The secret that was kept, if there is one; it cannot be taken again."""
    kept = request.session.pop(SESSION_NAME, None)
    if kept is None:
        return None
    return _sealed(bytes.fromhex(kept["sealed"]), kept["nonce"]).decode()


def _sealed(text: bytes, nonce: str) -> bytes:
    """The text added to a pad as long as it is, which nothing else is ever added to; and back."""
    pad = shake_256(f"{SESSION_NAME}:{nonce}:{settings.SECRET_KEY}".encode()).digest(len(text))
    return bytes(letter ^ mask for letter, mask in zip(text, pad, strict=True))
