"""Who looked at whose account: written down each time."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import AuditRecord, Member, User
from accounts.services.audit import record


@transaction.atomic
def note_look(*, members: Iterable[Member], page: str, at: datetime, actor: User, **facts: object) -> None:
    """Write down that a colleague was shown these members on a page, each time that they are.

    `facts` name what the page was about, never what was typed to find it: that may be a contact.
    """
    for member in {member.pk: member for member in members}.values():
        record(
            action=AuditRecord.Action.LOOKED_AT,
            member=member,
            at=at,
            actor=actor,
            page=page,
            **facts,
        )


def note_contacts(*, member: Member, at: datetime, actor: User) -> None:
    """Write down that a colleague is shown the member's contacts in full."""
    record(action=AuditRecord.Action.CONTACTS_SHOWN, member=member, at=at, actor=actor)
