"""The programme as a whole: its figures, and whether the ledger is sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from time import perf_counter

from django.core.cache import cache
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Member
from loyalty.days import midnight
from loyalty.models import LedgerAudit, PointsAccount
from loyalty.queries.audit import every_check
from orders.models import Order
from supervisor.queries.months import NOTHING_MOVED, ProgrammeMonth, months_of_points

ACTIVE_DAYS = 90
CHART_DAYS = 30
# Figures that took longer than this are shown again for a while, and the page names their moment.
KEPT_FROM_SECONDS = 0.3
KEPT_FOR_SECONDS = 60
KEPT_AS = "supervisor.programme.figures"

BOUGHT = (Order.Status.PAID, Order.Status.PARTLY_REFUNDED)
WAS_PAID = (*BOUGHT, Order.Status.REFUNDED)


@dataclass(frozen=True)
class OrdersOfDay:
    """The orders of one day in the programme's zone, without cancelled ones, and what was paid for them."""

    on: date
    count: int
    paid_sum: Decimal


@dataclass(frozen=True)
class Figures:
    """The programme at a moment; `months` of points end with the one that this moment is in."""

    taken_at: datetime
    members_count: int
    active_count: int
    months: Sequence[ProgrammeMonth]
    days: Sequence[OrdersOfDay]

    @property
    def this_month(self) -> ProgrammeMonth:
        """The month so far, and what is outstanding now."""
        return self.months[-1]

    @property
    def has_points(self) -> bool:
        """Whether points moved in these months, or were there before."""
        return any(month.outstanding_points or month.moved != NOTHING_MOVED for month in self.months)

    @property
    def orders_count(self) -> int:
        """The orders of all `days`."""
        return sum(day.count for day in self.days)

    @property
    def best_day(self) -> OrdersOfDay:
        """The day with the most orders, the first of several."""
        return max(self.days, key=lambda day: day.count)


@dataclass(frozen=True)
class Finding:
    """One check of an audit: which promise, in a sentence, and how many rows broke it."""

    promise: str
    sentence: str
    rows_count: int
    found_count: int


@dataclass(frozen=True)
class AuditCard:
    """The last audit of the ledger."""

    ran_at: datetime
    is_clean: bool
    rows_count: int
    duration: timedelta
    findings: list[Finding]


def figures(at: datetime) -> Figures:
    """The programme's figures at that moment, or those of a minute ago where counting takes long."""
    kept: Figures | None = cache.get(KEPT_AS)
    if kept is not None:
        return kept
    began = perf_counter()
    counted = Figures(
        taken_at=at,
        members_count=members_count(),
        active_count=active_count(at),
        months=months_of_points(at),
        days=orders_of_days(at),
    )
    if perf_counter() - began > KEPT_FROM_SECONDS:
        cache.set(KEPT_AS, counted, KEPT_FOR_SECONDS)
    return counted


def members_count_lately() -> int:
    """How many members the programme has, or had when the overview was counted."""
    kept: Figures | None = cache.get(KEPT_AS)
    return kept.members_count if kept else members_count()


def members_count() -> int:
    """How many members the programme has, without those of sandboxes."""
    return Member.objects.filter(is_sandbox=False).count()


def active_count(at: datetime) -> int:
    """How many members have an order of the last 90 days that was paid and not wholly returned."""
    bought = _live_orders(at - timedelta(days=ACTIVE_DAYS), at).filter(
        status__in=BOUGHT, member__isnull=False
    )
    return bought.values("member").distinct().count()


def outstanding_points() -> int:
    """What all members together have, debts taken off; expired points that no job has posted yet included.

    Points of sandboxes are worth nothing and are not counted.
    """
    of_sandboxes = Member.objects.filter(is_sandbox=True).values("pk")
    accounts = PointsAccount.objects.filter(pk__gt=0).exclude(pk__in=of_sandboxes)
    sums = accounts.aggregate(
        total=Sum(F("available_points") + F("pending_points") + F("held_points") - F("debt_points"))
    )
    return sums["total"] or 0


def orders_of_days(at: datetime) -> list[OrdersOfDay]:
    """The orders of each of the last days, today's last; a day without orders is there, too."""
    today = timezone.localdate(at)
    first_on = today - timedelta(days=CHART_DAYS - 1)
    rows = (
        _live_orders(midnight(first_on), at)
        .exclude(status=Order.Status.CANCELLED)
        .annotate(on=TruncDate("placed_at"))
        .values("on")
        .annotate(
            count=Count("pk"),
            paid_sum=Sum(
                F("total_sum") - F("refunded_sum"), filter=Q(status__in=WAS_PAID), default=Decimal(0)
            ),
        )
        .order_by("on")
    )
    found = {row["on"]: OrdersOfDay(**row) for row in rows}
    all_days = (first_on + timedelta(days=number) for number in range(CHART_DAYS))
    return [found.get(on, OrdersOfDay(on, 0, Decimal(0))) for on in all_days]


def last_audit() -> AuditCard | None:
    """The last run of the ledger's audit, if there was one."""
    audit = LedgerAudit.objects.order_by("-ran_at").first()
    if audit is None:
        return None
    sentences = {check.name: str(check.sentence) for check in every_check()}
    return AuditCard(
        ran_at=audit.ran_at,
        is_clean=audit.is_clean,
        rows_count=audit.rows_count,
        duration=timedelta(seconds=audit.duration_seconds),
        findings=[
            Finding(
                finding["promise"],
                sentences.get(finding["name"], finding["name"]),
                finding["rows_count"],
                finding["found_count"],
            )
            for finding in audit.findings
        ],
    )


def _live_orders(since_at: datetime, until_at: datetime) -> QuerySet[Order]:
    """What was ordered in that time, in whatever is no sandbox."""
    return Order.objects.filter(placed_at__gte=since_at, placed_at__lte=until_at, source__is_sandbox=False)
