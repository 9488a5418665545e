"""What a paid order gives: the tier, the member's points, what its invitation brings, the messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Member
from accounts.services.messages import Telling, tell
from loyalty.models import Purpose, RuleSet, Tier, TierChange
from loyalty.queries.rules import available_at, expires_on, points_for, rule_set_in_force
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.standing import count_paid_sum, earning_tier
from loyalty.services.telling import told_of_change
from orders.models import Order, Outlet
from orders.queries.figures import Figures, figures
from orders.queries.orders import first_bought_at, open_credits
from orders.services.telling import order_paid
from referrals.services import (
    FriendsOrder,
    count_friends_order,
    give_welcome,
    reward_inviter,
    take_back_rewards,
)
from referrals.services.telling import share_earned, welcome_given


def note(
    order: Order, actor_id: int | None, *, rule_set_id: int | None = None, **explanation: object
) -> Note:
    """What a posting of this order says about itself."""
    return Note(
        purpose=Purpose.ORDER,
        order_id=order.pk,
        rule_set_id=rule_set_id,
        actor_id=actor_id,
        explanation={"order": order.number, **explanation},
    )


def earn(order: Order, *, key: UUID, at: datetime, actor_id: int | None) -> None:
    """Everything that follows from a member's paid order, from top to bottom.

    The edition is the one in force when the order was paid, and stays the order's for ever.
    The caller holds the locks, and saves the order.
    """
    member, paid_at = _member_and_day(order)
    rule_set = rule_set_in_force(paid_at)
    sums = figures(order, order.lines.all(), rule_set)
    move = count_paid_sum(
        member=member,
        order_id=order.pk,
        paid_sum=sums.money_sum,
        counted_at=paid_at,
        rule_set=rule_set,
        at=at,
        cause=TierChange.Cause.ORDER,
    )
    tier = earning_tier(rule_set=rule_set, move=move)
    credit_points(order, rule_set=rule_set, tier=tier, sums=sums, key=key, at=at, actor_id=actor_id)
    share = welcome = None
    referral = count_friends_order(
        invited=member, paid_at=paid_at, at=at, phone=order.customer_phone and str(order.customer_phone)
    )
    if referral is not None:
        friends_order = FriendsOrder(
            order_id=order.pk, base_sum=sums.base_sum, rule_set=rule_set, paid_at=paid_at, at=at, key=key
        )
        share = reward_inviter(referral, friends_order)
        welcome = give_welcome(referral, friends_order)
    tell(
        *order_paid(
            member_id=member.pk,
            order=order.number,
            earned_points=order.earned_points,
            spent_points=order.spent_points,
            at=at,
            available_at=available_at(rule_set, at),
            tier=told_of_change(move.change, paid_sum=move.standing.paid_sum, at=at),
        ),
        *share_earned(share, friend=member),
        *welcome_given(welcome, friend=member),
    )


def credit_points(
    order: Order,
    *,
    rule_set: RuleSet,
    tier: Tier,
    sums: Figures,
    key: UUID,
    at: datetime,
    actor_id: int | None,
) -> None:
    """Credit what the order earns its member in that tier, and note it on the order."""
    order.rule_set = rule_set
    order.tier = tier
    order.coefficient = tier.coefficient
    order.earned_points = points_for(rule_set, sums.base_sum, tier.coefficient)
    if not order.earned_points or order.member is None:
        return
    ledger.credit(
        key=event_key(key, "earn"),
        account_id=order.member.pk,
        points=order.earned_points,
        at=at,
        available_at=available_at(rule_set, at),
        expires_on=expires_on(rule_set, at),
        note=note(
            order,
            actor_id,
            rule_set_id=rule_set.pk,
            **explain_earning(
                rule_set=rule_set,
                tier=tier,
                sums=sums,
                total_sum=order.total_sum,
                refunded_sum=order.refunded_sum,
                outlet=order.outlet,
            ),
        ),
    )


def explain_earning(
    *,
    rule_set: RuleSet,
    tier: Tier,
    sums: Figures,
    total_sum: Decimal,
    refunded_sum: Decimal,
    outlet: Outlet | None,
) -> dict[str, object]:
    """The figures behind what an order earns, from its total to the base, and the rules applied."""
    return {
        "edition": rule_set.number,
        **tier.words(),
        "coefficient": tier.coefficient,
        "total_sum": total_sum,
        "delivery_sum": 0 if rule_set.earns_on_delivery else sums.delivery_sum,
        "excluded_sum": sums.excluded_sum,
        "points_part_sum": sums.points_part_sum,
        "refunded_sum": refunded_sum,
        "base_sum": sums.base_sum,
        "rounding": rule_set.rounding,
        "outlet": outlet.name if outlet else "",
    }


@dataclass(frozen=True)
class TakenBack:
    """How many points a return has taken back, and what the member is told of their tier, if it moved."""

    points: int = 0
    tier: Sequence[Telling] = ()


def take_back(
    order: Order, *, key: UUID, at: datetime, money_sum: Decimal, is_over: bool, actor_id: int | None
) -> TakenBack:
    """Take back what the returned part of an order had earned, and `money_sum` off the paid sum.

    What is kept is what the rest of the order earns by the order's own edition and coefficient. With
    `is_over` nothing is left of it from this step on. The member is told by the caller.
    """
    member, paid_at = _member_and_day(order)
    rule_set, coefficient = _earned_by(order)
    sums = figures(order, order.lines.all(), rule_set)
    kept_points = points_for(rule_set, sums.base_sum, coefficient)
    taken_back_points = max(order.earned_points - order.taken_back_points - kept_points, 0)
    left_points = taken_back_points
    for credit in open_credits(order) if taken_back_points else ():
        points = min(left_points, credit.points - credit.taken_back_points)
        ledger.take_back(
            key=event_key(key, "take back", credit.posting_id),
            credit_id=credit.posting_id,
            points=points,
            at=at,
            note=note(
                order,
                actor_id,
                rule_set_id=rule_set.pk,
                edition=rule_set.number,
                coefficient=coefficient,
                base_sum=sums.base_sum,
                kept_points=kept_points,
                rounding=rule_set.rounding,
            ),
        )
        left_points -= points
        if not left_points:
            break
    order.taken_back_points += taken_back_points
    move = count_paid_sum(
        member=member,
        order_id=order.pk,
        paid_sum=-money_sum,
        counted_at=paid_at,
        rule_set=rule_set_in_force(at),
        at=at,
        cause=TierChange.Cause.REFUND,
    )
    take_back_rewards(
        invited=member,
        order_id=order.pk,
        paid_at=paid_at,
        base_sum=sums.base_sum,
        is_over=is_over,
        bought_at=first_bought_at(member, but=order) if is_over else None,
        at=at,
        key=event_key(key, "share"),
    )
    return TakenBack(taken_back_points, told_of_change(move.change, paid_sum=move.standing.paid_sum, at=at))


def _member_and_day(order: Order) -> tuple[Member, datetime]:
    if order.member is None or order.paid_at is None:
        raise ValueError(f"Order {order.pk} earns nothing: it is not a member's paid order.")
    return order.member, order.paid_at


def _earned_by(order: Order) -> tuple[RuleSet, Decimal]:
    if order.rule_set is None or order.coefficient is None:
        raise ValueError(f"Order {order.pk} has earned nothing that could be taken back.")
    return order.rule_set, order.coefficient
