# ruff: noqa: S608, since the queries are put together from our own words only
"""Which tier each member has under the edition in force, and which under the draft."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain

from django.db import connection
from django.db.models import Count

from accounts.contacts import masked_name
from loyalty.models import Standing
from loyalty.queries.rules import keeps_floors
from supervisor.queries.what_if.figures import ChangedMember, Example, FloorLine, Move, TierLine
from supervisor.queries.what_if.sides import EVERYBODY, Parameters, Sides, of_half

EXAMPLES = 10
# So many rows of a long list are fetched at once.
FETCHED_ROWS = 2_000


@dataclass(frozen=True)
class Places:
    """How many members go from each tier to each, and how many of them a tier set by hand holds."""

    sides: Sides
    members: dict[tuple[int, int], int]
    floors_kept: int

    def __add__(self, other: "Places") -> "Places":
        members = Counter(self.members)
        members.update(other.members)
        return replace(self, members=dict(members), floors_kept=self.floors_kept + other.floors_kept)

    def matrix(self) -> list[Move]:
        """Every way from a tier to a tier, the lowest first; zeros included."""
        return [
            Move(
                from_name=self.sides.now.tiers[from_ - 1].name,
                to_name=self.sides.then.tiers[to - 1].name,
                members=self.members.get((from_, to), 0),
                direction=self.sides.direction(from_, to),
            )
            for from_, to in self.sides.ways()
        ]

    def worse_off(self) -> int:
        """How many members will earn, get for their friends, or pay with points by a lower rate."""
        return sum(members for way, members in self.members.items() if self.sides.is_worse(*way))

    def lines(self) -> list[TierLine]:
        """The tiers of both editions side by side, the lowest first."""
        same = [one.same for one in self.sides.become]
        beside = {tier.position: place for place, tier in enumerate(same, start=1) if tier}
        lines = [self._line(beside.get(to - 1), to) for to in range(1, len(self.sides.then.tiers) + 1)]
        lines += [self._line(place, None) for place, tier in enumerate(same, start=1) if tier is None]
        lines.sort(key=_threshold)
        return [replace(line, position=position) for position, line in enumerate(lines)]

    def _line(self, from_: int | None, to: int | None) -> TierLine:
        now = self.sides.now.tiers[from_ - 1] if from_ else None
        then = self.sides.then.tiers[to - 1] if to else None
        return TierLine(
            name_now=now.name if now else None,
            name_then=then.name if then else None,
            position=0,
            threshold_now=now.threshold_sum if now else None,
            threshold_then=then.threshold_sum if then else None,
            coefficient_now=now.coefficient if now else None,
            coefficient_then=then.coefficient if then else None,
            members_now=sum(members for way, members in self.members.items() if way[0] == from_),
            members_then=sum(members for way, members in self.members.items() if way[1] == to),
        )


def _threshold(line: TierLine) -> tuple[Decimal, bool]:
    """Where a line stands: by the threshold of the draft, or else of the edition in force."""
    sums = [sum_ for sum_ in (line.threshold_then, line.threshold_now) if sum_ is not None]
    return sums[0], line.threshold_then is None


def place_members(sides: Sides, parameters: Parameters) -> Places:
    """Fill `what_if_member` with a half of the members, and count who goes where."""
    by_sum = f"greatest(width_bucket(paid_then, %({sides.then.name}_thresholds)s::bigint[]), 1)"
    with connection.cursor() as cursor:
        cursor.execute("delete from what_if_member")
        cursor.execute(f"insert into what_if_member {placed_members(sides)}", parameters)
        cursor.execute("analyze what_if_member")
        cursor.execute(
            f"""select tier_now, tier_then, count(*), count(*) filter (where tier_then > {by_sum})
                  from what_if_member group by tier_now, tier_then""",
            parameters,
        )
        rows = cursor.fetchall()
    members = {(from_, to): count for from_, to, count, _held in rows}
    return Places(sides, members, floors_kept=sum(held for *_rest, held in rows))


def floor_lines(sides: Sides) -> list[FloorLine]:
    """The tiers set by hand whose place has another tier in the draft, the lowest first.

    A place above all tiers is that of the highest one.
    """
    if not keeps_floors(sides.then.rule_set):
        return []
    set_by_hand = (
        Standing.objects.filter(member__is_sandbox=False, floor_position__isnull=False)
        .values_list("floor_position")
        .annotate(members=Count("member"))
        .order_by("floor_position")
    )
    members = Counter[tuple[int, int]]()
    for position, count in set_by_hand:
        from_, to = (min(position + 1, len(side.tiers)) for side in (sides.now, sides.then))
        members[from_, to] += count
    return [
        FloorLine(sides.now.tiers[from_ - 1].name, sides.then.tiers[to - 1].name, count)
        for (from_, to), count in members.items()
        if sides.direction(from_, to)
    ]


def placed_members(sides: Sides) -> str:
    """SQL for a row of each member of a half: the tiers of both editions and the sums that decide them.

    As `loyalty.services.recount` recounts them: the sum of all time is on the standing, unless the
    standing is of an edition that counts the last months. Who has no standing has paid nothing.
    """
    now, then = sides.now.paid_sum(), sides.then.paid_sum()
    counts = " or ".join(dict.fromkeys([sides.now.counts(), sides.then.counts()]))
    return f"""
        select member.id as member_id,
               {sides.now.tier(now, "standing.floor_position")} as tier_now,
               {sides.then.tier(then, "standing.floor_position")} as tier_then,
               {then} as paid_then
          from accounts_member as member
          left join loyalty_standing as standing on standing.member_id = member.id
          left join (
               select member_id, {sides.now.counted_sum()}, {sides.then.counted_sum()}
                 from loyalty_paid_sum_entry
                where {of_half("member_id")} and ({counts})
                group by member_id
               ) as counted (member_id, paid_now, paid_then) on counted.member_id = member.id
         where not member.is_sandbox and {of_half("member.id")}"""


def examples(sides: Sides, direction: int, parameters: Parameters) -> list[tuple[int, Example]]:
    """Those of a half who rise (1) or fall (-1) with most at stake, and how much that is.

    At stake is the paid sum times the difference of the coefficients.
    """
    before, after = (
        sides.now.of_tier("coefficients", "tier_now"),
        sides.then.of_tier("coefficients", "tier_then"),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""select paid_then * abs({after} - {before}) as stake, member_id, tier_now, tier_then, paid_then
                  from what_if_member
                 where {_goes(sides, "%(direction)s")}
                 order by stake desc, paid_then desc, member_id
                 limit {EXAMPLES}""",
            {**parameters, **_directions(sides), "direction": direction},
        )
        return [
            (
                stake,
                Example(
                    member_id=member_id,
                    from_name=sides.now.tiers[from_ - 1].name,
                    to_name=sides.then.tiers[to - 1].name,
                    paid_sum=rubles(paid),
                ),
            )
            for stake, member_id, from_, to, paid in cursor.fetchall()
        ]


