"""How templates write what accounts know."""

from typing import TYPE_CHECKING

from allauth.account import app_settings
from django import template
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import access, queries, roles
from accounts.contacts import readable_contact
from accounts.devices import device_name
from accounts.models import CONSENT_TEXT_VERSION, User
from accounts.numbers import format_member_number
from accounts.wording import MessageCard, plain_text

if TYPE_CHECKING:
    from config.demo import DemoLogin

register = template.Library()


@register.filter
def member_number(number: str) -> str:
    """The number in groups of four: “2481 9073 6514”."""
    return format_member_number(number)


@register.filter
def contact(text: object) -> str:
    """The e-mail, or the phone as people write it: “+7 916 123-45-67”."""
    return readable_contact(str(text))


@register.filter
def contact_in_a_row(text: object) -> SafeString:
    """The same where there is little room: an e-mail may go on below from its “@”, a phone never."""
    readable = readable_contact(str(text))
    if "@" in readable:
        return format_html("{}<wbr>@{}", *readable.rsplit("@", 1))
    return format_html('<span class="nowrap">{}</span>', readable)


@register.filter
def device(user_agent: str) -> str:
    """The browser and the system: “Firefox on Windows”."""
    return device_name(user_agent)


@register.filter
def without_links(card: MessageCard) -> str:
    """What a message says, for somebody else than its member."""
    return plain_text(card)


@register.filter
def is_colleague(user: User | AnonymousUser) -> bool:
    """Whether the console is open to the login, or would be with a second factor."""
    return roles.is_staff_person(user)


@register.filter
def is_supervisor(user: User | AnonymousUser) -> bool:
    """Whether the login may see and do everything in the console."""
    return roles.is_supervisor(user)


@register.filter
def has_second_factor(user: User) -> bool:
    """Whether the login is asked for more than its password when it signs in."""
    return access.has_second_factor(user)


@register.filter
def must_have_second_factor(user: User | AnonymousUser) -> bool:
    """Whether the console opens for the login only with a second factor."""
    return access.must_have_second_factor(user)


@register.simple_tag(takes_context=True)
def unread_messages(context: Context) -> int:
    """How many messages the member who is signed in has not seen; one query, unless the page has counted."""
    counted = context.get("new_messages")
    return (counted or queries.new_messages(context["user"].member)).count


@register.simple_tag
def staff_idle_minutes(goes_to: str | None) -> int:
    """After how many minutes without use the console signs out; 0 where it is not the console one goes to."""
    is_console = bool(goes_to) and str(goes_to).startswith(reverse("supervisor:overview"))
    return settings.STAFF_IDLE_MINUTES if is_console else 0


@register.simple_tag
def code_minutes() -> int:
    """For how many minutes the code is valid which proves an address at sign-up."""
    return int(app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT) // 60


@register.simple_tag
def consent_version() -> str:
    """The version of the consents' texts that sign-up shows."""
    return CONSENT_TEXT_VERSION


@register.simple_tag
def demo_logins() -> "list[DemoLogin]":
    """The role, e-mail and password of each demo person; nothing outside a demo."""
    if not settings.IS_DEMO:
        return []
    from config.demo import DEMO_LOGINS

    return DEMO_LOGINS
