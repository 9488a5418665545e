"""Letters where there is no mail server: kept as files, and read in the browser of this machine.

For development alone: whoever reads these files reads everybody's codes.
"""

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from itertools import count
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

logger = logging.getLogger(__name__)

# Of a long day's letters the latest are enough.
MOST_KEPT = 500
NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9]+-[0-9]+")
ENDING = ".eml"
_counter = count()


class LocalMailBackend(BaseEmailBackend):
    """Puts each letter into a file of its own in `settings.LOCAL_MAIL`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the letters; how many they are."""
        folder = Path(settings.LOCAL_MAIL)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for letter in email_messages:
            moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            path = folder / f"{moment}-{os.getpid()}-{next(_counter)}{ENDING}"
            # Nobody finds a letter that is written only in part.
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(letter.message().as_bytes())
            unfinished.chmod(0o600)
            unfinished.rename(path)
            logger.info("A letter can be read at %s/mail/", settings.SITE_URL)
        for old in _paths()[MOST_KEPT:]:
            old.unlink(missing_ok=True)
        return len(email_messages)


@dataclass(frozen=True)
class LocalLetter:
    """A letter as it lies in its file."""

    name: str
    subject: str
    to: str
    sent_at: datetime
    headers: list[tuple[str, str]]
    text: str
    html: str


def local_letters(limit: int) -> list[LocalLetter]:
    """The latest letters, newest first."""
    read = (local_letter(path.stem) for path in _paths()[:limit])
    return [letter for letter in read if letter is not None]


def local_letter(name: str) -> LocalLetter | None:
    """The letter of that name; None when there is none."""
    if not NAME.fullmatch(name):
        return None
    try:
        content = (Path(settings.LOCAL_MAIL) / f"{name}{ENDING}").read_bytes()
    except OSError:
        return None
    parsed = message_from_bytes(content, policy=policy.default)
    return LocalLetter(
        name=name,
        subject=str(parsed["Subject"] or ""),
        to=str(parsed["To"] or ""),
        sent_at=datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC),
        headers=[(header, str(value)) for header, value in parsed.items()],
        text=_part(parsed, "plain"),
        html=_part(parsed, "html"),
    )


def _paths() -> list[Path]:
    """The files of letters, newest first."""
    return sorted(Path(settings.LOCAL_MAIL).glob(f"*{ENDING}"), reverse=True)


def _part(parsed: ParsedMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return part.get_content() if part is not None else ""
