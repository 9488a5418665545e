"""Invitations in which inviter and friend may be one person: those to decide, and those decided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import F, Q, QuerySet, Subquery, Sum

from referrals.models import Flag, Referral, Reward
from referrals.queries import flags_of, open_flags
from supervisor.queries.people import names_of_users

DECIDED_PER_PAGE = 25


@dataclass(frozen=True)
class Waiting:
    """The points of an invitation that wait for a decision, or for their moment."""

    inviter_points: int
    friend_points: int

    @property
    def points(self) -> int:
        """Those of both."""
        return self.inviter_points + self.friend_points


NOTHING = Waiting(inviter_points=0, friend_points=0)


@dataclass(frozen=True)
class Doubt:
    """An invitation that somebody has to decide about, and what was noticed."""

    referral: Referral
    flags: Sequence[Flag]
    held: Waiting


@dataclass(frozen=True)
class Decided:
    """What was decided about an invitation at one moment, of which flags, and the name of who did it."""

    referral: Referral
    flags: Sequence[Flag]
    decided_by: str

    @property
    def flag(self) -> Flag:
        """One of the flags: the decision stands on each of them."""
        return self.flags[0]


@dataclass(frozen=True)
class DecidedPage:
    """Some decisions, the last one first, and where the next page begins, if there is one."""

    decided: Sequence[Decided]
    older_cursor: int | None


@dataclass(frozen=True)
class DoubtCard:
    """An invitation with everything that a decision needs.

    `held` are the points that wait for the decision; `pending` those that are not available yet,
    whether they wait for it or only for their moment.
    """

    referral: Referral
    open_flags: Sequence[Flag]
    decided: Sequence[Decided]
    held: Waiting
    pending: Waiting


def open_referrals_count() -> int:
    """How many invitations wait for a decision."""
    return Flag.objects.filter(decision="").values("referral").distinct().count()


def doubts() -> list[Doubt]:
    """The invitations that have waited longest, with what was noticed; two queries."""
    by_referral: dict[int, list[Flag]] = {}
    for flag in open_flags():
        by_referral.setdefault(flag.referral_id, []).append(flag)
    held = _waiting(Reward.objects.filter(referral__in=by_referral, is_held=True))
    return [
        Doubt(flags[0].referral, flags, held.get(referral_id, NOTHING))
        for referral_id, flags in by_referral.items()
    ]


def decided_page(*, before: int | None = None) -> DecidedPage:
    """The last decisions, or those before the flag of that id; a page is full at so many flags."""
    flags = Flag.objects.exclude(decision="").select_related("referral__inviter", "referral__invited")
    if before is not None:
        decided_at = Subquery(Flag.objects.filter(pk=before).values("decided_at"))
        flags = flags.filter(Q(decided_at__lt=decided_at) | Q(decided_at=decided_at, pk__lt=before))
    found = list(flags.order_by("-decided_at", "-pk")[: DECIDED_PER_PAGE + 1])
    return DecidedPage(
        decided=_decided(found[:DECIDED_PER_PAGE]),
        older_cursor=found[DECIDED_PER_PAGE - 1].pk if len(found) > DECIDED_PER_PAGE else None,
    )


def doubt_card(referral: Referral, at: datetime) -> DoubtCard:
    """Everything that the page of one invitation shows."""
    flags = flags_of(referral)
    held = _waiting(referral.rewards.filter(is_held=True))
    pending = _waiting(referral.rewards.filter(Q(is_held=True) | Q(available_at__gt=at)))
    return DoubtCard(
        referral=referral,
        open_flags=[flag for flag in flags if not flag.decision],
        decided=_decided(flag for flag in reversed(flags) if flag.decision),
        held=held.get(referral.pk, NOTHING),
        pending=pending.get(referral.pk, NOTHING),
    )


def _waiting(rewards: QuerySet[Reward]) -> dict[int, Waiting]:
    """What is left of rewards, by referral; one query."""
    sums: dict[int, dict[str, int]] = {}
    left = rewards.values("referral", "kind").annotate(left_points=Sum(F("points") - F("taken_back_points")))
    for row in left:
        sums.setdefault(row["referral"], {})[row["kind"]] = row["left_points"]
    return {
        referral_id: Waiting(of_kind.get(Reward.Kind.SHARE, 0), of_kind.get(Reward.Kind.WELCOME, 0))
        for referral_id, of_kind in sums.items()
    }


def _decided(flags: Iterable[Flag]) -> list[Decided]:
    """The decisions, from flags given newest first; those that were decided together follow each other."""
    found = list(flags)
    names = names_of_users(flag.decided_by_id for flag in found)
    together = groupby(found, key=lambda flag: (flag.referral_id, flag.decided_at))
    groups = [list(group)[::-1] for _decision, group in together]
    return [Decided(group[0].referral, group, names.get(group[0].decided_by_id or 0, "")) for group in groups]
