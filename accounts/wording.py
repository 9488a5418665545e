"""Messages in words: what their facts mean, and how they read in the cabinet."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape

from django.conf import settings
from django.template.loader import select_template
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.facts import all_worded
from accounts.models import AuditRecord, Member, Message, Topic
from accounts.queries import Look
from accounts.roles import Role
from accounts.topics import ABOUT, can_be_switched_off, topic_of

LINK = re.compile(r"<a\s.*?</a>", re.DOTALL)
SPACES = re.compile(r"[ \t\r\n]+")
# What a message says that this version has no words for.
UNKNOWN = "messages/unknown"

# The pictures of `components/icon.html` that stand beside messages.
TOPIC_ICONS = {
    Topic.POINTS: "balance",
    Topic.AVAILABLE: "check",
    Topic.TRANSFERS: "transfer",
    Topic.EXPIRY: "clock",
    Topic.TIER: "gift",
    Topic.FRIENDS: "invite",
    Topic.STATEMENT: "history",
    Topic.SECURITY: "warning",
}


@dataclass(frozen=True)
class MessageCard:
    """A message as the cabinet shows it."""

    title: str
    text: SafeString
    happened_at: datetime
    is_new: bool
    letter: str
    icon: str
    is_about_security: bool


def message_cards(messages: Iterable[Message], member: Member) -> list[MessageCard]:
    """The member's messages in the active language."""
    return [
        MessageCard(
            # A subject is written for letters, where nothing is escaped: as plain text the page does that.
            title=str.strip(_rendered(message, member, "_subject.txt")),
            text=_rendered(message, member, ".html"),
            happened_at=message.happened_at,
            is_new=message.seen_at is None,
            letter=letter_state(message),
            icon=TOPIC_ICONS.get(topic_of(message.kind) or Topic.NEWS, "message"),
            is_about_security=topic_of(message.kind) == Topic.SECURITY,
        )
        for message in messages
    ]


def plain_text(card: MessageCard) -> str:
    """What the card says, without its links: they are the member's own, and one blocks the account."""
    return SPACES.sub(" ", unescape(strip_tags(LINK.sub("", card.text)))).strip()


def letter_state(message: Message) -> str:
    """What became of the message's letter, in a few words; empty where none was meant to be sent."""
    if not message.wants_letter:
        return ""
    state = message.get_letter_outcome_display() or _("waiting to be sent")
    return _("Letter %(state)s") % {"state": state}


def template_name(message: Message) -> str:
    """What the names of the message's templates begin with."""
    return f"messages/{message.kind}"


def words_of(
    message: Message, member: Member, *, fresh: Mapping[str, object] | None = None
) -> dict[str, object]:
    """What the message's templates may say, in the active language; letters link to pages by `site_url`.

    Of a letter that is about to be sent, `fresh` facts take the place of those that were told.
    """
    return {
        "facts": _facts({**message.facts, **(fresh or {})}),
        "member": member,
        "site_url": settings.SITE_URL,
        "programme_name": settings.PROGRAMME_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }


def _rendered(message: Message, member: Member, ending: str) -> SafeString:
    template = select_template([f"{template_name(message)}{ending}", f"{UNKNOWN}{ending}"])
    return template.render(words_of(message, member))


def _facts(told: Mapping[str, object]) -> dict[str, object]:
    return {name: _fact(name, value) for name, value in all_worded(told).items()}


def _fact(name: str, value: object) -> object:
    """The fact as it was told: JSON has neither days nor moments."""
    if isinstance(value, list):
        return [_facts(one) if isinstance(one, dict) else one for one in value]
    if isinstance(value, str) and name.endswith("_at"):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and name.endswith("_on"):
        return date.fromisoformat(value)
    return value


@dataclass(frozen=True)
class LetterChoice:
    """A topic on the page of preferences: what letters about it tell, and whether they come."""

    topic: Topic
    what_comes: str
    example: str
    is_wanted: bool
    is_fixed: bool


def letter_choices(preferences: Mapping[Topic, bool]) -> list[LetterChoice]:
    """The lines of “Which letters come”."""
    return [
        LetterChoice(
            topic=topic,
            what_comes=str(ABOUT[topic].what_comes),
            example=str(ABOUT[topic].example),
            is_wanted=is_wanted,
            is_fixed=not can_be_switched_off(topic),
        )
        for topic, is_wanted in preferences.items()
    ]


@dataclass(frozen=True)
class LookRow:
    """What a colleague saw or did, and who it was, as the member reads it."""

    title: str
    who: str
    since_at: datetime
    happened_at: datetime


def look_rows(looks: Iterable[Look]) -> list[LookRow]:
    """The lines of “Who looked at my account”."""
    return [
        LookRow(_look_title(look.record), _who(look), look.since_at, look.record.happened_at)
        for look in looks
    ]


def _who(look: Look) -> str:
    """“Stan, staff”: a first name and a role are enough to ask about."""
    roles = {Role.STAFF.value: _("staff"), Role.SUPERVISOR.value: _("supervisor")}
    role = roles[look.record.actor_role]
    return f"{look.by}, {role}" if look.by else role


def _look_title(record: AuditRecord) -> str:
    match record.action:
        case AuditRecord.Action.LOOKED_AT:
            return _page_title(record.facts.get("page", ""))
        case AuditRecord.Action.CONTACTS_SHOWN:
            return _("Your whole e-mail and phone were shown")
        case AuditRecord.Action.SALE_REGISTERED:
            return _("A sale to you was registered")
        case AuditRecord.Action.POINTS_ADJUSTED:
            return _("Your balance was corrected")
        case AuditRecord.Action.TIER_SET:
            return _("Your tier was set by hand")
        case AuditRecord.Action.ACCOUNT_BLOCKED:
            return _("Your account was blocked")
        case AuditRecord.Action.ACCOUNT_UNBLOCKED:
            return _("Your account was unblocked")
        case AuditRecord.Action.TRANSFER_REVERSED:
            return _("A transfer of yours was reversed")
        case AuditRecord.Action.INVITER_ATTACHED:
            return _("It was noted who invited you")
        case AuditRecord.Action.REFERRAL_DECIDED:
            return _("An invitation of yours was decided about")
    return _("Your account was looked at")


def _page_title(page: str) -> str:
    """What a colleague was shown, by the name that the console gives its page."""
    match page:
        case "member":
            return _("Your card was opened: balance, tier, last orders and operations")
        case "operations":
            return _("The list of your operations was opened")
        case "orders" | "order":
            return _("Your orders were opened")
        case "messages":
            return _("The messages to you were opened")
        case "transfer":
            return _("A transfer of yours was opened")
        case "invitation" | "inviter":
            return _("An invitation of yours was opened")
        case "sale":
            return _("Your account was looked at, at the till, for a sale")
        case "adjustment" | "approval":
            return _("Your account was looked at, for a correction of the balance")
        case "tier":
            return _("Your account was looked at, to set your tier")
        case "block":
            return _("Your account was looked at, to block it or to open it again")
    return _("Your account was looked at")
