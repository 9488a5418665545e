"""What messages are about: which topic each kind belongs to, and how letters about it are sent."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Topic

# Every kind of message there is: each has its templates in `templates/messages/`.
TOPIC_OF = {
    "points_earned": Topic.POINTS,
    "points_spent": Topic.POINTS,
    "points_returned": Topic.POINTS,
    "points_adjusted": Topic.POINTS,
    "welcome_points": Topic.POINTS,
    "points_available": Topic.AVAILABLE,
    "transfer_sent": Topic.TRANSFERS,
    "transfer_received": Topic.TRANSFERS,
    "transfer_taken_back": Topic.TRANSFERS,
    "points_expire": Topic.EXPIRY,
    "tier_changed": Topic.TIER,
    "tier_at_risk": Topic.TIER,
    "share_earned": Topic.FRIENDS,
    "share_taken_back": Topic.FRIENDS,
    "friend_joined": Topic.FRIENDS,
    "inviter_noted": Topic.FRIENDS,
    "statement": Topic.STATEMENT,
    "new_sign_in": Topic.SECURITY,
    "password_changed": Topic.SECURITY,
    "email_changed": Topic.SECURITY,
    "phone_changed": Topic.SECURITY,
    "second_factor_changed": Topic.SECURITY,
    "account_blocked": Topic.SECURITY,
    "account_unblocked": Topic.SECURITY,
}

# Whether letters about a topic are sent to whoever has not chosen; those with news need a consent.
LETTER_BY_DEFAULT = {topic: topic not in (Topic.AVAILABLE, Topic.NEWS) for topic in Topic}

# What somebody may have to act upon within minutes is sent at any hour.
AT_ONCE = frozenset(kind for kind, topic in TOPIC_OF.items() if topic in (Topic.TRANSFERS, Topic.SECURITY))


class AboutTopic(NamedTuple):
    """What letters about a topic tell, and the subject of one of them."""

    what_comes: str | Promise
    example: str | Promise


ABOUT = {
    Topic.POINTS: AboutTopic(
        _("A letter after an order: what was credited, what was spent, and what a return took back."),
        _("150 points for order A-1024"),
    ),
    Topic.AVAILABLE: AboutTopic(
        _("A letter on the day when pending points can be spent."),
        _("150 points are available now"),
    ),
    Topic.TRANSFERS: AboutTopic(
        _("A letter as soon as somebody gives you points, or points leave your account, at any hour."),
        _("Maria P. gave you 500 points"),
    ),
    Topic.EXPIRY: AboutTopic(
        _("Letters 30 days, 7 days and 1 day before points expire, unless you spend them first."),
        _("500 points expire on 31 December 2026"),
    ),
    Topic.TIER: AboutTopic(
        _("A letter when your tier changes, and one ahead of time when you may lose it."),
        _("You have reached the tier “Gold”"),
    ),
    Topic.FRIENDS: AboutTopic(
        _("A letter when a friend joins by your invitation, and when your share is credited."),
        _("50 points for a friend’s order"),
    ),
    Topic.STATEMENT: AboutTopic(
        _("One letter on the first day of a month: the balance, what came and what went."),
        _("Your points in November 2026"),
    ),
    Topic.SECURITY: AboutTopic(
        _("A letter when somebody signs in from a new device, or a contact or the password changes."),
        _("Your password has been changed"),
    ),
    Topic.NEWS: AboutTopic(
        _("Campaigns, new rewards and offers, not more than the programme has to tell."),
        _("Double points on weekends in December"),
    ),
}


def topic_of(kind: str) -> Topic | None:
    """The topic of that kind of message; None for a kind that only a newer version knows."""
    return TOPIC_OF.get(kind)


def can_be_switched_off(topic: Topic) -> bool:
    """Whether the member decides about letters on that topic: those on security come in any case."""
    return topic != Topic.SECURITY
