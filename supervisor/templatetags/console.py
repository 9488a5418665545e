"""What the console's templates ask for."""

from datetime import date

from django import template
from django.template.context import Context

from loyalty.templatetags.numbers import day_text
from supervisor.sections import Section, sections

register = template.Library()


@register.simple_tag(takes_context=True)
def console_sections(context: Context) -> list[Section]:
    """The sections that whoever is signed in may open, with the one that this page is in."""
    return sections(context["request"])


@register.filter
def day_words(value: date) -> str:
    """The day in words alone, where no tag may stand: in a drawing."""
    return day_text(value)
