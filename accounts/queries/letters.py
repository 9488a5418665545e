"""Which letters a member wants, and whose letter a link stands at the end of."""

from accounts.errors import LetterLinkOver
from accounts.letter_links import is_signed, said_by
from accounts.models import Consent, LetterPreference, Member, Topic
from accounts.queries.people import consents_in_force
from accounts.topics import LETTER_BY_DEFAULT, can_be_switched_off


def letter_preferences(member: Member) -> dict[Topic, bool]:
    """Whether letters about each topic are sent to the member; two queries.

    News is wanted by whoever agreed to advertising, and security by everybody.
    """
    chosen = dict(LetterPreference.objects.filter(member=member).values_list("topic", "is_wanted"))
    wanted = {topic: chosen.get(topic.value, LETTER_BY_DEFAULT[topic]) for topic in Topic}
    return wanted | {Topic.SECURITY: True, Topic.NEWS: _agreed_to_advertising(member)}


def wants_letters(member: Member, topic: Topic) -> bool:
    """Whether letters about that topic are sent to the member; one query at most."""
    if not can_be_switched_off(topic):
        return True
    if topic == Topic.NEWS:
        return _agreed_to_advertising(member)
    chosen = LetterPreference.objects.filter(member=member, topic=topic)
    is_wanted = chosen.values_list("is_wanted", flat=True).first()
    return LETTER_BY_DEFAULT[topic] if is_wanted is None else is_wanted


def member_of_letter(token: str) -> tuple[Member, Topic]:
    """Whose letter the link stands at the end of, and what the letter was about.

    Raises:
        LetterLinkOver: we made no such link, or the letter went to an address that is no longer theirs.
    """
    said = said_by(token)
    if said is None:
        raise LetterLinkOver
    member_id, topic = said
    member = Member.objects.select_related("user").filter(pk=member_id, is_sandbox=False).first()
    address = member.letter_address if member else None
    if member is None or address is None or not is_signed(token, address=address):
        raise LetterLinkOver
    return member, topic


def _agreed_to_advertising(member: Member) -> bool:
    return consents_in_force(member=member).filter(kind=Consent.Kind.ADVERTISING).exists()
