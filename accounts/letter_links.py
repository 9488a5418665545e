"""The links at the end of letters: to choose which ones come, and to stop those about a topic.

Their token says whose letter it was and what it was about. It is signed together with the address, so
that a letter in a mailbox which is no longer the member's opens nothing. It signs nobody in.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import Member, Topic
from accounts.topics import can_be_switched_off

MOST_ID = 2**63 - 1


@dataclass(frozen=True)
class LetterLinks:
    """What a letter about a topic ends with; where it comes in any case there is no link to stop it."""

    topic: Topic
    preferences_url: str
    stop_url: str


def letter_links(*, member: Member, address: str, topic: Topic) -> LetterLinks:
    """The links of a letter to that member at that address."""
    token = letter_token(member_id=member.pk, address=address, topic=topic)
    stop_path = reverse("accounts:stop_letters", args=[token]) if can_be_switched_off(topic) else ""
    return LetterLinks(
        topic=topic,
        preferences_url=f"{settings.SITE_URL}{reverse('accounts:letters_by_link', args=[token])}",
        stop_url=f"{settings.SITE_URL}{stop_path}" if stop_path else "",
    )


def letter_token(*, member_id: int, address: str, topic: Topic) -> str:
    """A token that tells nobody anything but us."""
    said = urlsafe_b64encode(f"{member_id}.{topic}".encode()).decode().rstrip("=")
    return _signer(address).sign(said)


def said_by(token: str) -> tuple[int, Topic] | None:
    """The id of the member and the topic that a token names, before its signature is looked at."""
    said = token.partition(".")[0]
    try:
        member_id, topic = urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode().split(".")
        known = int(member_id) if member_id.isascii() and member_id.isdigit() else 0
        return (known, Topic(topic)) if 0 < known <= MOST_ID else None
    except ValueError:
        return None


def is_signed(token: str, *, address: str) -> bool:
    """Whether we made the token, for a letter to that address."""
    try:
        _signer(address).unsign(token)
    except BadSignature:
        return False
    return True


def _signer(address: str) -> Signer:
    return Signer(sep=".", salt=f"accounts.letters {address.lower()}")
