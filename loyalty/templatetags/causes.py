"""Why a balance was corrected, in words."""

from django import template

from loyalty.models import Cause

register = template.Library()


@register.filter
def cause(value: str) -> str:
    """The cause of a correction as people read it; one that this version does not know as it is."""
    return str(Cause(value).label) if value in Cause.values else value
