"""What an order would earn and how many points it may take, before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Member
from loyalty.errors import AccountBlocked, LoyaltyError, NotEnoughPoints
from loyalty.models import RuleSet, Standing, Tier
from loyalty.queries.balance import Balance, balance
from loyalty.queries.rules import (
    available_at,
    expires_on,
    points_for,
    redemption_cap_points,
    redemption_cap_rate,
    rule_set_in_force,
    tier_for,
)
from loyalty.queries.standing import paid_sum_at
from loyalty.templatetags.numbers import figures as digits
from loyalty.templatetags.numbers import points as points_text
from loyalty.templatetags.numbers import rate
from orders.errors import BelowMinimum, NotAMember
from orders.models import Order, OrderLine
from orders.queries.figures import LineSpec, check_sums, figures


class Limit(StrEnum):
    """What keeps more points from being spent on an order; nothing does but the order's own sum."""

    NOTHING = "nothing"
    BALANCE = "balance"
    CAP = "cap"
    MINIMUM = "minimum"
    BLOCKED = "blocked"
    NOT_A_MEMBER = "not_a_member"


@dataclass(frozen=True, kw_only=True)
class Quote:
    """An order as it would be if it were placed and paid at `at` with `points` of the member's.

    The sums are those of `orders.queries.figures.Figures`; `to_pay_sum` is the money left to pay.
    `held_points` are set aside already and are spent in any case; `points` come on top of them, and
    so do `spendable_points`, the most that may be added. `cap_points` is the most that points may
    pay of this order altogether.

    Tiers, coefficient and days are None where nothing is earned because the order is nobody's.
    `refusal` is what setting aside the points asked for would be refused with.
    """

    at: datetime
    rule_set: RuleSet
    tier: Tier | None
    tier_after: Tier | None
    coefficient: Decimal | None

    total_sum: Decimal
    goods_sum: Decimal
    delivery_sum: Decimal
    excluded_sum: Decimal
    points_part_sum: Decimal
    base_sum: Decimal
    to_pay_sum: Decimal

    asked_points: int
    points: int
    held_points: int
    hold_expires_at: datetime
    earned_points: int
    available_at: datetime | None
    expires_on: date | None

    available_points: int
    cap_points: int
    cap_rate: Decimal
    minimum_points: int
    spendable_points: int
    limited_by: Limit
    refusal: LoyaltyError | None

    @property
    def least_points(self) -> int:
        """How many points must be added at least, where any can be."""
        return max(self.minimum_points - self.held_points, 1)

    @property
    def limit_sentence(self) -> str:
        """What limits the points to be spent, in words for the member."""
        match self.limited_by:
            case Limit.NOT_A_MEMBER:
                return str(NotAMember())
            case Limit.BLOCKED:
                return str(AccountBlocked())
            case Limit.MINIMUM:
                most_points = min(self.cap_points, self.held_points + self.available_points)
                return ngettext(
                    "At least %(count)s point must be spent on an order. Possible on this one: %(most)s.",
                    "At least %(count)s points must be spent on an order. Possible on this one: %(most)s.",
                    self.minimum_points,
                ) % {"count": digits(self.minimum_points), "most": points_text(most_points)}
            case Limit.CAP:
                return _("Points can pay for at most %(rate)s of this order: %(cap)s.") % {
                    "rate": rate(self.cap_rate),
                    "cap": points_text(self.cap_points),
                }
            case Limit.BALANCE if not self.available_points:
                return _("No points are available at present.")
            case Limit.BALANCE:
                return ngettext(
                    "%(count)s point is available.",
                    "%(count)s points are available.",
                    self.available_points,
                ) % {"count": digits(self.available_points)}
            case Limit.NOTHING:
                return _("Points can pay for the whole order: %(cap)s.") % {
                    "cap": points_text(self.cap_points)
                }


@dataclass(frozen=True)
class _Stand:
    """A member's tier as points are set aside, and the paid sum that the order adds to."""

    spending_tier: Tier
    paid_sum: Decimal
    floor_position: int | None


