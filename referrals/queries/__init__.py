"""Reads of invitations: whose code it is, what they brought, and what somebody has to decide."""

from referrals.queries.codes import invite_code
from referrals.queries.flags import flags_of, open_flags
from referrals.queries.invitations import (
    InvitationRow,
    InvitationsPage,
    State,
    Totals,
    invitations_page,
    totals,
)
from referrals.queries.people import inviter_id_of, referral_of

__all__ = [
    "InvitationRow",
    "InvitationsPage",
    "State",
    "Totals",
    "flags_of",
    "invitations_page",
    "invite_code",
    "inviter_id_of",
    "open_flags",
    "referral_of",
    "totals",
]
