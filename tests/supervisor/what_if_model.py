"""What a what-if should say, worked out member by member and order by order in plain Python.

It asks the functions that decide for one member or one order; nothing here knows of the SQL.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

from accounts.models import Member
from loyalty.models import PaidSumEntry, RuleSet, Standing, Tier
from loyalty.queries.rules import (
    months_later,
    paid_sum_since_at,
    points_for,
    redemption_cap_points,
    tier_for,
)
from orders.models import Order
from orders.queries.figures import figures
from referrals.models import Referral, Reward
from referrals.queries.shares import brings_share, month_of, share_points
from supervisor.queries.what_if import CapEffect, Pace


def tier_of(member: Member, rule_set: RuleSet, at: datetime) -> Tier:
    """The tier of a member under an edition, from all that was counted for them."""
    return _tier(member.pk, rule_set, at, PaidSumEntry.objects.filter(member=member))


def ways(live: RuleSet, draft: RuleSet, at: datetime) -> Counter[tuple[str, str]]:
    """How many members go from which tier to which."""
    members = Member.objects.filter(is_sandbox=False)
    return Counter((tier_of(one, live, at).name, tier_of(one, draft, at).name) for one in members)


def direction(live: RuleSet, draft: RuleSet, from_name: str, to_name: str) -> int:
    """1 for a rise, -1 for a fall, 0 where the member stays: told by the names, the lowest first."""
    before, after = (
        list(one.tiers.order_by("position").values_list("name", flat=True)) for one in (live, draft)
    )
    # Renamed is what has a new name in the same place.
    meant = list(before)
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old not in after and new not in before:
            meant[place] = new
    tier = meant[before.index(from_name)]
    if tier == to_name:
        return 0
    if tier in after:
        return 1 if after.index(to_name) > after.index(tier) else -1
    above = [after.index(name) for name in meant[meant.index(tier) + 1 :] if name in after]
    return 1 if above and after.index(to_name) >= min(above) else -1


def pace(live: RuleSet, draft: RuleSet, at: datetime, days: int) -> Pace:
    """Points a month by the orders of the last days."""
    orders = _orders(at - timedelta(days=days), at)
    first = (
        Order.objects.filter(member__is_sandbox=False, paid_at__isnull=False).order_by("placed_at").first()
    )
    there_are = -((first.placed_at - at) // timedelta(days=1)) if first else 0
    counted = max(min(days, there_are), 1)

    def a_month(points: int) -> int:
        exact = points * Decimal("365.25") / 12 / counted
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))

    earned = {
        rule_set: sum(earns(order, rule_set, tier_of(order.member, rule_set, at)) for order in orders)
        for rule_set in (live, draft)
    }
    shared = {
        rule_set: sum(
            points
            for order, points in shares(
                rule_set,
                {one.pk: tier_of(one, rule_set, at) for one in Member.objects.all()}.get,
                until_at=at,
            )
            if order in orders
        )
        for rule_set in (live, draft)
    }
    return Pace(
        days=days,
        counted_days=counted,
        orders=sum(order.status in ("paid", "partly_refunded") for order in orders),
        earned_now=a_month(earned[live]),
        earned_then=a_month(earned[draft]),
        shared_now=a_month(shared[live]),
        shared_then=a_month(shared[draft]),
    )


def cap(live: RuleSet, draft: RuleSet, at: datetime, days: int) -> CapEffect:
    """What the caps and minimums would have refused."""
    spent = [order for order in _orders(at - timedelta(days=days), at) if order.spent_points]
    refused = {
        rule_set: [
            order.spent_points - _let(order, rule_set, tier_of(order.member, rule_set, at)) for order in spent
        ]
        for rule_set in (live, draft)
    }
    return CapEffect(
        days=days,
        orders=len(spent),
        orders_now=sum(points > 0 for points in refused[live]),
        orders_then=sum(points > 0 for points in refused[draft]),
        refused_points_now=sum(refused[live]),
        refused_points_then=sum(refused[draft]),
    )


def earns(order: Order, rule_set: RuleSet, tier: Tier) -> int:
    """What the rest of an order earns in a tier."""
    return points_for(rule_set, figures(order, order.lines.all(), rule_set).base_sum, tier.coefficient)


def replayed(draft: RuleSet, at: datetime, since_at: datetime) -> dict[date, tuple[int, int]]:
    """Earned points and shares of each month's orders, as the draft would have had them."""
    months: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for order in _orders(since_at, at):
        months[_month(order)][0] += earns(order, draft, _tier_then(order, draft))

    def inviters_tier(inviter_id: int, order: Order) -> Tier:
        before = PaidSumEntry.objects.filter(member_id=inviter_id, pk__lt=_payment(order).pk)
        return _tier(inviter_id, draft, order.paid_at, before)

    for order, points in shares(draft, inviters_tier, since_at=since_at, until_at=at):
        months[_month(order)][1] += points
    return {month: (earned, shared) for month, (earned, shared) in months.items()}


