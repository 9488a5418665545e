"""The lines of a monthly statement, the same on the page and in the letter."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from loyalty.templatetags.numbers import points

register = template.Library()

# What moved points, in the order in which it is told.
CHANGES: dict[str, str | Promise] = {
    "earned": gettext_lazy("Earned"),
    "returned": gettext_lazy("By returns"),
    "received": gettext_lazy("Received from others"),
    "adjusted": gettext_lazy("Corrected"),
    "spent": gettext_lazy("Spent on orders"),
    "given": gettext_lazy("Given to others"),
    "expired": gettext_lazy("Expired"),
}


@register.filter
def statement_lines(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The name and the points of each line: what there was, what changed it, and what was left."""
    changed = facts.get("changes", {})
    return [
        (gettext("At the beginning of the month"), points(facts["opening_points"])),
        *(
            (str(name), f"{'+' if changed[kind] > 0 else ''}{points(changed[kind])}")
            for kind, name in CHANGES.items()
            if changed.get(kind)
        ),
        (gettext("At the end of the month"), points(facts["closing_points"])),
    ]