def quote(
    *,
    member: Member | None,
    total_sum: Decimal,
    delivery_sum: Decimal = Decimal(0),
    lines: Sequence[LineSpec] = (),
    points: int | None = None,
    at: datetime,
    held_points: int = 0,
) -> Quote:
    """What placing and paying this order at `at` would give, with `points` of the member's points.

    Where fewer can be spent it reckons with those, and says so in `refusal` and `limited_by`. It
    writes nothing; at most 4 queries.

    Raises:
        BadSum, LinesDoNotAddUp: the sums cannot be.
        NoRulesInForce: the moment lies before the first edition.
    """
    check_sums(total_sum=total_sum, delivery_sum=delivery_sum, lines=lines)
    rule_set = rule_set_in_force(at)
    stand = _stand(member, rule_set, at)
    purse = balance(account_id=member.pk, at=at) if member else None
    tier = stand.spending_tier
    cap_points = redemption_cap_points(rule_set, tier, total_sum)
    minimum_points = rule_set.redemption_minimum_points
    available_points = purse.available_points if purse else 0

    room_points = max(cap_points - held_points, 0)
    most_points = min(room_points, available_points)
    limited_by = _limit(
        purse,
        room_points=room_points,
        is_below_minimum=held_points + most_points < minimum_points,
        is_capped=cap_points < int(total_sum),
    )
    is_spendable = limited_by in (Limit.NOTHING, Limit.CAP, Limit.BALANCE)
    spendable_points = most_points if is_spendable else 0
    asked_points = points or 0
    reckoned_points = min(asked_points, spendable_points)
    if held_points + reckoned_points < minimum_points:
        reckoned_points = 0

    order = Order(total_sum=total_sum, delivery_sum=delivery_sum, spent_points=held_points + reckoned_points)
    sums = figures(
        order, [OrderLine(category=line.category, line_sum=line.line_sum) for line in lines], rule_set
    )
    tier_before = tier_for(rule_set, stand.paid_sum, stand.floor_position)
    tier_after = tier_for(rule_set, stand.paid_sum + sums.money_sum, stand.floor_position)
    earning_tier = tier_after if rule_set.crossing_order_earns_new_tier else tier_before
    return Quote(
        at=at,
        rule_set=rule_set,
        tier=earning_tier if member else None,
        tier_after=tier_after if member else None,
        coefficient=earning_tier.coefficient if member else None,
        total_sum=total_sum,
        goods_sum=sums.goods_sum,
        delivery_sum=sums.delivery_sum,
        excluded_sum=sums.excluded_sum,
        points_part_sum=sums.points_part_sum,
        base_sum=sums.base_sum,
        to_pay_sum=sums.money_sum,
        asked_points=asked_points,
        points=reckoned_points,
        held_points=held_points,
        hold_expires_at=hold_expires_at(at),
        earned_points=points_for(rule_set, sums.base_sum, earning_tier.coefficient) if member else 0,
        available_at=available_at(rule_set, at) if member else None,
        expires_on=expires_on(rule_set, at) if member else None,
        available_points=available_points,
        cap_points=cap_points,
        cap_rate=redemption_cap_rate(rule_set, tier),
        minimum_points=minimum_points,
        spendable_points=spendable_points,
        limited_by=limited_by,
        refusal=_refusal(
            purse,
            points=min(asked_points, cap_points - held_points),
            held_points=held_points,
            minimum_points=minimum_points,
        )
        if asked_points
        else None,
    )


def order_quote(order: Order, *, points: int | None, at: datetime) -> Quote:
    """The quote of an unpaid order; `points` come on top of what is set aside for it already."""
    return quote(
        member=order.member,
        total_sum=order.total_sum,
        delivery_sum=order.delivery_sum,
        lines=[
            LineSpec(name=line.name, category=line.category, quantity=line.quantity, line_sum=line.line_sum)
            for line in order.lines.all()
        ],
        points=points,
        at=at,
        held_points=order.held_points,
    )


def hold_expires_at(at: datetime) -> datetime:
    """Until when points set aside at `at` wait for their order to be paid."""
    return at + timedelta(hours=settings.HOLD_HOURS)


def _stand(member: Member | None, rule_set: RuleSet, at: datetime) -> _Stand:
    standing = Standing.objects.select_related("tier__rule_set").filter(member=member).first()
    if standing is None:
        return _Stand(tier_for(rule_set, Decimal(0)), Decimal(0), None)
    paid_sum = paid_sum_at(standing, rule_set, at)
    tier = tier_for(rule_set, paid_sum, standing.floor_position)
    # A standing that newer rules have reached stays with them, also for an order that comes late.
    if (standing.tier.rule_set.number or 0) > (rule_set.number or 0):
        tier = standing.tier
    return _Stand(tier, paid_sum, standing.floor_position)


def _limit(purse: Balance | None, *, room_points: int, is_below_minimum: bool, is_capped: bool) -> Limit:
    """What limits the points, the hardest to mend first."""
    if purse is None:
        return Limit.NOT_A_MEMBER
    if purse.is_blocked:
        return Limit.BLOCKED
    if is_below_minimum:
        return Limit.MINIMUM
    if purse.available_points < room_points:
        return Limit.BALANCE
    return Limit.CAP if is_capped else Limit.NOTHING


def _refusal(
    purse: Balance | None, *, points: int, held_points: int, minimum_points: int
) -> LoyaltyError | None:
    """What setting these points aside would be refused with; they are within the cap already."""
    if purse is None:
        return NotAMember()
    if held_points + points < minimum_points:
        return BelowMinimum(minimum_points)
    if points <= 0:
        return None
    if purse.is_blocked:
        return AccountBlocked()
    return NotEnoughPoints(purse.available_points) if points > purse.available_points else None
