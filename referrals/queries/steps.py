"""The first step of a member that invitations know of."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from loyalty.queries.steps import StepKind, rewards_friends
from referrals.models import Referral


def _friend_joined(at: datetime) -> Exists:
    return Exists(Referral.objects.filter(inviter=OuterRef("pk"), invited__joined_at__lte=at))


STEPS = (StepKind(name="friend", place=3, is_done=_friend_joined, is_possible=rewards_friends),)
