"""The keys of every source, and what has become of each."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models import ApiKey, Scope, Source


class State(models.TextChoices):
    """What has become of a key."""

    UNUSED = "unused", _("never used")
    WORKS = "works", _("works")
    REPLACED = "replaced", _("replaced")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


@dataclass(frozen=True)
class KeyCard:
    """A key with its state."""

    key: ApiKey
    state: State

    @property
    def is_ended(self) -> bool:
        """Whether the key lets nobody in any more."""
        return self.state in (State.EXPIRED, State.REVOKED)

    @property
    def is_replaceable(self) -> bool:
        """Whether there can be a key after this one; one that has a successor cannot get another."""
        return self.state in (State.UNUSED, State.WORKS)

    @property
    def is_for_everything(self) -> bool:
        """Whether the key has every scope."""
        return set(self.key.scopes) >= set(Scope.values)

    @property
    def scopes_in_words(self) -> str:
        """What the key may be used for: "find members, read and quote orders"."""
        return ", ".join(str(Scope(scope).label) for scope in self.key.scopes)


@dataclass(frozen=True)
class SourceKeys:
    """A source and keys of it."""

    source: Source
    cards: list[KeyCard]


def state_of(key: ApiKey, at: datetime) -> State:
    """What has become of a key by then; one that was replaced still works for a while."""
    if key.revoked_at:
        return State.REVOKED
    if key.expires_at:
        return State.EXPIRED if key.expires_at <= at else State.REPLACED
    return State.WORKS if key.last_used_at else State.UNUSED


def keys_by_source(*, at: datetime, is_ended: bool) -> list[SourceKeys]:
    """The keys that work, or those that do not any more, the newest of each source first."""
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=at)
    keys = (
        ApiKey.objects.filter(ended if is_ended else ~ended)
        .select_related("source", "created_by")
        .order_by("source__name", "source", "-created_at", "-pk")
    )
    return [
        SourceKeys(source, [KeyCard(key, state_of(key, at)) for key in of_source])
        for source, of_source in groupby(keys, key=lambda key: key.source)
    ]