def shares(rule_set: RuleSet, tier_at, *, until_at: datetime, since_at: datetime | None = None):
    """The share of each friend's order, in the order of time; `tier_at` gives the inviter's tier.

    From `since_at` on: then as many orders have brought a share before as really have.
    """
    rewarded: Counter[int] = Counter()
    month_points: Counter[tuple[int, datetime]] = Counter()
    for referral in Referral.objects.all() if since_at else ():
        real = Reward.objects.filter(referral=referral, kind="share").values_list("order_id", flat=True)
        rewarded[referral.pk] = Order.objects.filter(pk__in=real, paid_at__lte=since_at).count()
    for order in _orders(since_at, until_at):
        referral = Referral.objects.filter(invited=order.member).first()
        if referral is None:
            continue
        as_paid, left = _base_as_paid(order, rule_set), figures(order, order.lines.all(), rule_set).base_sum
        if not brings_share(
            referral,
            rule_set,
            base_sum=as_paid,
            paid_at=order.paid_at,
            rewarded_orders=rewarded[referral.pk],
        ):
            continue
        tier = tier_at(referral.inviter_id, order) if since_at else tier_at(referral.inviter_id)
        brought = points_for(rule_set, as_paid, tier.referral_rate)
        if not brought:
            continue
        rewarded[referral.pk] += 1
        month = (referral.inviter_id, month_of(order.paid_at))
        cut = share_points(
            rule_set, base_sum=as_paid, referral_rate=tier.referral_rate, month_points=month_points[month]
        )
        month_points[month] += cut
        yield order, min(cut, points_for(rule_set, left, tier.referral_rate))


def window_begin(at: datetime) -> datetime:
    """When the last 12 months began."""
    local = timezone.localtime(at)
    day = months_later(local.date(), -12)
    return local.replace(year=day.year, month=day.month, day=day.day)


def _orders(since_at: datetime | None, until_at: datetime) -> list[Order]:
    orders = Order.objects.filter(member__is_sandbox=False, paid_at__lte=until_at).order_by("paid_at", "pk")
    return list(orders.filter(paid_at__gt=since_at) if since_at else orders)


def _tier_then(order: Order, rule_set: RuleSet) -> Tier:
    """The tier that an order would have earned in, after everything that was counted before it."""
    payment = _payment(order)
    known = PaidSumEntry.objects.filter(member=order.member)
    known = (
        known.filter(pk__lte=payment.pk)
        if rule_set.crossing_order_earns_new_tier
        else known.filter(pk__lt=payment.pk)
    )
    return _tier(order.member_id, rule_set, order.paid_at, known)


def _payment(order: Order) -> PaidSumEntry:
    return PaidSumEntry.objects.filter(order_id=order.pk, counted_at=order.paid_at).order_by("pk")[0]


def _tier(member_id: int, rule_set: RuleSet, at: datetime, entries: Iterable[PaidSumEntry]) -> Tier:
    since_at = paid_sum_since_at(rule_set, at)
    counted = [entry for entry in entries if since_at is None or since_at < entry.counted_at <= at]
    standing = Standing.objects.filter(pk=member_id).first()
    paid_sum = sum((entry.paid_sum for entry in counted), Decimal(0))
    return tier_for(rule_set, paid_sum, standing.floor_position if standing else None)


def _let(order: Order, rule_set: RuleSet, tier: Tier) -> int:
    let = min(order.spent_points, redemption_cap_points(rule_set, tier, order.total_sum))
    return let if let >= rule_set.redemption_minimum_points else 0


def _base_as_paid(order: Order, rule_set: RuleSet) -> Decimal:
    """What the order earned on when it was paid, before any refund."""
    whole = Order(total_sum=order.total_sum, delivery_sum=order.delivery_sum, spent_points=order.spent_points)
    lines = list(order.lines.all())
    for line in lines:
        line.refunded_sum = Decimal(0)
    return figures(whole, lines, rule_set).base_sum


def _month(order: Order) -> date:
    return timezone.localdate(order.paid_at).replace(day=1)
