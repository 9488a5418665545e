"""The parts that a balance consists of, in words, and where the operations behind each are listed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, pgettext_lazy

from loyalty.queries.breakdown import Breakdown, LineKind

# The words, and the filter of the list of operations that shows what is behind them.
LINES = {
    LineKind.ORDERS: (gettext_lazy("Earned for your orders"), "kind=orders"),
    LineKind.FRIENDS: (gettext_lazy("Earned for friends’ orders"), "kind=friends"),
    LineKind.OTHERS: (gettext_lazy("Welcome points and gifts"), "kind=gifts"),
    LineKind.RECEIVED: (gettext_lazy("Transferred to you"), "kind=transfers&sign=plus"),
    LineKind.RETURNED: (gettext_lazy("Returned to you with orders"), "kind=returned&sign=plus"),
    LineKind.CORRECTED: (gettext_lazy("Corrections by the programme"), "kind=corrections"),
    LineKind.SPENT: (pgettext_lazy("points", "Paid for orders"), "kind=spent"),
    LineKind.GIVEN: (gettext_lazy("Transferred to others"), "kind=transfers&sign=minus"),
    LineKind.TAKEN_BACK: (pgettext_lazy("points", "Taken back"), "kind=returned&sign=minus"),
    LineKind.EXPIRED: (pgettext_lazy("points", "Expired"), "kind=expired"),
    LineKind.PENDING: (gettext_lazy("Pending: they cannot be spent yet"), ""),
    LineKind.HELD: (gettext_lazy("Set aside for unpaid orders"), ""),
    LineKind.DEBT: (gettext_lazy("Debt: taken back after they had been spent"), ""),
}


@dataclass(frozen=True)
class LineInWords:
    """A line as the page shows it; `query` is empty where no list of operations is behind it."""

    text: str
    points: int
    query: str


def lines(found: Breakdown) -> Sequence[LineInWords]:
    """The lines of a breakdown in words, in their order."""
    return [LineInWords(str(LINES[kind][0]), points, LINES[kind][1]) for kind, points in found.lines]
