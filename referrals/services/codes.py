"""A member's invite code: made when it is first asked for, and made anew on their wish."""

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Member
from referrals.models import InviteCode
from referrals.queries.codes import ALPHABET, CODE_LENGTH, live_code


def code_of(*, member: Member, at: datetime) -> InviteCode:
    """The member's live code, made when there is none."""
    return live_code(member.pk) or _new_code(member, at)


@transaction.atomic
def reissue_code(*, member: Member, at: datetime) -> InviteCode:
    """A new code for the member; the one before ends, and shows or hides the name as it did."""
    # Whoever asks for a new one at the same moment waits here, and ends this one.
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    before = live_code(member.pk)
    if before is None:
        return _new_code(member, at)
    InviteCode.objects.filter(pk=before.pk).update(ended_at=at)
    return _new_code(member, at, shows_name=before.shows_name)


@transaction.atomic
def show_name(*, member: Member, shows_name: bool, at: datetime) -> InviteCode:
    """Let friends see the member's first name at the link, or not."""
    code = code_of(member=member, at=at)
    code.shows_name = shows_name
    code.save(update_fields=["shows_name"])
    return code


def _new_code(member: Member, at: datetime, *, shows_name: bool = True) -> InviteCode:
    """A random code as the member's live one, unless somebody has just made it."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _letter in range(CODE_LENGTH))
        try:
            with transaction.atomic():
                return InviteCode.objects.create(member=member, code=code, made_at=at, shows_name=shows_name)
        except IntegrityError:
            # Another request of the member was quicker; or the code is somebody's, one time in 10¹¹.
            made = live_code(member.pk)
            if made is not None:
                return made
