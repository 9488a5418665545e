"""An edition of the rules in sentences, group by group."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import keeps_floors, tiers_of
from loyalty.rules_wording.settings import Group
from loyalty.templatetags.numbers import figures, money, points, rate


@dataclass(frozen=True)
class GroupInWords:
    """What an edition sets about one thing, a sentence each."""

    group: Group
    sentences: Sequence[str]

    @property
    def anchor(self) -> str:
        """The id of the group on the page of the rules, which other pages point at."""
        return "expiry" if self.group == Group.LIFE else str(self.group.value)


def groups_in_words(rule_set: RuleSet) -> list[GroupInWords]:
    """What an edition sets beside its tiers, a sentence each; what belongs together stands together."""
    tiers = tiers_of(rule_set) if rule_set.pk else []
    return [GroupInWords(group, list(say(rule_set, tiers))) for group, say in SENTENCES.items()]


def _tiers_in_words(rule_set: RuleSet, tiers: Sequence[Tier]) -> Iterator[str]:
    if rule_set.paid_sum_months is None:
        yield _("Paid orders of all time decide the tier.")
    else:
        yield ngettext(
            "Paid orders of the last %(count)s month decide the tier.",
            "Paid orders of the last %(count)s months decide the tier.",
            rule_set.paid_sum_months,
        ) % {"count": figures(rule_set.paid_sum_months)}
    yield (
        _("The order that reaches a tier earns at that tier already.")
        if rule_set.crossing_order_earns_new_tier
        else _("The order that reaches a tier still earns at the tier before.")
    )
    yield (
        _("When the paid sum falls, the tier falls with it, but never below a tier that was set by hand.")
        if keeps_floors(rule_set)
        else _("When the paid sum falls, the tier falls with it at once.")
    )


def _earning_in_words(rule_set: RuleSet, tiers: Sequence[Tier]) -> Iterator[str]:
    yield (
        _("The part of an order that is paid by points earns points, too.")
        if rule_set.earns_on_points_part
        else _("What is paid in money earns points; the part that is paid by points does not.")
    )
    yield (
        _("Delivery earns points as goods do.")
        if rule_set.earns_on_delivery
        else _("Delivery earns no points.")
    )
    if rule_set.excluded_categories:
        yield _("These categories earn no points: %(categories)s.") % {
            "categories": ", ".join(rule_set.excluded_categories)
        }
    yield _("Earned points are rounded %(rounding)s, once per order.") % {
        "rounding": RuleSet.Rounding(rule_set.rounding).label
    }


def _spending_in_words(rule_set: RuleSet, tiers: Sequence[Tier]) -> Iterator[str]:
    if rule_set.redemption_cap_rate == 1:
        yield _("Points may pay for a whole order.")
    else:
        yield _("Points may pay for up to %(share)s of an order.") % {
            "share": rate(rule_set.redemption_cap_rate)
        }
    for tier in tiers:
        if tier.redemption_cap_rate is not None:
            yield _("In the tier “%(tier)s” points may pay for up to %(share)s of an order.") % {
                "tier": tier.shown_name,
                "share": rate(tier.redemption_cap_rate),
            }
    if rule_set.redemption_minimum_points:
        yield _("The least that can be spent on an order: %(points)s.") % {
            "points": points(rule_set.redemption_minimum_points)
        }


def _life_in_words(rule_set: RuleSet, tiers: Sequence[Tier]) -> Iterator[str]:
    if rule_set.waiting_days:
        yield ngettext(
            "Earned points can be spent after %(count)s day.",
            "Earned points can be spent after %(count)s days.",
            rule_set.waiting_days,
        ) % {"count": figures(rule_set.waiting_days)}
    else:
        yield _("Earned points can be spent at once.")
    if rule_set.life_end == RuleSet.LifeEnd.NEVER:
        yield _("Points never expire.")
        return
    life = ngettext(
        "Points live for %(count)s month, %(end)s.",
        "Points live for %(count)s months, %(end)s.",
        rule_set.life_months,
    )
    yield life % {"count": rule_set.life_months, "end": RuleSet.LifeEnd(rule_set.life_end).label}


def _transfers_in_words(rule_set: RuleSet, tiers: Sequence[Tier]) -> Iterator[str]:
    if not rule_set.transfers_allowed:
        yield _("Members cannot transfer points to each other.")
        return
    yield _("Members can transfer points to each other.")
    if rule_set.transfer_minimum_points > 1:
        yield _("The least that can be transferred: %(points)s.") % {
            "points": points(rule_set.transfer_minimum_points)
        }
    limits = (
        (rule_set.transfer_limit_points, _("The most that can be transferred at once: %(points)s.")),
        (rule_set.transfer_day_limit_points, _("The most that a member can transfer in a day: %(points)s.")),
        (
            rule_set.transfer_month_limit_points,
            _("The most that a member can transfer in a month: %(points)s."),
        ),
        (
            rule_set.transfer_received_day_limit_points,
            _("The most that a member can get by transfers in a day: %(points)s."),
        ),
        (
            rule_set.transfer_received_month_limit_points,
            _("The most that a member can get by transfers in a month: %(points)s."),
        ),
        (
            rule_set.transfer_step_up_points,
            _("Whoever transfers more than %(points)s proves again that it is them."),
        ),
    )
    for limit_points, sentence in limits:
        if limit_points is not None:
            yield sentence % {"points": points(limit_points)}
    if rule_set.transfer_member_days:
        yield ngettext(
            "A member can transfer points %(count)s day after joining.",
            "A member can transfer points %(count)s days after joining.",
            rule_set.transfer_member_days,
        ) % {"count": figures(rule_set.transfer_member_days)}
    if rule_set.transfer_cooling_hours:
        yield ngettext(
            "The sender can take a transfer back for %(count)s hour.",
            "The sender can take a transfer back for %(count)s hours.",
            rule_set.transfer_cooling_hours,
        ) % {"count": figures(rule_set.transfer_cooling_hours)}


def _friends_in_words(rule_set: RuleSet, tiers: Sequence[Tier]) -> Iterator[str]:
    if tiers and not any(tier.referral_rate for tier in tiers):
        yield _("An inviter gets no share of friends’ orders.")
    else:
        yield from _shares_in_words(rule_set)
    if rule_set.welcome_points:
        yield _("An invited friend gets %(points)s %(when)s.") % {
            "points": points(rule_set.welcome_points),
            "when": RuleSet.WelcomeWhen(rule_set.welcome_when).label,
        }


def _shares_in_words(rule_set: RuleSet) -> Iterator[str]:
    if rule_set.referral_orders is None and rule_set.referral_months is None:
        yield _("The inviter gets a share of every paid order of a friend.")
    if rule_set.referral_orders is not None:
        yield ngettext(
            "The inviter gets a share of the first %(count)s paid order of a friend.",
            "The inviter gets a share of the first %(count)s paid orders of a friend.",
            rule_set.referral_orders,
        ) % {"count": figures(rule_set.referral_orders)}
    if rule_set.referral_months is not None:
        yield ngettext(
            "The inviter gets a share for %(count)s month after a friend has joined.",
            "The inviter gets a share for %(count)s months after a friend has joined.",
            rule_set.referral_months,
        ) % {"count": figures(rule_set.referral_months)}
    if rule_set.referral_least_sum:
        yield _("A friend’s order brings the inviter a share from %(sum)s on.") % {
            "sum": money(rule_set.referral_least_sum)
        }
    if rule_set.referral_waiting_days == 0:
        yield _("The inviter’s share can be spent at once.")
    elif rule_set.referral_waiting_days is not None:
        yield ngettext(
            "The inviter’s share can be spent after %(count)s day.",
            "The inviter’s share can be spent after %(count)s days.",
            rule_set.referral_waiting_days,
        ) % {"count": figures(rule_set.referral_waiting_days)}
    if rule_set.referral_month_limit_points is not None:
        yield _("The most that an inviter gets for friends in a month: %(points)s.") % {
            "points": points(rule_set.referral_month_limit_points)
        }


SENTENCES: Mapping[Group, Callable[[RuleSet, Sequence[Tier]], Iterator[str]]] = {
    Group.TIERS: _tiers_in_words,
    Group.EARNING: _earning_in_words,
    Group.SPENDING: _spending_in_words,
    Group.LIFE: _life_in_words,
    Group.TRANSFERS: _transfers_in_words,
    Group.FRIENDS: _friends_in_words,
}
