"""What an invitation may be refused for."""

from django.utils.translation import gettext as _

from loyalty.errors import LoyaltyError


class ReferralError(LoyaltyError):
    """A refusal of an invitation."""


class SelfInvitation(ReferralError):
    """Somebody invites themselves."""

    code = "self_invitation"

    def __str__(self) -> str:
        return _("A member cannot invite themselves.")


class AlreadyInvited(ReferralError):
    """Somebody else invited this member before."""

    code = "already_invited"

    def __str__(self) -> str:
        return _("This member was invited by somebody else: the first inviter stays.")
