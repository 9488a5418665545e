"""How templates ask for the brand, those that are drawn without a request, too."""

from django import template
from django.conf import settings

from config.brand import brand

register = template.Library()
register.simple_tag(brand, name="brand")


@register.simple_tag
def help_email() -> str:
    """Where a person writes who needs help."""
    return settings.SUPPORT_EMAIL
