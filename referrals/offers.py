"""What an invitation brings, in the words of the edition in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import tiers_of
from loyalty.templatetags.numbers import figures, money, points, rate
from referrals.models import InviteCode
from referrals.queries.shares import gives_welcome_at_sign_up, gives_welcome_with_order


@dataclass(frozen=True)
class InviterOffer:
    """What an inviter and their friend get, one sentence each; `limits` are what it ends at.

    `rate` is the inviter's share by itself, empty while their tier has none.
    """

    rate: str
    friend: str
    inviter: str
    when: str
    limits: Sequence[str]


@dataclass(frozen=True)
class FriendOffer:
    """What a friend gets: the welcome points, 0 where the edition has none, and from each order.

    `welcome` says it as a sentence, `welcome_when` goes on from the points themselves.
    """

    welcome_points: int
    welcome: str
    welcome_when: str
    orders: str


@dataclass(frozen=True)
class ShareLink:
    """A way to pass the link on: an address that opens a mail or a messenger with the text in it."""

    name: str
    address: str


def inviter_offer(rule_set: RuleSet, tier: Tier) -> InviterOffer:
    """What somebody of that tier is offered for inviting a friend."""
    return InviterOffer(
        rate=rate(tier.referral_rate) if tier.referral_rate else "",
        friend=_friend_gets(rule_set),
        inviter=_inviter_gets(rule_set, tier),
        when=_when(rule_set),
        limits=_limits(rule_set),
    )


def friend_offer(rule_set: RuleSet) -> FriendOffer:
    """What somebody is offered who comes by an invitation."""
    return FriendOffer(
        welcome_points=rule_set.welcome_points,
        welcome=_welcome(rule_set),
        welcome_when=_welcome_when(rule_set),
        orders=_("You earn %(rate)s of every paid order in points, and one point pays one ruble.")
        % {"rate": rate(tiers_of(rule_set)[0].coefficient)},
    )


def inviter_name(code: InviteCode) -> str:
    """The first name of who invites, if they let friends see it; otherwise empty."""
    return code.member.first_name if code.shows_name else ""


def heading(code: InviteCode) -> str:
    """Who invites a friend to what: the first thing they read."""
    programme = settings.PROGRAMME_NAME
    if name := inviter_name(code):
        return _("%(name)s invites you to %(programme)s") % {"name": name, "programme": programme}
    return _("A friend invites you to %(programme)s") % {"programme": programme}


def conditions(rule_set: RuleSet) -> list[str]:
    """What holds for all inviters alike, one sentence each."""
    return [
        sentence for sentence in (_friend_gets(rule_set), _when(rule_set), *_limits(rule_set)) if sentence
    ]


def link_of(code: InviteCode) -> str:
    """The whole link, as it is passed on and printed."""
    return settings.SITE_URL + reverse("referrals:landing", args=[code.code])


def share_text(rule_set: RuleSet) -> str:
    """What the inviter says to a friend; they can change it before they send it."""
    offer = friend_offer(rule_set)
    return _("I invite you to %(programme)s. %(gift)s") % {
        "programme": settings.PROGRAMME_NAME,
        "gift": offer.welcome or offer.orders,
    }


def share_links(link: str, text: str) -> list[ShareLink]:
    """Addresses that open a mail or a messenger with the link; nothing of theirs is on our page."""
    subject = _("An invitation to %(programme)s") % {"programme": settings.PROGRAMME_NAME}
    # A mail program takes a plus for a plus, so spaces are written as %20.
    mail = urlencode({"subject": subject, "body": f"{text}\n{link}"}, quote_via=quote)
    return [
        ShareLink(_("E-mail"), f"mailto:?{mail}"),
        ShareLink("Telegram", f"https://t.me/share/url?{urlencode({'url': link, 'text': text})}"),
        ShareLink("WhatsApp", f"https://wa.me/?{urlencode({'text': f'{text} {link}'})}"),
        ShareLink(_("VK"), f"https://vk.com/share.php?{urlencode({'url': link, 'title': text})}"),
    ]


def _welcome(rule_set: RuleSet) -> str:
    """What the friend reads of the welcome points; empty where there are none."""
    said = {"points": points(rule_set.welcome_points), "sum": money(rule_set.referral_least_sum)}
    if gives_welcome_at_sign_up(rule_set):
        return _("You get %(points)s as soon as you have joined.") % said
    if not gives_welcome_with_order(rule_set):
        return ""
    sentence = _("You get %(points)s with your first paid order.")
    if rule_set.referral_least_sum:
        sentence = _("You get %(points)s with your first paid order of %(sum)s or more.")
    return " ".join([sentence % said, *_can_be_spent(rule_set)])


def _welcome_when(rule_set: RuleSet) -> str:
    """The same below the number of points, set large."""
    if gives_welcome_at_sign_up(rule_set):
        return _("for you, as soon as you have joined.")
    if not gives_welcome_with_order(rule_set):
        return ""
    sentence = _("for you, with your first paid order.")
    if rule_set.referral_least_sum:
        sentence = _("for you, with your first paid order of %(sum)s or more.")
    return " ".join([sentence % {"sum": money(rule_set.referral_least_sum)}, *_can_be_spent(rule_set)])


def _friend_gets(rule_set: RuleSet) -> str:
    """What the inviter reads of what the friend gets."""
    said = {"points": points(rule_set.welcome_points), "sum": money(rule_set.referral_least_sum)}
    if gives_welcome_at_sign_up(rule_set):
        return _("Your friend gets %(points)s as soon as they have joined.") % said
    if not gives_welcome_with_order(rule_set):
        return _("Your friend earns %(rate)s of every paid order in points.") % {
            "rate": rate(tiers_of(rule_set)[0].coefficient)
        }
    if rule_set.referral_least_sum:
        return _("Your friend gets %(points)s with their first paid order of %(sum)s or more.") % said
    return _("Your friend gets %(points)s with their first paid order.") % said


def _inviter_gets(rule_set: RuleSet, tier: Tier) -> str:
    if tier.referral_rate:
        return _(
            "You get %(rate)s of what your friend pays, in points: the share of your tier “%(tier)s”."
        ) % {
            "rate": rate(tier.referral_rate),
            "tier": tier.shown_name,
        }
    above = next(
        (one for one in tiers_of(rule_set) if one.position > tier.position and one.referral_rate), None
    )
    if above is None:
        return _("You get no points for it at present.")
    return _("You get points for it from the tier “%(tier)s” on: %(rate)s of what your friend pays.") % {
        "tier": above.shown_name,
        "rate": rate(above.referral_rate),
    }


def _can_be_spent(rule_set: RuleSet) -> list[str]:
    """When points that came with an order can be spent; nothing where it is at once."""
    days = _waiting_days(rule_set)
    if not days:
        return []
    sentence = ngettext(
        "They can be spent %(days)s day later, unless the order has been returned.",
        "They can be spent %(days)s days later, unless the order has been returned.",
        days,
    )
    return [sentence % {"days": figures(days)}]


def _waiting_days(rule_set: RuleSet) -> int:
    own_days = rule_set.referral_waiting_days
    return rule_set.waiting_days if own_days is None else own_days


def _has_shares(rule_set: RuleSet) -> bool:
    return any(tier.referral_rate for tier in tiers_of(rule_set))


def _when(rule_set: RuleSet) -> str:
    """When the share comes; empty where no tier has one."""
    if not _has_shares(rule_set):
        return ""
    days = _waiting_days(rule_set)
    if not days:
        return _("Your share comes as soon as the order is paid, and can be spent at once.")
    return ngettext(
        "Your share comes as soon as the order is paid, and can be spent %(days)s day later, "
        "unless the order has been returned.",
        "Your share comes as soon as the order is paid, and can be spent %(days)s days later, "
        "unless the order has been returned.",
        days,
    ) % {"days": figures(days)}


def _limits(rule_set: RuleSet) -> list[str]:
    """What the shares end at; nothing where no tier has one."""
    if not _has_shares(rule_set):
        return []
    limits = []
    if orders := rule_set.referral_orders:
        limits.append(
            _("The first paid order of each friend counts.")
            if orders == 1
            else ngettext(
                "The first %(count)s paid order of each friend counts.",
                "The first %(count)s paid orders of each friend count.",
                orders,
            )
            % {"count": figures(orders)}
        )
    if months := rule_set.referral_months:
        limits.append(
            ngettext(
                "A friend’s orders count for %(count)s month from the invitation on.",
                "A friend’s orders count for %(count)s months from the invitation on.",
                months,
            )
            % {"count": figures(months)}
        )
    if rule_set.referral_least_sum:
        limits.append(
            _("An order counts if %(sum)s of it or more earn points.")
            % {"sum": money(rule_set.referral_least_sum)}
        )
    if rule_set.referral_month_limit_points is not None:
        limits.append(
            _("All your friends together bring you %(points)s a month at most.")
            % {"points": points(rule_set.referral_month_limit_points)}
        )
    if not limits:
        limits.append(_("Every paid order of every friend counts, without a limit."))
    return limits
