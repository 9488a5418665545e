"""Which letters a member wants, and an address that took none: the choices behind what is sent."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts import queries
from accounts.contacts import normalise_email
from accounts.errors import InvalidEmail, LettersAlwaysOn
from accounts.models import Consent, LetterPreference, Member, Topic
from accounts.services.members import change_consent
from accounts.topics import can_be_switched_off


@transaction.atomic
def choose_letters(
    *, member: Member, wanted: Collection[Topic], at: datetime, is_by_link: bool = False
) -> list[Topic]:
    """Send the member letters about these topics from now on, and about no others; what has changed.

    Letters about security come in any case. News is the consent to advertising, which is recorded as such.
    By a letter's link it is only taken back: whoever holds a letter may be anybody, and gives no consent.
    """
    # Two saved pages come one after the other, and what the second changes is told as it is.
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    current = queries.letter_preferences(member)
    changed = [
        topic
        for topic, is_wanted in current.items()
        if can_be_switched_off(topic)
        and is_wanted != (topic in wanted)
        and (is_wanted or topic != Topic.NEWS or not is_by_link)
    ]
    for topic in changed:
        _choose(member=member, topic=topic, is_wanted=topic in wanted, at=at, is_by_link=is_by_link)
    return changed


@transaction.atomic
def stop_letters(*, member: Member, topic: Topic, at: datetime) -> bool:
    """Send the member no more letters about that topic, as a letter's link asks; whether any would come.

    Raises:
        LettersAlwaysOn: these come in any case.
    """
    if not can_be_switched_off(topic):
        raise LettersAlwaysOn
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not queries.wants_letters(member, topic):
        return False
    _choose(member=member, topic=topic, is_wanted=False, at=at, is_by_link=True)
    return True


def refuse_addresses(addresses: Iterable[str]) -> list[Member]:
    """Note that mailboxes took no letter for good, so that none go there; whose they are.

    Addresses may be written in any way; what is none, or nobody's, is passed over. A member whose
    letters go to another address by now keeps getting them.
    """
    return [member for address in addresses for member in _refuse_address(address)]


def note_refused_address(*, member_id: int, address: str) -> None:
    """Note that this address of the member's took no letter for good."""
    Member.objects.filter(pk=member_id).update(refused_email=address)


def try_address_again(*, member: Member) -> bool:
    """Send letters to the address that refused them once more; whether there was one."""
    refused = Member.objects.filter(pk=member.pk).exclude(refused_email=None)
    return refused.update(refused_email=None) > 0


def _choose(*, member: Member, topic: Topic, is_wanted: bool, at: datetime, is_by_link: bool) -> None:
    if topic == Topic.NEWS:
        change_consent(
            member=member,
            kind=Consent.Kind.ADVERTISING,
            is_given=is_wanted,
            changed_at=at,
            how=Consent.How.LETTER if is_by_link else Consent.How.CABINET,
        )
        return
    LetterPreference.objects.update_or_create(
        member=member, topic=topic, defaults={"is_wanted": is_wanted, "changed_at": at}
    )


def _refuse_address(text: str) -> list[Member]:
    try:
        address = normalise_email(text)
    except InvalidEmail:
        return []
    is_theirs = Q(email=address, email_verified_at__isnull=False) | Q(user__email=address)
    members = Member.objects.select_related("user").filter(is_theirs, is_sandbox=False)
    concerned = [
        member
        for member in members
        if member.letter_address == address and not member.is_letter_address_refused
    ]
    for member in concerned:
        note_refused_address(member_id=member.pk, address=address)
    return concerned
