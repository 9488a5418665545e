"""The counters of several editions, and people on their way from one to the next."""

from collections.abc import Iterable, Mapping

from loyalty.models import RuleSet
from orders.services.sets.counting import Counter, Place


class Counters:
    """A counter for each edition; a person's orders are counted by whichever was in force at each.

    `first_rules` says by which edition each person's first order is counted.
    """

    def __init__(self, rule_sets: Iterable[RuleSet], first_rules: Mapping[int, RuleSet]) -> None:
        self.by_edition = {rule_set.pk: Counter(rule_set, is_one_of_several=True) for rule_set in rule_sets}
        self.last: dict[int, Counter] = {}
        # Whatever rolling period a person comes into later is counted from what there was before.
        with_entries = any(counter.is_rolling for counter in self.by_edition.values())
        for rule_set_id, counter in self.by_edition.items():
            people = [person for person, rule_set in first_rules.items() if rule_set.pk == rule_set_id]
            counter.load(people, with_entries=with_entries)
            self.last.update(dict.fromkeys(people, counter))

    def counter_of(self, person: int, rule_set: RuleSet) -> Counter:
        """The counter of an edition, with the person's place in it."""
        counter, last = self.by_edition[rule_set.pk], self.last[person]
        if last is not counter:
            place = last.places.pop(person, None)
            if place is not None:
                counter.take_over(place)
            self.last[person] = counter
        return counter

    def places(self) -> list[Place]:
        """Where everybody stands after the last order."""
        return [place for counter in self.by_edition.values() for place in counter.places.values()]
