"""An edition of the rules in five lines: what somebody wants to know before anything else."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import (
    expires_on,
    next_tier,
    points_for,
    redemption_cap_points,
    redemption_cap_rate,
    tiers_of,
)
from loyalty.templatetags.numbers import day_text, money, points, rate

EXAMPLE_SUM = Decimal(1_000)


@dataclass(frozen=True)
class Line:
    """One of the lines: the id of the section with the details, what it is about, and what it says."""

    anchor: str
    subject: str
    sentence: str


def rules_in_short(rule_set: RuleSet, *, at: datetime, tier: Tier | None = None) -> list[Line]:
    """How points are earned and spent, when they expire, what tiers and friends bring.

    Somebody of a tier reads the figures of that tier, everybody else those of a newcomer.
    """
    own = tier or tiers_of(rule_set)[0]
    return [
        Line("earning", _("You earn"), _earning(rule_set, own)),
        Line("spending", _("You spend"), _spending(rule_set, own)),
        Line("expiry", _("They expire"), _expiry(rule_set, at)),
        Line("tiers", _("Your tier"), _tiers(rule_set, own)),
        Line("friends", _("Your friends"), _friends(rule_set, own)),
    ]


def _earning(rule_set: RuleSet, tier: Tier) -> str:
    if not tier.coefficient:
        return _("Orders bring no points in the tier “%(tier)s”.") % {"tier": tier.shown_name}
    return _("%(rate)s of what you pay comes back: an order of %(sum)s brings you %(points)s.") % {
        "rate": rate(tier.coefficient),
        "sum": money(EXAMPLE_SUM),
        "points": points(points_for(rule_set, EXAMPLE_SUM, tier.coefficient)),
    }


def _spending(rule_set: RuleSet, tier: Tier) -> str:
    cap_rate = redemption_cap_rate(rule_set, tier)
    if not cap_rate:
        return _("Orders cannot be paid with points at present.")
    if cap_rate == 1:
        return _("One point pays one ruble, and points may pay for a whole order.")
    return _(
        "One point pays one ruble. Points may pay for up to %(share)s of an order: "
        "of %(sum)s up to %(points)s."
    ) % {
        "share": rate(cap_rate),
        "sum": money(EXAMPLE_SUM),
        "points": points(redemption_cap_points(rule_set, tier, EXAMPLE_SUM)),
    }


def _expiry(rule_set: RuleSet, at: datetime) -> str:
    last_day = expires_on(rule_set, at)
    if last_day is None:
        return _("Points never expire.")
    return _("Points that you get today can be spent until the end of %(day)s.") % {"day": day_text(last_day)}


def _tiers(rule_set: RuleSet, tier: Tier) -> str:
    above = next_tier(rule_set, tier)
    said = {"tier": tier.shown_name, "rate": rate(tier.coefficient)}
    if above is None:
        return _("“%(tier)s” is the highest tier: %(rate)s of every order.") % said
    if tier.position == 0:
        sentence = _(
            "You begin with “%(tier)s”. Paid orders of %(sum)s bring “%(next)s”: %(next_rate)s of each."
        )
    else:
        sentence = _("You have “%(tier)s”. Paid orders of %(sum)s bring “%(next)s”: %(next_rate)s of each.")
    return sentence % {
        **said,
        "sum": money(above.threshold_sum),
        "next": above.shown_name,
        "next_rate": rate(above.coefficient),
    }


def _friends(rule_set: RuleSet, tier: Tier) -> str:
    said = {"points": points(rule_set.welcome_points), "rate": rate(tier.referral_rate)}
    if tier.referral_rate and rule_set.welcome_points:
        return (
            _("A friend whom you invite gets %(points)s, and you get %(rate)s of what they pay, in points.")
            % said
        )
    if tier.referral_rate:
        return _("Of what a friend pays whom you invited, %(rate)s comes to you in points.") % said
    if rule_set.welcome_points:
        return _("A friend whom you invite gets %(points)s.") % said
    return _("Invitations bring no points in the tier “%(tier)s”.") % {"tier": tier.shown_name}
