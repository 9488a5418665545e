"""Messages in words: what their facts mean, and how they read in the cabinet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.template.loader import select_template
from django.utils.safestring import SafeString

from accounts.models import Member, Message

# What a message says that this version has no words for.
UNKNOWN = "messages/unknown"


@dataclass(frozen=True)
class MessageCard:
    """A message as the cabinet shows it."""

    title: str
    text: SafeString
    happened_at: datetime
    is_new: bool


def message_cards(messages: Iterable[Message], member: Member) -> list[MessageCard]:
    """The member's messages in the active language."""
    return [
        MessageCard(
            # A subject is written for letters, where nothing is escaped: as plain text the page does that.
            title=str.strip(_rendered(message, member, "_subject.txt")),
            text=_rendered(message, member, ".html"),
            happened_at=message.happened_at,
            is_new=message.seen_at is None,
        )
        for message in messages
    ]


def template_name(message: Message) -> str:
    """What the names of the message's templates begin with."""
    return f"messages/{message.kind}"


def words_of(message: Message, member: Member) -> dict[str, object]:
    """What the message's templates may say; letters link to pages by `site_url`."""
    return {
        "facts": {name: _fact(name, value) for name, value in message.facts.items()},
        "member": member,
        "site_url": settings.SITE_URL,
        "programme_name": settings.PROGRAMME_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }


def _rendered(message: Message, member: Member, ending: str) -> SafeString:
    template = select_template([f"{template_name(message)}{ending}", f"{UNKNOWN}{ending}"])
    return template.render(words_of(message, member))


def _fact(name: str, value: object) -> object:
    """The fact as it was told: JSON has neither days nor moments."""
    if isinstance(value, str) and name.endswith("_at"):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and name.endswith("_on"):
        return date.fromisoformat(value)
    return value
