"""What an invitation, or a decision about one, may be refused for."""

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


class ExistingMember(ReferralError):
    """Who was a member before is not invited."""

    code = "existing_member"

    def __str__(self) -> str:
        return _("This person was a member before: only new members can be invited.")


class SameEmail(ReferralError):
    """Both have one mailbox, however it is spelled."""

    code = "same_email"

    def __str__(self) -> str:
        return _("Both have the same e-mail address.")


class SamePhone(ReferralError):
    """Both have, or had, one phone."""

    code = "same_phone"

    def __str__(self) -> str:
        return _("Both have the same phone number.")


class LinkTooOld(ReferralError):
    """The link was opened too long ago."""

    code = "link_too_old"

    def __str__(self) -> str:
        return _("The link was opened more than 30 days before the sign-up.")


class LinkEnded(ReferralError):
    """The inviter has replaced the link by a new one."""

    code = "link_ended"

    def __str__(self) -> str:
        return _("This link is no longer valid: the inviter has a new one.")


class TooLateToAttach(ReferralError):
    """The member joined too long ago for an inviter to be noted at the till."""

    code = "too_late"

    def __str__(self) -> str:
        return _("An inviter can be noted within 7 days of joining.")


class FlagDecided(ReferralError):
    """Nothing is left to decide: somebody else was quicker, or there was no doubt."""

    code = "flag_decided"

    def __str__(self) -> str:
        return _("Nothing is left to decide about this invitation.")


# What a kept refusal stands for, by its code.
REFUSALS: dict[str, type[ReferralError]] = {
    refusal.code: refusal
    for refusal in (
        SelfInvitation,
        AlreadyInvited,
        ExistingMember,
        SameEmail,
        SamePhone,
        LinkTooOld,
        LinkEnded,
        TooLateToAttach,
    )
}
