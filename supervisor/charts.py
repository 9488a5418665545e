"""What the console's charts show, in the words of the page they stand on."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty.charts import Bars, Group, bars_chart
from loyalty.templatetags.numbers import day_text, figures, month, month_short, points
from supervisor.queries.months import ProgrammeMonth
from supervisor.queries.programme import OrdersOfDay


def orders_chart(days: Sequence[OrdersOfDay]) -> Bars:
    """The orders of those days, of which there is one at least; the last of them is not over yet."""
    return bars_chart(
        [
            Group(
                label=_("today so far") if day is days[-1] else day_text(day.on),
                numbers=(day.count,),
                titles=(f"{day_text(day.on)}: {figures(day.count)}",),
                is_unfinished=day is days[-1],
            )
            for day in days
        ],
        series=(_("Orders"),),
    )


def moved_chart(months: Sequence[ProgrammeMonth]) -> Bars:
    """What came to members and what left them, month by month."""
    return bars_chart(
        [
            Group(
                label=month_short(one.month),
                # More may be taken back in a month than was given.
                numbers=(
                    max(one.moved.issued_points, 0),
                    max(one.moved.gone_points, 0),
                ),
                titles=(
                    _("%(month)s: %(points)s issued")
                    % {"month": month(one.month), "points": points(one.moved.issued_points)},
                    _("%(month)s: %(points)s spent or expired")
                    % {
                        "month": month(one.month),
                        "points": points(one.moved.gone_points),
                    },
                ),
            )
            for one in months
        ],
        series=(pgettext("points", "issued"), pgettext("points", "spent or expired")),
    )


def outstanding_chart(months: Sequence[ProgrammeMonth]) -> Bars:
    """What members had at the end of each month, and what they have now."""
    return bars_chart(
        [
            Group(
                label=month_short(one.month),
                numbers=(max(one.outstanding_points, 0),),
                titles=(f"{month(one.month)}: {points(one.outstanding_points)}",),
                is_unfinished=one is months[-1],
            )
            for one in months
        ],
        series=(_("Points outstanding"),),
    )
