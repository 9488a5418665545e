"""What changed between two editions of the rules, or between an edition and a draft."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import tiers_of
from loyalty.rules_wording.settings import SETTING_TEXTS, setting_in_words
from loyalty.templatetags.numbers import money, rate


@dataclass(frozen=True)
class Difference:
    """One thing that differs: what it is, and how it was and is said. Empty: it is not there."""

    subject: str
    before: str
    after: str


def difference_in_words(
    before: RuleSet,
    after: RuleSet,
    *,
    tiers_after: Sequence[Tier] | None = None,
    is_for_members: bool = False,
) -> list[Difference]:
    """What differs from one to the other: tiers first, the lowest first, and then the settings.

    The later tiers are named apart where they are not kept yet, as those of a form. Members read of
    names and words in their own language alone, and of no colours.
    """
    tiers = _tier_differences(
        tiers_of(before),
        tiers_of(after) if tiers_after is None else tiers_after,
        is_for_members,
    )
    settings = (
        Difference(str(text.label), setting_in_words(before, name), setting_in_words(after, name))
        for name, text in SETTING_TEXTS.items()
        if getattr(before, name) != getattr(after, name) and _does_something(name, before, after)
    )
    return [*tiers, *settings]


def _does_something(name: str, before: RuleSet, after: RuleSet) -> bool:
    """Whether a setting is of use in either; a life has no length where points never expire."""
    if name == "life_months":
        return not before.life_end == after.life_end == RuleSet.LifeEnd.NEVER
    if name.startswith("transfer_"):
        return before.transfers_allowed or after.transfers_allowed
    if name == "welcome_when":
        return bool(before.welcome_points or after.welcome_points)
    return True


def _tier_differences(
    before: Sequence[Tier], after: Sequence[Tier], is_for_members: bool
) -> Iterator[Difference]:
    partners = _partners(before, after)
    for tier in after:
        partner = partners.get(tier.position)
        if partner is None:
            yield Difference(_of_tier(tier, _("new")), "", _tier_in_words(tier))
        else:
            yield from _tier_difference(partner, tier, is_for_members)
    paired = {partner.position for partner in partners.values()}
    for tier in before:
        if tier.position not in paired:
            yield Difference(_of_tier(tier, _("left out")), _tier_in_words(tier), "")


def _partners(before: Sequence[Tier], after: Sequence[Tier]) -> dict[int, Tier]:
    """For the places of the later tiers, which tier each one was: of its name, or renamed in its place."""
    by_name = {tier.name: tier for tier in before}
    by_place = {tier.position: tier for tier in before}
    partners = {tier.position: by_name[tier.name] for tier in after if tier.name in by_name}
    taken = {tier.position for tier in partners.values()}
    for tier in after:
        if tier.position not in partners and tier.position in by_place and tier.position not in taken:
            partners[tier.position] = by_place[tier.position]
    return partners


def _tier_difference(before: Tier, after: Tier, is_for_members: bool) -> Iterator[Difference]:
    for what, was, now in _names(before, after, is_for_members):
        if was != now:
            yield Difference(_of_tier(before, what), was, now)
    if before.threshold_sum != after.threshold_sum:
        yield Difference(
            _of_tier(after, _("paid sum from")), money(before.threshold_sum), money(after.threshold_sum)
        )
    if before.coefficient != after.coefficient:
        yield Difference(
            _of_tier(after, _("of own orders")), rate(before.coefficient), rate(after.coefficient)
        )
    if before.referral_rate != after.referral_rate:
        yield Difference(
            _of_tier(after, _("of friends’ orders")), rate(before.referral_rate), rate(after.referral_rate)
        )
    if before.redemption_cap_rate != after.redemption_cap_rate:
        yield Difference(
            _of_tier(after, _("most of an order that points may pay")), _cap(before), _cap(after)
        )
    for what, was, now in _texts(before, after, is_for_members):
        if was != now:
            yield Difference(_of_tier(after, what), was, now)
    if not is_for_members and before.colour != after.colour:
        yield Difference(_of_tier(after, _("colour")), before.colour, after.colour)


def _names(before: Tier, after: Tier, is_for_members: bool) -> list[tuple[str, str, str]]:
    if is_for_members:
        return [(_("name"), before.shown_name, after.shown_name)]
    return [
        (_("name"), before.name, after.name),
        (_("name in English"), before.name_en, after.name_en),
    ]


def _texts(before: Tier, after: Tier, is_for_members: bool) -> list[tuple[str, str, str]]:
    if is_for_members:
        return [(_("what it gives"), before.shown_gives, after.shown_gives)]
    return [
        (_("what it gives"), before.gives, after.gives),
        (_("what it gives, in English"), before.gives_en, after.gives_en),
    ]


def _of_tier(tier: Tier, what: str) -> str:
    return _("Tier “%(tier)s”: %(what)s") % {"tier": tier.shown_name, "what": what}


def _tier_in_words(tier: Tier) -> str:
    return _("from %(sum)s: %(rate)s of own orders, %(friends)s of friends’ orders") % {
        "sum": money(tier.threshold_sum),
        "rate": rate(tier.coefficient),
        "friends": rate(tier.referral_rate),
    }


def _cap(tier: Tier) -> str:
    return _("as for all tiers") if tier.redemption_cap_rate is None else rate(tier.redemption_cap_rate)
