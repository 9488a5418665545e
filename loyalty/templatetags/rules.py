"""What pages outside of loyalty say of the rules in force."""

from dataclasses import dataclass

from django import template
from django.utils import timezone

from loyalty.models import RuleSet
from loyalty.queries.rules import is_withdrawn, rule_set_in_force
from loyalty.rules_wording import Line, rules_in_short

register = template.Library()
register.filter(is_withdrawn)


@dataclass(frozen=True)
class RulesInShort:
    """The edition in force, and what it comes to for a newcomer."""

    rule_set: RuleSet
    lines: list[Line]


@register.simple_tag
def rules_for_newcomers() -> RulesInShort:
    """The rules in force in five lines, with the figures of the first tier."""
    now = timezone.now()
    rule_set = rule_set_in_force(now)
    return RulesInShort(rule_set, rules_in_short(rule_set, at=now))
