"""What a sign-up by an invitation has brought the new member."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import Member
from referrals.models import Referral, Reward
from referrals.queries.codes import live_code


@dataclass(frozen=True)
class Acceptance:
    """Who invited a new member, empty when they do not say, and the welcome points, if there were any."""

    inviter_name: str
    welcome: Reward | None


def acceptance(*, invited: Member, token: UUID) -> Acceptance | None:
    """What became of the invitation of that token when the member joined; None when it did not count."""
    referral = (
        Referral.objects.select_related("inviter").filter(invited=invited, invitation__token=token).first()
    )
    if referral is None:
        return None
    code = live_code(referral.inviter_id)
    return Acceptance(
        inviter_name=referral.inviter.first_name if code and code.shows_name else "",
        welcome=Reward.objects.filter(referral=referral, kind=Reward.Kind.WELCOME).first(),
    )
