"""What invitations have brought so far, as far as a limit asks for it."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from loyalty.days import midnight, month_after
from referrals.models import Flag, Referral, Reward
from referrals.queries.shares import month_of


def rewarded_orders(referral: Referral, *, but_order_id: int) -> int:
    """How many other orders of the friend brought the inviter a share; a returned one counts, too."""
    shares = Reward.objects.filter(referral=referral, kind=Reward.Kind.SHARE).exclude(order_id=but_order_id)
    return shares.values("order_id").distinct().count()


def rewarded_orders_of(referrals: Collection[Referral]) -> dict[int, int]:
    """How many orders brought a share, by referral; one query."""
    shares = Reward.objects.filter(referral__in=referrals, kind=Reward.Kind.SHARE).order_by()
    return dict(shares.values_list("referral_id").annotate(Count("order_id", distinct=True)))


def month_points(inviter_id: int, at: datetime) -> int:
    """What the shares of that moment's month have brought an inviter, less what was taken back."""
    month = month_of(at)
    shares = Reward.objects.filter(
        referral__inviter_id=inviter_id,
        kind=Reward.Kind.SHARE,
        rewarded_at__gte=month,
        rewarded_at__lt=midnight(month_after(month.date(), 1)),
    )
    return shares.aggregate(points=Sum(F("points") - F("taken_back_points")))["points"] or 0


def month_points_of(inviter_ids: Collection[int], *, since_at: datetime) -> dict[tuple[int, datetime], int]:
    """The same by inviter and beginning of the month, from that moment's month on; one query."""
    shares = (
        Reward.objects.filter(
            referral__inviter__in=inviter_ids, kind=Reward.Kind.SHARE, rewarded_at__gte=month_of(since_at)
        )
        .order_by()
        .annotate(month=TruncMonth("rewarded_at", tzinfo=timezone.get_default_timezone()))
        .values_list("referral__inviter_id", "month")
        .annotate(brought=Sum(F("points") - F("taken_back_points")))
    )
    return {(inviter_id, month): points for inviter_id, month, points in shares}


def has_welcome(referral: Referral) -> bool:
    """Whether the friend was given welcome points that were not taken back."""
    return referral.pk in welcomed([referral])


def welcomed(referrals: Collection[Referral]) -> set[int]:
    """The referrals, by id, whose friends were given welcome points that were not taken back; one query."""
    given = Reward.objects.filter(
        referral__in=referrals, kind=Reward.Kind.WELCOME, points__gt=F("taken_back_points")
    )
    return set(given.values_list("referral_id", flat=True))


def doubted(referrals: Collection[Referral]) -> set[int]:
    """The referrals, by id, about which somebody has yet to decide; one query."""
    return set(Flag.objects.filter(referral__in=referrals, decision="").values_list("referral_id", flat=True))
