"""What each setting of an edition is called, what it does in one sentence, and its value in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from loyalty.models import RuleSet
from loyalty.templatetags.numbers import figures, money, points, rate

NO_LIMIT = _("no limit")


class Group(TextChoices):
    """What the settings are about, in the order in which people read them."""

    TIERS = "tiers", _("How the tier is decided")
    EARNING = "earning", _("How points are earned")
    SPENDING = "spending", _("How points are spent")
    LIFE = "life", _("How long points live")
    TRANSFERS = "transfers", _("How points are transferred")
    FRIENDS = "friends", _("How friends are invited")


@dataclass(frozen=True)
class SettingText:
    """A setting: its name for people, what it does, its group, and how its value is said."""

    label: Promise
    sentence: Promise
    group: Group
    say: Callable[[Any], str]


def setting_in_words(rule_set: RuleSet, name: str) -> str:
    """The value that an edition gives to a setting, as people read it."""
    return SETTING_TEXTS[name].say(getattr(rule_set, name))


def _yes_or_no(value: bool) -> str:
    return pgettext("setting", "yes") if value else pgettext("setting", "no")


def _days_in_words(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": figures(count)}


def _months_in_words(count: int) -> str:
    return ngettext("%(count)s month", "%(count)s months", count) % {"count": figures(count)}


def _hours_in_words(count: int) -> str:
    return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": figures(count)}


def _orders(count: int) -> str:
    return ngettext("%(count)s order", "%(count)s orders", count) % {"count": figures(count)}


def _or_nothing(say: Callable[[Any], str], nothing: Promise) -> Callable[[Any], str]:
    """Says a value, and by other words that there is none, or that it is 0."""
    return lambda value: say(value) if value else str(nothing)


def _or_unlimited(say: Callable[[Any], str], unlimited: Promise = NO_LIMIT) -> Callable[[Any], str]:
    """Says a value, 0 too, and by other words that there is none."""
    return lambda value: str(unlimited) if value is None else say(value)


def _listed(categories: list[str]) -> str:
    return ", ".join(categories)


SETTING_TEXTS: Mapping[str, SettingText] = {
    "paid_sum_months": SettingText(
        _("Months whose orders decide the tier"),
        _("Only orders paid in so many months count towards the tier; empty: those of all time."),
        Group.TIERS,
        _or_unlimited(_months_in_words, _("all time")),
    ),
    "crossing_order_earns_new_tier": SettingText(
        _("The order that reaches a tier earns at that tier already"),
        _("Otherwise it still earns at the tier before, and the next order earns at the new one."),
        Group.TIERS,
        _yes_or_no,
    ),
    "tier_lowering": SettingText(
        _("When a tier is lowered"),
        _("What happens when a member’s paid sum falls below the threshold, as after a return."),
        Group.TIERS,
        lambda value: str(RuleSet.TierLowering(value).label),
    ),
    "rounding": SettingText(
        _("Rounding of points"),
        _("Points are whole: the points of an order are rounded once, after everything is counted."),
        Group.EARNING,
        lambda value: str(RuleSet.Rounding(value).label),
    ),
    "earns_on_points_part": SettingText(
        _("The part paid by points earns points"),
        _("Otherwise only what is paid in money earns points."),
        Group.EARNING,
        _yes_or_no,
    ),
    "earns_on_delivery": SettingText(
        _("Delivery earns points"),
        _("Otherwise only the goods of an order earn points."),
        Group.EARNING,
        _yes_or_no,
    ),
    "excluded_categories": SettingText(
        _("Categories that earn no points"),
        _("One on each line, as the shop names them in its orders; empty: all goods earn points."),
        Group.EARNING,
        _or_nothing(_listed, _("none")),
    ),
    "redemption_cap_rate": SettingText(
        _("Most of an order that points may pay"),
        _("In percent of the order; a tier may have a share of its own."),
        Group.SPENDING,
        rate,
    ),
    "redemption_minimum_points": SettingText(
        _("Least points to spend on an order"),
        _("Fewer points than these cannot be spent; 0: any number can."),
        Group.SPENDING,
        _or_nothing(points, _("none")),
    ),
    "waiting_days": SettingText(
        _("Days until earned points can be spent"),
        _("Usually as long as goods can be returned; 0: points can be spent at once."),
        Group.LIFE,
        _or_nothing(_days_in_words, _("at once")),
    ),
    "life_months": SettingText(
        _("Months that points live"),
        _("Counted from the day when the points are credited."),
        Group.LIFE,
        _months_in_words,
    ),
    "life_end": SettingText(
        _("The last day of points"),
        _("Points can be spent through the end of that day; those a member has keep their day."),
        Group.LIFE,
        lambda value: str(RuleSet.LifeEnd(value).label),
    ),
    "transfers_allowed": SettingText(
        _("Members may transfer points to each other"),
        _("If not, the other settings of this group do nothing."),
        Group.TRANSFERS,
        _yes_or_no,
    ),
    "transfer_minimum_points": SettingText(
        _("Least points to transfer"),
        _("Fewer points than these cannot be given."),
        Group.TRANSFERS,
        points,
    ),
    "transfer_limit_points": SettingText(
        _("Most points to transfer at once"),
        _("In one transfer; empty: no limit."),
        Group.TRANSFERS,
        _or_unlimited(points),
    ),
    "transfer_day_limit_points": SettingText(
        _("Most points to transfer in a day"),
        _("All transfers of a member in a calendar day together; empty: no limit."),
        Group.TRANSFERS,
        _or_unlimited(points),
    ),
    "transfer_month_limit_points": SettingText(
        _("Most points to transfer in a month"),
        _("All transfers of a member in a calendar month together; empty: no limit."),
        Group.TRANSFERS,
        _or_unlimited(points),
    ),
    "transfer_received_day_limit_points": SettingText(
        _("Most points to get by transfers in a day"),
        _("From all givers to one member in a calendar day together; empty: no limit."),
        Group.TRANSFERS,
        _or_unlimited(points),
    ),
    "transfer_received_month_limit_points": SettingText(
        _("Most points to get by transfers in a month"),
        _("From all givers to one member in a calendar month together; empty: no limit."),
        Group.TRANSFERS,
        _or_unlimited(points),
    ),
    "transfer_step_up_points": SettingText(
        _("Transfer above which the sender proves who they are"),
        _("Whoever gives more enters the password or a code again; empty: no sum asks for it."),
        Group.TRANSFERS,
        _or_unlimited(points, pgettext_lazy("setting", "never")),
    ),
    "transfer_member_days": SettingText(
        _("Days between joining and the first transfer"),
        _("A newcomer cannot give points before; 0: from the first day on."),
        Group.TRANSFERS,
        _or_nothing(_days_in_words, _("none")),
    ),
    "transfer_cooling_hours": SettingText(
        _("Hours to take a transfer back"),
        _("The giver can take them back while the recipient still has them; 0: not at all."),
        Group.TRANSFERS,
        _or_nothing(_hours_in_words, _("none")),
    ),
    "referral_months": SettingText(
        _("Months that an inviter gets a share"),
        _("Counted from the day when the friend joins; empty: without an end."),
        Group.FRIENDS,
        _or_unlimited(_months_in_words),
    ),
    "referral_orders": SettingText(
        _("Orders of a friend that bring a share"),
        _("The first so many paid orders of each friend; empty: all of them."),
        Group.FRIENDS,
        _or_unlimited(_orders),
    ),
    "referral_least_sum": SettingText(
        _("Least sum of a friend’s order"),
        _("A smaller order brings the inviter nothing, nor the friend the welcome points of a first order."),
        Group.FRIENDS,
        _or_nothing(lambda value: money(Decimal(value)), _("none")),
    ),
    "referral_waiting_days": SettingText(
        _("Days until an inviter’s share can be spent"),
        _("0: at once; empty: as long as earned points wait."),
        Group.FRIENDS,
        _or_unlimited(_or_nothing(_days_in_words, _("at once")), _("as earned points")),
    ),
    "referral_month_limit_points": SettingText(
        _("Most points for friends in a month"),
        _("All shares of an inviter in a calendar month together; empty: no limit."),
        Group.FRIENDS,
        _or_unlimited(points),
    ),
    "welcome_points": SettingText(
        _("Welcome points of an invited friend"),
        _("Given once to whoever joins by an invitation; 0: none."),
        Group.FRIENDS,
        _or_nothing(points, _("none")),
    ),
    "welcome_when": SettingText(
        _("When welcome points are given"),
        _("With the first paid order they cost nothing until the friend buys."),
        Group.FRIENDS,
        lambda value: str(RuleSet.WelcomeWhen(value).label),
    ),
}
