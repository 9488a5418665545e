"""The editions of the rules in their order: which was in force when, and what came before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.errors import NoRulesInForce
from loyalty.models import RuleSet
from loyalty.queries.rules import editions


@dataclass(frozen=True)
class EditionInTime:
    """An edition among the others that were not withdrawn.

    `until_at` is when the next one took effect, or will; `upcoming` are those still to take effect
    after it, the soonest first, and `others` all but itself, the newest first.
    """

    rule_set: RuleSet
    in_force: RuleSet
    previous: RuleSet | None
    until_at: datetime | None
    upcoming: Sequence[RuleSet]
    others: Sequence[RuleSet]

    @property
    def is_in_force(self) -> bool:
        """Whether it is what holds now."""
        return self.rule_set.pk == self.in_force.pk

    @property
    def is_scheduled(self) -> bool:
        """Whether it has not taken effect yet."""
        return (self.rule_set.number or 0) > (self.in_force.number or 0)


def edition_in_time(*, at: datetime, number: int | None = None) -> EditionInTime | None:
    """The edition of that number, or the one in force: one query, however many there are.

    None where there is none of that number, or it was withdrawn.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    newest_first = list(editions())
    in_force = next((one for one in newest_first if one.effective_at and one.effective_at <= at), None)
    if in_force is None:
        raise NoRulesInForce
    asked = in_force.number if number is None else number
    place = next((place for place, one in enumerate(newest_first) if one.number == asked), None)
    if place is None:
        return None
    rule_set = newest_first[place]
    later = list(reversed(newest_first[:place]))
    return EditionInTime(
        rule_set=rule_set,
        in_force=in_force,
        previous=newest_first[place + 1] if place + 1 < len(newest_first) else None,
        until_at=later[0].effective_at if later else None,
        upcoming=[one for one in later if one.effective_at and one.effective_at > at],
        others=[one for one in newest_first if one.pk != rule_set.pk],
    )
