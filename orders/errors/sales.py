"""What a sale that staff register may be refused for, in words for the colleague at the till."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.templatetags.numbers import figures
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
