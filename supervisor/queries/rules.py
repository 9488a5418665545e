"""An edition of the rules in sentences."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import RuleSet
from loyalty.templatetags.numbers import figures, money, points, rate


def settings_in_words(rule_set: RuleSet) -> list[str]:
    """What an edition sets beside its tiers, one sentence each."""
    sentences = [
        _("Paid orders of all time decide the tier.")
        if rule_set.paid_sum_months is None
        else ngettext(
            "Paid orders of the last %(count)s month decide the tier.",
            "Paid orders of the last %(count)s months decide the tier.",
            rule_set.paid_sum_months,
        )
        % {"count": rule_set.paid_sum_months},
        _("Earned points are rounded %(rounding)s, once per order.")
        % {"rounding": RuleSet.Rounding(rule_set.rounding).label},
        _("Points may pay for up to %(share)s of an order.") % {"share": rate(rule_set.redemption_cap_rate)},
    ]
    if rule_set.redemption_minimum_points:
        sentences.append(
            _("The least that can be spent on an order: %(points)s.")
            % {"points": points(rule_set.redemption_minimum_points)}
        )
    if rule_set.waiting_days:
        sentences.append(
            ngettext(
                "Earned points can be spent after %(count)s day.",
                "Earned points can be spent after %(count)s days.",
                rule_set.waiting_days,
            )
            % {"count": figures(rule_set.waiting_days)}
        )
    else:
        sentences.append(_("Earned points can be spent at once."))
    sentences.append(_life_in_words(rule_set))
    sentences += _transfers_in_words(rule_set)
    sentences += _invitations_in_words(rule_set)
    return sentences


def _life_in_words(rule_set: RuleSet) -> str:
    if rule_set.life_end == RuleSet.LifeEnd.NEVER:
        return _("Points never expire.")
    life = ngettext(
        "Points live for %(count)s month, %(end)s.",
        "Points live for %(count)s months, %(end)s.",
        rule_set.life_months,
    )
    return life % {"count": rule_set.life_months, "end": RuleSet.LifeEnd(rule_set.life_end).label}


def _transfers_in_words(rule_set: RuleSet) -> Iterator[str]:
    if not rule_set.transfers_allowed:
        yield _("Members cannot give points to each other.")
        return
    yield _("Members can give points to each other.")
    if rule_set.transfer_minimum_points > 1:
        yield _("The least that can be given: %(points)s.") % {
            "points": points(rule_set.transfer_minimum_points)
        }
    limits = (
        (rule_set.transfer_limit_points, _("The most that can be given at once: %(points)s.")),
        (rule_set.transfer_day_limit_points, _("The most that a member can give in a day: %(points)s.")),
        (rule_set.transfer_month_limit_points, _("The most that a member can give in a month: %(points)s.")),
        (
            rule_set.transfer_received_day_limit_points,
            _("The most that a member can be given in a day: %(points)s."),
        ),
        (
            rule_set.transfer_received_month_limit_points,
            _("The most that a member can be given in a month: %(points)s."),
        ),
        (
            rule_set.transfer_step_up_points,
            _("Whoever gives more than %(points)s proves again that it is them."),
        ),
    )
    for limit_points, sentence in limits:
        if limit_points is not None:
            yield sentence % {"points": points(limit_points)}
    if rule_set.transfer_member_days:
        yield ngettext(
            "A member can give points %(count)s day after joining.",
            "A member can give points %(count)s days after joining.",
            rule_set.transfer_member_days,
        ) % {"count": figures(rule_set.transfer_member_days)}
    if rule_set.transfer_cooling_hours:
        yield ngettext(
            "The sender can take given points back for %(count)s hour.",
            "The sender can take given points back for %(count)s hours.",
            rule_set.transfer_cooling_hours,
        ) % {"count": figures(rule_set.transfer_cooling_hours)}


def _invitations_in_words(rule_set: RuleSet) -> Iterator[str]:
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
    if rule_set.welcome_points:
        yield _("An invited friend gets %(points)s %(when)s.") % {
            "points": points(rule_set.welcome_points),
            "when": RuleSet.WelcomeWhen(rule_set.welcome_when).label,
        }
