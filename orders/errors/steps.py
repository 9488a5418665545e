"""What a step of an order may be refused for, in words for the person who sent it."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors import LoyaltyError


class OrderError(LoyaltyError):
    """A refusal of a step of an order's life. `field` is the part of the request it is about."""

    code = "order_refused"
    field = ""


class BadSum(OrderError):
    """A sum that no order can have."""

    code = "bad_sum"

    def __init__(self, field: str, found: object) -> None:
        super().__init__(field, found)
        self.field = field
        self.found = found

    def __str__(self) -> str:
        return _("“%(found)s” is not a possible sum: give 0 to %(largest)s with at most two decimals.") % {
            "found": self.found,
            "largest": LARGEST_SUM,
        }


LARGEST_SUM = Decimal("999999999.99")


class LinesDoNotAddUp(OrderError):
    """Lines and delivery do not make the total."""

    code = "lines_do_not_add_up"
    field = "lines"

    def __init__(self, lines_sum: Decimal, total_sum: Decimal) -> None:
        super().__init__(lines_sum, total_sum)
        self.lines_sum = lines_sum
        self.total_sum = total_sum

    def __str__(self) -> str:
        return _("The lines and the delivery make %(lines_sum)s, but the total is %(total_sum)s.") % {
            "lines_sum": self.lines_sum,
            "total_sum": self.total_sum,
        }


class OrderDiffers(OrderError):
    """The same order, or the same step under one key, came before with other content."""

    code = "order_differs"
    field = "number"

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return _(
            "Order %(number)s was sent before with other content, and nothing was changed. "
            "Send a correction as a refund, or as an order with a new number."
        ) % {"number": self.number}


class NotAMember(OrderError):
    """Points were asked for on an order of somebody who is no member."""

    code = "not_a_member"
    field = "points"

    def __str__(self) -> str:
        return _("Points can be spent by members only: name the member of this order.")


class ForeignOrder(OrderError):
    """Points of one member on the order of another."""

    code = "foreign_order"
    field = "member"

    def __str__(self) -> str:
        return _("This order belongs to somebody else: a member can pay only their own orders with points.")


class BelowMinimum(OrderError):
    """Fewer points than the edition lets be spent on one order."""

    code = "below_minimum"
    field = "points"

    def __init__(self, minimum_points: int) -> None:
        super().__init__(minimum_points)
        self.minimum_points = minimum_points

    def __str__(self) -> str:
        return ngettext(
            "At least %(count)s point must be spent on an order.",
            "At least %(count)s points must be spent on an order.",
            self.minimum_points,
        ) % {"count": self.minimum_points}


class WrongStatus(OrderError):
    """The order is not in a state in which this step can be taken."""

    code = "wrong_status"
    field = "status"

    def __init__(self, number: str, status: str) -> None:
        super().__init__(number, status)
        self.number = number
        self.status = status

    def __str__(self) -> str:
        return _("Order %(number)s is %(status)s: this cannot be done to it any more.") % {
            "number": self.number,
            "status": self.status,
        }


class AboveOrder(OrderError):
    """More was to be refunded than is left of the order or of one of its lines."""

    code = "above_order"
    field = "refund"

    def __init__(self, left_sum: Decimal) -> None:
        super().__init__(left_sum)
        self.left_sum = left_sum

    def __str__(self) -> str:
        return _("Only %(left_sum)s is left to be refunded here.") % {"left_sum": self.left_sum}


class NothingToRefund(OrderError):
    """A refund of nothing."""

    code = "nothing_to_refund"
    field = "refund"

    def __str__(self) -> str:
        return _("Say what is refunded: lines, a sum, or the delivery.")


class LinesNeeded(OrderError):
    """A refund by sum of an order that has lines, or by lines of one that has none."""

    code = "lines_needed"
    field = "lines"

    def __init__(self, *, has_lines: bool) -> None:
        super().__init__(has_lines)
        self.has_lines = has_lines

    def __str__(self) -> str:
        if self.has_lines:
            return _("This order has lines: say which of them are refunded, and how much of each.")
        return _("This order has no such lines: say which sum is refunded.")


class HoldLapsed(OrderError):
    """The points set aside for the order came free again, and were spent elsewhere."""

    code = "hold_lapsed"
    field = "points"

    def __init__(self, needed_points: int, available_points: int) -> None:
        super().__init__(needed_points, available_points)
        self.needed_points = needed_points
        self.available_points = available_points

    def __str__(self) -> str:
        return ngettext(
            "The points set aside for this order were released when it was not paid in time, and "
            "%(count)s point is available now. Cancel the order and place it again.",
            "The points set aside for this order were released when it was not paid in time, and "
            "%(count)s points are available now. Cancel the order and place it again.",
            self.available_points,
        ) % {"count": self.available_points}


class OrderUnknown(OrderError):
    """The source has sent no order of that number."""

    code = "order_not_found"
    field = "number"

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return _(
            "There is no order with the number “%(number)s”. Check the number, or place the order first."
        ) % {"number": self.number}


class StepTooEarly(OrderError):
    """A return that is said to have happened before the order was paid."""

    code = "step_too_early"

    def __init__(self, field: str, paid_at: datetime) -> None:
        super().__init__(field, paid_at)
        self.field = field
        self.paid_at = paid_at

    def __str__(self) -> str:
        return _("The order was paid at %(moment)s, and this is said to have happened before.") % {
            "moment": timezone.localtime(self.paid_at).isoformat(timespec="seconds")
        }


class MoneyDiffers(OrderError):
    """The money that was taken is not what was left to pay."""

    code = "money_differs"
    field = "money_sum"

    def __init__(self, to_pay_sum: Decimal) -> None:
        super().__init__(to_pay_sum)
        self.to_pay_sum = to_pay_sum

    def __str__(self) -> str:
        return _(
            "What is left to pay is %(to_pay_sum)s: the points set aside for the order have changed."
        ) % {"to_pay_sum": self.to_pay_sum}
