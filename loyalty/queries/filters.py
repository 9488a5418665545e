"""Which of a member's operations somebody asks for, and how the database is asked."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

from django.conf import settings

from loyalty.cursors import number_of
from loyalty.models import Posting, Purpose


class Sign(IntEnum):
    """Which way an operation's points go, as the list shows them."""

    PLUS = 1
    MINUS = -1


@dataclass(frozen=True, kw_only=True)
class OperationFilter:
    """Which operations are wanted; whatever is left empty asks for nothing.

    What undoes an operation is of its kind, too, and what goes on with one was made for the same. The
    days are those of the programme's zone, both included. `search` is a part of an order's number, an
    outlet, a friend's or the other member's name or a reason, in any case of letters, or a whole
    operation number.
    """

    kinds: frozenset[Posting.Kind] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    since_on: date | None = None
    until_on: date | None = None
    sign: Sign | None = None
    search: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every operation is wanted."""
        return self == EVERYTHING

    @property
    def is_period(self) -> bool:
        """Whether the days are all it asks for."""
        return not (self.is_empty or self.kinds or self.purposes or self.sign or self.search)


EVERYTHING = OperationFilter()

# What each part of a filter asks of `posting`, which touched the account %(account_id)s. “+ 0” lets its
# entries be looked up by posting: the account may have thousands.
CONDITIONS = {
    "kinds": """
        (posting.kind = any(%(kinds)s)
         or posting.kind = 'reverse'
            and (select kind from loyalty_posting where id = posting.origin_id) = any(%(kinds)s))""",
    "purposes": """
        coalesce(nullif(posting.purpose, ''),
                 (select purpose from loyalty_posting where id = posting.origin_id)) = any(%(purposes)s)""",
    "since_on": "posting.effective_at >= %(since_on)s::date::timestamp at time zone %(zone)s",
    "until_on": "posting.effective_at < (%(until_on)s::date + 1)::timestamp at time zone %(zone)s",
    # As `Operation.points` has it.
    "sign": """
        (select sign(case when bool_or(bucket in ('available', 'debt'))
                          then coalesce(sum(points) filter (where bucket = 'available'), 0)
                          else coalesce(sum(points) filter (where bucket = 'pending'), 0) end)
           from loyalty_entry
          where posting_id = posting.id and account_id + 0 = %(account_id)s) = %(sign)s""",
    # The same words that `loyalty.wording` names an operation by; of a transfer, the other side.
    "search": """
        (posting.id = %(number)s
         or exists (
            select from (select coalesce(
                             (select explanation from loyalty_posting where id = posting.origin_id), '{}'
                         ) || posting.explanation as words) as said
             where position(lower(%(search)s) in lower(concat_ws(
                       chr(10), words->>'order', words->>'outlet', words->>'friend', words->>'reason',
                       case when words ? 'to' then words->>case
                           when (posting.kind = 'reverse') = exists (
                                    select from loyalty_entry
                                     where posting_id = posting.id and account_id + 0 = %(account_id)s
                                       and points < 0)
                           then 'from' else 'to' end end))) > 0))""",
}


def condition(filters: OperationFilter) -> str:
    """What the filter asks of a row `posting`, as SQL."""
    wanted = {
        "kinds": bool(filters.kinds),
        "purposes": bool(filters.purposes),
        "since_on": filters.since_on is not None,
        "until_on": filters.until_on is not None,
        "sign": filters.sign is not None,
        "search": bool(filters.search),
    }
    return " and ".join(CONDITIONS[name] for name, is_wanted in wanted.items() if is_wanted) or "true"


def condition_values(filters: OperationFilter) -> dict[str, Any]:
    """The values that `condition` names."""
    number = filters.search.strip("№# ")
    return {
        "kinds": [kind.value for kind in filters.kinds],
        "purposes": [purpose.value for purpose in filters.purposes],
        "since_on": filters.since_on,
        "until_on": filters.until_on,
        "sign": filters.sign and int(filters.sign),
        "search": filters.search,
        "number": number_of(number),
        "zone": settings.TIME_ZONE,
    }
