"""How templates write what accounts know."""

from typing import TYPE_CHECKING

from django import template
from django.conf import settings

from accounts.numbers import format_member_number

if TYPE_CHECKING:
    from config.demo import DemoLogin

register = template.Library()


@register.filter
def member_number(number: str) -> str:
    """The number in groups of four: “2481 9073 6514”."""
    return format_member_number(number)


@register.simple_tag
def demo_logins() -> "list[DemoLogin]":
    """The role, e-mail and password of each demo person; nothing outside a demo."""
    if not settings.IS_DEMO:
        return []
    from config.demo import DEMO_LOGINS

    return DEMO_LOGINS
