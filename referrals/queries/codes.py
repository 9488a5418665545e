"""Codes of links: what somebody typed or opened, and whose it is."""

from referrals.models import InviteCode

# Without look-alikes: no 0 and O, no 1, I and L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8


def invite_code(text: str) -> InviteCode | None:
    """The code, in whatever case it was written, with its member; also one that has ended."""
    code = text.strip().upper()
    # A longer one cannot be anybody's, and the database need not be asked with a byte it refuses.
    if len(code) > 12 or not set(code) <= set(ALPHABET):
        return None
    return InviteCode.objects.select_related("member").filter(code=code).first()


def live_code(member_id: int) -> InviteCode | None:
    """The code that a member's link has now."""
    return InviteCode.objects.filter(member_id=member_id, ended_at=None).first()
