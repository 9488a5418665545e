"""The sums behind an order: what earns points, what points pay for, what a refund returns.

All of it follows from the order as it was paid and from what is refunded so far in total, never
from the steps in between: so any sequence of partial refunds ends where one refund would have.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import ceil

from loyalty.models import RuleSet
from orders.errors import LARGEST_SUM, BadSum, LinesDoNotAddUp
from orders.models import Order, OrderLine

KOPECK = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class LineSpec:
    """One line of an order as it is sent; `line_sum` is what all its units cost."""

    name: str
    line_sum: Decimal
    category: str = ""
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True)
class Figures:
    """An order's sums, after what is refunded so far.

    `goods_sum` and `delivery_sum` are what is left of both, `excluded_sum` the goods that earn
    nothing, `points_part_sum` what points paid of the rest, and `base_sum` what earns points.
    `money_sum` is the money that the customer has paid and not got back.
    """

    goods_sum: Decimal
    delivery_sum: Decimal
    excluded_sum: Decimal
    points_part_sum: Decimal
    base_sum: Decimal
    money_sum: Decimal


def check_sums(*, total_sum: Decimal, delivery_sum: Decimal, lines: Sequence[LineSpec]) -> None:
    """Refuse sums that no order can have (BadSum, LinesDoNotAddUp)."""
    check_sum("total_sum", total_sum)
    check_sum("delivery_sum", delivery_sum)
    if delivery_sum > total_sum:
        raise BadSum("delivery_sum", delivery_sum)
    for line in lines:
        check_sum("lines", line.line_sum)
        if line.quantity <= 0:
            raise BadSum("lines", line.quantity)
    lines_sum = sum((line.line_sum for line in lines), delivery_sum)
    if lines and lines_sum != total_sum:
        raise LinesDoNotAddUp(lines_sum, total_sum)


def check_sum(field: str, given: Decimal) -> None:
    """Refuse what is negative, enormous, or finer than a kopeck."""
    if not given.is_finite() or not 0 <= given <= LARGEST_SUM or given != round(given, 2):
        raise BadSum(field, given)


def figures(order: Order, lines: Iterable[OrderLine], rule_set: RuleSet) -> Figures:
    """The order's sums by the rules of an edition.

    base = goods that earn × share of the goods that money paid, and the same for the delivery where
    the edition lets it earn. Points pay for the goods first.
    """
    goods = order.total_sum - order.delivery_sum
    points_on_goods = min(Decimal(order.spent_points), goods)
    points_on_delivery = order.spent_points - points_on_goods
    goods_left = goods - (order.refunded_sum - order.refunded_delivery_sum)
    delivery_left = order.delivery_sum - order.refunded_delivery_sum
    excluded = sum(
        (
            line.line_sum - line.refunded_sum
            for line in lines
            if line.category in rule_set.excluded_categories
        ),
        Decimal(0),
    )
    earning_goods = goods_left - excluded
    earning_delivery = delivery_left if rule_set.earns_on_delivery else Decimal(0)
    if rule_set.earns_on_points_part:
        paid = earning_goods + earning_delivery
    else:
        paid = _money_share(earning_goods, points_on_goods, goods) + _money_share(
            earning_delivery, points_on_delivery, order.delivery_sum
        )
    base = paid.quantize(KOPECK, ROUND_HALF_UP)
    return Figures(
        goods_sum=goods_left,
        delivery_sum=delivery_left,
        excluded_sum=excluded,
        points_part_sum=earning_goods + earning_delivery - base,
        base_sum=base,
        money_sum=order.total_sum - order.refunded_sum - (order.spent_points - points_due_back(order)),
    )


def points_due_back(order: Order) -> int:
    """How many of the spent points belong to what is refunded so far.

    Each ruble of goods was paid by the same share of points, rounded down, but never so few that
    more money would go back than was paid; when all is refunded, all of them come back.
    """
    goods = order.total_sum - order.delivery_sum
    points_on_goods = min(Decimal(order.spent_points), goods)
    points_on_delivery = order.spent_points - points_on_goods
    back = Decimal(0)
    if points_on_goods:
        back += points_on_goods * (order.refunded_sum - order.refunded_delivery_sum) / goods
    if points_on_delivery:
        back += points_on_delivery * order.refunded_delivery_sum / order.delivery_sum
    money_paid_sum = order.total_sum - order.spent_points
    # The division is exact to 28 digits; a full refund must not lose a point to the last one.
    share = int(back.quantize(Decimal("1e-9"), ROUND_HALF_UP))
    return max(share, ceil(order.refunded_sum - money_paid_sum))


def _money_share(part: Decimal, points: Decimal, whole: Decimal) -> Decimal:
    return part * (whole - points) / whole if whole else Decimal(0)
