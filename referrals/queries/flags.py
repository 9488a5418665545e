"""What looks as if inviter and friend were one person, for a person to decide."""

from collections.abc import Sequence

from referrals.models import Flag, Referral

FLAGS_PER_PAGE = 50


def open_flags() -> Sequence[Flag]:
    """The flags that nobody has decided, the oldest first, with both members at hand; one query."""
    flags = Flag.objects.filter(decision="").select_related("referral__inviter", "referral__invited")
    return list(flags.order_by("noticed_at", "pk")[:FLAGS_PER_PAGE])


def flags_of(referral: Referral) -> Sequence[Flag]:
    """All flags of an invitation, the oldest first."""
    return list(referral.flags.order_by("noticed_at", "pk"))
