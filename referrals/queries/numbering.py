"""Which number an invitation has among all of an inviter's."""

from accounts.models import Member
from referrals.models import Invitation


def number_of_invitation(member: Member, invitation_id: int) -> int:
    """The place of an invitation in the order in which the member's friends came, from 1."""
    return Invitation.objects.filter(inviter=member, pk__lte=invitation_id).count()
