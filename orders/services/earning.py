"""What a paid order gives: the paid sum and the tier, the member's points, the inviter's share."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Member
from loyalty.models import Purpose, RuleSet, Tier, TierChange
from loyalty.queries.rules import available_at, expires_on, points_for, rule_set_in_force
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.standing import count_paid_sum, earning_tier
from orders.models import Order, Outlet
from orders.queries.figures import Figures, figures
from orders.queries.orders import open_credits
from referrals.services import reward_inviter, take_back_share


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
    """Count a member's paid order: move the tier, credit the points, give the inviter their share.

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
    order.rule_set = rule_set
    order.tier = tier
    order.coefficient = tier.coefficient
    order.earned_points = points_for(rule_set, sums.base_sum, tier.coefficient)
    if order.earned_points:
        ledger.credit(
            key=event_key(key, "earn"),
            account_id=member.pk,
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
    reward_inviter(
        invited=member,
        order_id=order.pk,
        base_sum=sums.base_sum,
        rule_set=rule_set,
        at=at,
        key=event_key(key, "inviter's share"),
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
        "tier": tier.name,
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


def take_back(order: Order, *, key: UUID, at: datetime, money_sum: Decimal, actor_id: int | None) -> int:
    """Take back what the returned part of an order had earned, and `money_sum` off the paid sum.

    What is kept is what the rest of the order earns by the order's own edition and coefficient.
    Returns how many points were taken back.
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
    count_paid_sum(
        member=member,
        order_id=order.pk,
        paid_sum=-money_sum,
        counted_at=paid_at,
        rule_set=rule_set_in_force(at),
        at=at,
        cause=TierChange.Cause.REFUND,
    )
    take_back_share(order_id=order.pk, base_sum=sums.base_sum, at=at, key=event_key(key, "share"))
    return taken_back_points


def _member_and_day(order: Order) -> tuple[Member, datetime]:
    if order.member is None or order.paid_at is None:
        raise ValueError(f"Order {order.pk} earns nothing: it is not a member's paid order.")
    return order.member, order.paid_at


def _earned_by(order: Order) -> tuple[RuleSet, Decimal]:
    if order.rule_set is None or order.coefficient is None:
        raise ValueError(f"Order {order.pk} has earned nothing that could be taken back.")
    return order.rule_set, order.coefficient