def most_at_stake(*halves: list[tuple[int, Example]]) -> list[Example]:
    """The examples of all members, out of those of each half."""
    found = sorted(chain(*halves), key=lambda one: (-one[0], -one[1].paid_sum, one[1].member_id))
    return [example for _stake, example in found[:EXAMPLES]]


def moved_members(sides: Sides, parameters: Parameters) -> Iterator[ChangedMember]:
    """Everybody who rises or falls, by id, fetched as they are asked for."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""select member.number, member.first_name, member.last_name, placed.*
                  from ({placed_members(sides)}) as placed
                  join accounts_member as member on member.id = placed.member_id
                 where {_goes(sides, "any('{-1,1}')")}
                 order by placed.member_id""",
            {**parameters, **_directions(sides), **EVERYBODY},
        )
        while rows := cursor.fetchmany(FETCHED_ROWS):
            for number, first_name, last_name, member_id, from_, to, paid_then in rows:
                yield ChangedMember(
                    member_id=member_id,
                    number=number,
                    masked_name=masked_name(first_name, last_name),
                    from_name=sides.now.tiers[from_ - 1].name,
                    to_name=sides.then.tiers[to - 1].name,
                    is_rise=sides.direction(from_, to) > 0,
                    paid_sum=rubles(paid_then),
                )


def rubles(kopecks: int) -> Decimal:
    """A sum of money out of whole kopecks."""
    return Decimal(kopecks).scaleb(-2)


def _goes(sides: Sides, direction: str) -> str:
    return f"(%(directions)s::integer[])[(tier_now - 1) * {len(sides.then.tiers)} + tier_then] = {direction}"


def _directions(sides: Sides) -> Parameters:
    return {"directions": [sides.direction(from_, to) for from_, to in sides.ways()]}
