"""What a member who falls by a draft will read: real figures, in each language of the programme."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import translation

from accounts.models import Member, Message
from accounts.services.messages import Telling
from accounts.wording import message_cards, plain_text
from loyalty.models import TierChange
from loyalty.queries.rules import same_tier, tiers_of
from loyalty.services.telling import tier_changed
from supervisor.models import Preview
from supervisor.queries.preview_card import NamedExample
from supervisor.services.tier_warnings import fall_telling


@dataclass(frozen=True)
class Reading:
    """A message in one language, without its links."""

    language: str
    title: str
    text: str


@dataclass(frozen=True)
class FallNotices:
    """What the member hears before the edition takes effect, and when their tier has been recounted."""

    before: Sequence[Reading]
    after: Sequence[Reading]


def fall_notices(
    *, preview: Preview, example: NamedExample, effective_at: datetime | None, at: datetime
) -> FallNotices:
    """The messages to a member who falls; nothing comes before an edition that takes effect at once."""
    falling = example.example
    now = {tier.name: tier for tier in tiers_of(preview.compared_with)}
    then = {tier.name: tier for tier in tiers_of(preview.draft)}
    from_tier, to_tier = now[falling.from_name], then[falling.to_name]
    same = same_tier(preview.draft, from_tier)
    before = (
        [
            fall_telling(
                member=falling, from_tier=from_tier, same=same, to_tier=to_tier, until_at=effective_at, at=at
            )
        ]
        if effective_at
        else []
    )
    after = tier_changed(
        member_id=falling.member_id,
        from_tier=from_tier,
        to_tier=to_tier,
        cause=TierChange.Cause.RECOUNT,
        paid_sum=falling.paid_sum,
        at=effective_at or at,
    )
    return FallNotices(
        before=_readings(before, example.member),
        after=_readings(after, example.member),
    )


def _readings(tellings: Sequence[Telling], member: Member) -> list[Reading]:
    messages = [
        Message(kind=telling.kind, facts=telling.facts, happened_at=telling.happened_at)
        for telling in tellings
    ]
    readings = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            readings += [
                Reading(language, card.title, plain_text(card)) for card in message_cards(messages, member)
            ]
    return readings
