"""What the charts of a member's points show, in the words of the page they stand on."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty.charts import Bars, Group, Place, Stop, Strip, bars_chart, strip_chart
from loyalty.models import Tier
from loyalty.queries.balance import Balance
from loyalty.queries.months import MonthOfPoints
from loyalty.queries.rules import tiers_of
from loyalty.queries.standing import StandingCard
from loyalty.templatetags.numbers import (
    NO_BREAK_SPACE,
    by_month,
    day_text,
    local_date,
    money,
    month,
    month_short,
    points,
    rate,
)


def months_chart(months: Sequence[MonthOfPoints]) -> Bars:
    """What came and what went, month by month; the last month is not over yet."""
    return bars_chart(
        [
            Group(
                label=month_short(one.month),
                numbers=(one.earned_points, one.spent_points),
                titles=(
                    _("%(month)s: %(points)s gained")
                    % {"month": month(one.month), "points": points(one.earned_points)},
                    _("%(month)s: %(points)s gone")
                    % {"month": month(one.month), "points": points(one.spent_points)},
                ),
            )
            for one in months
        ],
        series=(pgettext("points", "gained"), pgettext("points", "gone")),
    )


def expiry_strip(own: Balance) -> Strip:
    """When the available points expire, in the twelve months from today's on."""
    return strip_chart({one.month: one.points for one in by_month(own.expiries)}, since=local_date(own.as_of))


def tier_path(standing: StandingCard) -> Sequence[Stop]:
    """The tiers as stops, the lowest first, and on which of them the member stands."""
    return [
        Stop(
            name=tier.shown_name,
            begins=_begins(standing, tier),
            brings=rate(tier.coefficient),
            also=_("friends %(rate)s") % {"rate": rate(tier.referral_rate)} if tier.referral_rate else "",
            colour=tier.colour,
            place=_place(tier.position - standing.tier.position),
        )
        for tier in tiers_of(standing.tier.rule_set)
    ]


def _begins(standing: StandingCard, tier: Tier) -> str:
    begins = (
        _("orders paid from %(sum)s") % {"sum": money(tier.threshold_sum)}
        if tier.threshold_sum
        else _("from the first order on")
    )
    if tier == standing.tier and standing.since_at:
        day = day_text(local_date(standing.since_at)).replace(" ", NO_BREAK_SPACE)
        since = _("yours since %(day)s") % {"day": day}
        return f"{begins}, {since}"
    return begins


def _place(steps_above: int) -> Place:
    if steps_above == 0:
        return Place.HERE
    return Place.AHEAD if steps_above > 0 else Place.PASSED
