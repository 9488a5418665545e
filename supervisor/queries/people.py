"""People as the console finds and names them."""

import re
from collections.abc import Iterable

from accounts.contacts import NO_BREAK_SPACE, masked_contact, readable_phone
from accounts.models import Member, User
from loyalty.errors import RecipientUnreadable
from loyalty.queries.transfers.recipients import read_recipient
from referrals.queries import invite_code
from supervisor.errors import CodeEnded, PersonUnknown, PersonUnreadable

# A scanner types the whole address of a link into the field.
LINK = re.compile(r"^\S*/r/([0-9A-Za-z]+)/?$")
# Of a phone a colleague sees the digits that members are asked for at the till.
LAST_DIGITS = 4
HIDDEN = "···"


def names_of_users(user_ids: Iterable[int | None]) -> dict[int, str]:
    """The name of each login, or its e-mail where it has none; one query."""
    users = User.objects.filter(pk__in={user_id for user_id in user_ids if user_id is not None})
    return {user.pk: user.known_as for user in users}


def member_named(text: str) -> Member:
    """The member with that number, phone or e-mail, in any spelling.

    Raises:
        PersonUnreadable: it is none of the three.
        PersonUnknown: nobody has it.
    """
    try:
        named = read_recipient(text)
    except RecipientUnreadable as error:
        raise PersonUnreadable(error) from error
    member = Member.objects.filter(**{named.by: named.value}, is_sandbox=False).first()
    if member is None:
        raise PersonUnknown
    return member


def inviter_named(text: str) -> Member:
    """As `member_named`; a member's invite code or link leads to them, too.

    Raises:
        CodeEnded: the code was replaced by a new one.
        PersonUnreadable, PersonUnknown: as above.
    """
    link = LINK.match(text.strip())
    code = invite_code(link[1] if link else text)
    if code is None:
        if link:
            raise PersonUnknown
        return member_named(text)
    if code.ended_at is not None:
        raise CodeEnded
    return code.member


def masked_contacts(member: Member) -> list[str]:
    """The member's e-mail and phone, as their owner recognises them and nobody else."""
    return [masked_contact(str(contact)) for contact in (member.email, member.phone) if contact]


def contact_for_staff(contact: str) -> str:
    """The contact as the look-up shows it: “+7 ··· ··· 12-34”, so that two people of one name differ."""
    if "@" in contact:
        return masked_contact(contact)
    country, *rest = readable_phone(contact).split(NO_BREAK_SPACE)
    last = contact[-LAST_DIGITS:]
    return NO_BREAK_SPACE.join((country, *[HIDDEN] * min(len(rest), 2), f"{last[:2]}-{last[2:]}"))
