"""The tiers that a supervisor may set by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Member
from loyalty.models import Standing, Tier
from loyalty.queries.rules import keeps_floors, rule_set_in_force, tiers_of
from loyalty.queries.standing import StandingCard, standing_card


@dataclass(frozen=True)
class ByHand:
    """Where a member stands, what is set by hand, and what can be.

    Where the edition does not keep tiers set by hand, one can only be taken back.
    """

    standing: StandingCard
    floor_position: int | None
    tiers: Sequence[Tier]
    is_kept: bool

    @property
    def choices(self) -> Sequence[Tier]:
        """The tiers to choose from."""
        return self.tiers if self.is_kept else ()

    @property
    def floor(self) -> Tier | None:
        """The tier that is set by hand; None where there is none, or the edition has none in its place."""
        return next((tier for tier in self.tiers if tier.position == self.floor_position), None)


def by_hand(*, member: Member, at: datetime) -> ByHand:
    """What there is to know before a tier is set by hand."""
    rule_set = rule_set_in_force(at)
    floor = Standing.objects.filter(pk=member.pk).values_list("floor_position", flat=True).first()
    return ByHand(standing_card(member, at), floor, tiers_of(rule_set), keeps_floors(rule_set))
