"""What looks as if inviter and friend were one person: noticed here, decided by a person.

The system rejects nothing by itself: what a doubted invitation brings waits as pending points.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from accounts.models import AuditRecord, Device
from accounts.services.audit import record
from accounts.services.messages import tell
from loyalty.errors import NotPending, ReasonNeeded
from loyalty.models import UNDECIDED_AT, Purpose
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.retry import ledger_write
from referrals.errors import FlagDecided
from referrals.models import Flag, Referral, Reward
from referrals.services.telling import reward_taken_back

SILENT_FRIENDS = 3
SILENT_FOR = timedelta(days=60)


@ledger_write
def raise_flag(*, referral: Referral, kind: Flag.Kind, at: datetime) -> Flag | None:
    """Flag an invitation for a person to decide, once for each kind; None when it was, or has ended.

    What it brought and is still pending waits until somebody has decided.
    """
    ledger.lock_accounts(referral.inviter_id, referral.invited_id)
    return note_flag(referral=Referral.objects.get(pk=referral.pk), kind=kind, at=at)


def note_flag(*, referral: Referral, kind: Flag.Kind, at: datetime) -> Flag | None:
    """As `raise_flag`, for callers that hold the locks of both accounts."""
    if referral.ended_at is not None or referral.flags.filter(kind=kind).exists():
        return None
    flag = Flag.objects.create(referral=referral, kind=kind, noticed_at=at)
    waiting = referral.rewards.filter(is_held=False, available_at__gt=at, points__gt=F("taken_back_points"))
    for reward in waiting.order_by("pk"):
        try:
            ledger.schedule(
                key=event_key("doubted", flag.pk, reward.pk),
                credit_id=reward.credit_id,
                available_at=UNDECIDED_AT,
                at=at,
            )
        except NotPending:
            # A step that was sent late: the points became available before this was noticed.
            continue
        reward.is_held = True
        reward.save(update_fields=["is_held"])
    return flag


@ledger_write
def decide_flags(
    *,
    referral: Referral,
    decision: Flag.Decision,
    reason: str,
    at: datetime,
    actor_id: int,
    flag_ids: Collection[int] | None = None,
) -> None:
    """Decide about what made an invitation doubtful, with a reason that is kept.

    `flag_ids` are those that whoever decides has seen; without them it is all. A flag that was raised
    later stays open, and what waits goes on waiting for it, unless both are one person anyway.

    For two people, the points that waited become available at their own moment, at once if that is
    over. For one person, the points that are still pending are taken back and the invitation ends:
    it brings nothing more. Points that were available before stay: they may have been spent in good
    faith, and a debt is no answer to a doubt. A correction by hand can still take them.

    Raises:
        ReasonNeeded: the reason is empty.
        FlagDecided: there is nothing to decide, or somebody else has decided it.
    """
    if not reason.strip():
        raise ReasonNeeded
    ledger.lock_accounts(referral.inviter_id, referral.invited_id)
    referral = Referral.objects.select_related("inviter", "invited").get(pk=referral.pk)
    flags = open_flags = list(referral.flags.filter(decision="").order_by("pk"))
    seen = [flag for flag in open_flags if flag_ids is None or flag.pk in flag_ids]
    if not seen:
        raise FlagDecided
    if decision == Flag.Decision.FINE:
        flags = seen
    referral.flags.filter(pk__in=[flag.pk for flag in flags]).update(
        decision=decision, decided_at=at, decided_by_id=actor_id, reason=reason.strip()
    )
    if decision == Flag.Decision.FINE:
        points = _let_go(referral, flags[-1], at) if flags == open_flags else 0
    else:
        points = _take_back_waiting(referral, at, actor_id)
        referral.ended_at = at
        referral.save(update_fields=["ended_at"])
    record(
        action=AuditRecord.Action.REFERRAL_DECIDED,
        member=referral.inviter,
        at=at,
        actor=actor_id,
        referral_id=referral.pk,
        invited_id=referral.invited_id,
        decision=str(decision),
        kinds=[flag.kind for flag in flags],
        points=points,
        reason=reason.strip(),
    )


def _let_go(referral: Referral, flag: Flag, at: datetime) -> int:
    """Let what waited become available at its own moment; returns how many points that are."""
    points = 0
    for reward in referral.rewards.filter(is_held=True).order_by("pk"):
        ledger.schedule(
            key=event_key("two people", flag.pk, reward.pk),
            credit_id=reward.credit_id,
            available_at=reward.available_at,
            at=at,
        )
        reward.is_held = False
        reward.save(update_fields=["is_held"])
        points += reward.points - reward.taken_back_points
    return points


def _take_back_waiting(referral: Referral, at: datetime, actor_id: int) -> int:
    """Take back what is not available yet; returns how many points that are."""
    points = 0
    waiting = referral.rewards.filter(Q(is_held=True) | Q(available_at__gt=at))
    for reward in waiting.filter(points__gt=F("taken_back_points")).order_by("pk"):
        left_points = reward.points - reward.taken_back_points
        ledger.take_back(
            key=event_key("one person", reward.pk),
            credit_id=reward.credit_id,
            points=left_points,
            at=at,
            note=Note(
                purpose=Purpose.REFERRAL if reward.kind == Reward.Kind.SHARE else Purpose.WELCOME,
                order_id=reward.order_id,
                rule_set_id=reward.rule_set_id,
                actor_id=actor_id,
                explanation={"friend": referral.invited.masked_name, "is_one_person": True},
            ),
        )
        reward.taken_back_points = reward.points
        reward.taken_back_for = Reward.TakenBack.ONE_PERSON
        reward.is_held = False
        reward.save(update_fields=["taken_back_points", "taken_back_for", "is_held"])
        tell(*reward_taken_back(reward, points=left_points, at=at))
        points += left_points
    return points


def flag_silent_friends(*, at: datetime) -> int:
    """Flag the friends of inviters none of whose friends has ordered twice; returns how many.

    An inviter is looked at when at least three friends have bought for the first time 60 days ago or
    longer. Each invitation is flagged so once, whatever was decided about it.
    """
    silent = Referral.objects.filter(
        ended_at=None, orders_count=1, first_bought_at__lte=at - SILENT_FOR
    ).order_by("inviter_id", "pk")
    returning = Referral.objects.filter(orders_count__gte=2).values("inviter_id")
    by_inviter: dict[int, list[Referral]] = {}
    for referral in silent.exclude(inviter_id__in=returning):
        by_inviter.setdefault(referral.inviter_id, []).append(referral)
    return sum(
        raise_flag(referral=referral, kind=Flag.Kind.NO_SECOND_ORDER, at=at) is not None
        for friends in by_inviter.values()
        if len(friends) >= SILENT_FRIENDS
        for referral in friends
    )


def flag_shared_devices(*, at: datetime) -> int:
    """Flag the invitations whose two members have one browser by now; returns how many.

    The sign-up may have come from another one. Each is flagged so once, whatever was decided about it.
    """
    inviters = Device.objects.filter(member=OuterRef("inviter"), token=OuterRef("invited__devices__token"))
    shared = Referral.objects.filter(Exists(inviters), ended_at=None).exclude(
        Exists(Flag.objects.filter(referral=OuterRef("pk"), kind=Flag.Kind.SAME_DEVICE))
    )
    return sum(
        raise_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=at) is not None
        for referral in shared.distinct().order_by("pk")
    )
