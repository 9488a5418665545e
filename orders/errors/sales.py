"""What a sale that staff register may be refused for, in words for the colleague at the till."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.templatetags.numbers import figures, money
from orders.errors.steps import OrderError


class SaleNumberTaken(OrderError):
    """There is a sale with this receipt number."""

    code = "sale_number_taken"
    field = "number"

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return _(
            "A sale with the receipt number %(number)s is registered already. "
            "Check the number, or leave it out: the sale then gets one of its own."
        ) % {"number": self.number}


class ReceiptSent(OrderError):
    """The shop has sent this receipt itself."""

    code = "receipt_sent"
    field = "number"

    def __init__(self, number: str, source: str) -> None:
        super().__init__(number, source)
        self.number = number
        self.source = source

    def __str__(self) -> str:
        return _(
            "The order %(number)s is here already, from “%(source)s”: as a sale it would count twice. "
            "For another purchase correct the number, or leave it out."
        ) % {"number": self.number, "source": self.source}


class SaleDiffers(OrderError):
    """The key registered a sale before, with other content."""

    code = "sale_differs"

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return _(
            "This form has registered the sale %(number)s already, with other figures. "
            "Begin a new form for another sale."
        ) % {"number": self.number}


class PointsChanged(OrderError):
    """Since the sale was looked over, fewer points may pay for it; `most_points` is how many may."""

    code = "points_changed"
    field = "points"

    def __init__(self, most_points: int) -> None:
        super().__init__(most_points)
        self.most_points = most_points

    def __str__(self) -> str:
        return ngettext(
            "Now %(count)s point may pay for this sale. Look at the figures and confirm again.",
            "Now %(count)s points may pay for this sale. Look at the figures and confirm again.",
            self.most_points,
        ) % {"count": figures(self.most_points)}


class OutletClosed(OrderError):
    """The outlet takes no new sales."""

    code = "outlet_closed"
    field = "outlet"

    def __str__(self) -> str:
        return _("This outlet has been closed. Choose another one.")


class SaleTooLarge(OrderError):
    """More than the colleague may register alone: at once, or with what they have registered today."""

    code = "sale_too_large"
    field = "total"

    def __init__(self, sale_sum: Decimal, day_sum: Decimal, left_sum: Decimal) -> None:
        super().__init__(sale_sum, day_sum, left_sum)
        self.sale_sum = sale_sum
        self.day_sum = day_sum
        self.left_sum = left_sum

    def __str__(self) -> str:
        return _(
            "You may register up to %(sale)s at once and %(day)s a day, of which %(left)s is left today. "
            "Ask a supervisor to register this sale."
        ) % {"sale": money(self.sale_sum), "day": money(self.day_sum), "left": money(self.left_sum)}


class OwnInvitation(OrderError):
    """The sale would bring its share to whoever registers it: they have invited the member."""

    code = "own_invitation"

    def __str__(self) -> str:
        return _(
            "You invited this member, so points for this sale would come to your own account. "
            "Ask a colleague to register it."
        )
