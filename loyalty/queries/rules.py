"""Which rules are in force, and what follows from them: tiers, points, days, caps.

Published editions never change, so each process reads the contents of an edition once.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from loyalty.errors import NoRulesInForce
from loyalty.models import RuleSet, Tier

ROUNDINGS = {
    RuleSet.Rounding.DOWN: ROUND_FLOOR,
    RuleSet.Rounding.HALF_UP: ROUND_HALF_UP,
    RuleSet.Rounding.UP: ROUND_CEILING,
}

# Every order and transfer asks this: the ORM would take several times as long to put it together.
IN_FORCE = """
    select id, number, published_at from loyalty_rule_set
     where number is not null and withdrawn_at is null and effective_at <= %(at)s
     order by number desc limit 1
"""

EditionKey = tuple[int, int | None, datetime | None]
# The moment of publishing is part of the key: after a rollback the same numbers may come again.
_editions: dict[EditionKey, RuleSet] = {}


def rule_set_in_force(at: datetime) -> RuleSet:
    """The edition in force at that moment, with its tiers: one query, once it has been read.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE, {"at": at})
        key = cursor.fetchone()
    if key is None:
        raise NoRulesInForce
    return edition(key)


def edition(key: EditionKey) -> RuleSet:
    """The edition of that key, with its tiers: no query, once it has been read."""
    known = _editions.get(key)
    if known is None:
        known = RuleSet.objects.prefetch_related("tiers").get(pk=key[0])
        _editions[key] = known
    return known


def tiers_of(rule_set: RuleSet) -> Sequence[Tier]:
    """The tiers of an edition or of a draft, the lowest first."""
    if rule_set.number is None:
        return list(rule_set.tiers.order_by("position"))
    return list(edition((rule_set.pk, rule_set.number, rule_set.published_at)).tiers.all())


def editions() -> QuerySet[RuleSet]:
    """The published editions that were not withdrawn, the newest first."""
    return RuleSet.objects.filter(number__isnull=False, withdrawn_at=None).order_by("-number")


def all_editions() -> QuerySet[RuleSet]:
    """Every published edition, also those that were withdrawn before they took effect, the newest first."""
    return RuleSet.objects.filter(number__isnull=False).order_by("-number")


def scheduled(at: datetime) -> QuerySet[RuleSet]:
    """The editions that are yet to take effect, the next one first."""
    return editions().filter(effective_at__gt=at).order_by("effective_at", "number")


def is_withdrawn(number: int) -> bool:
    """Whether the edition of that number was withdrawn before it took effect."""
    return all_editions().filter(number=number, withdrawn_at__isnull=False).exists()


def drafts() -> QuerySet[RuleSet]:
    """The editions that are being worked on, the one that was changed last first."""
    return RuleSet.objects.filter(number=None).order_by(F("drafted_at").desc(nulls_last=True), "-pk")


def tier_for(rule_set: RuleSet, paid_sum: Decimal, floor_position: int | None = None) -> Tier:
    """The tier that a paid sum gives, not below the one set by hand where the edition keeps to it.

    A floor above the highest tier of this edition stands for the highest.
    """
    floor = -1 if floor_position is None or not keeps_floors(rule_set) else floor_position
    lowest, *higher = tiers_of(rule_set)
    tier = lowest
    for candidate in higher:
        if candidate.threshold_sum <= paid_sum or candidate.position <= floor:
            tier = candidate
    return tier


def next_tier(rule_set: RuleSet, tier: Tier) -> Tier | None:
    """The tier above that one in the edition, or None at the top."""
    return next((other for other in tiers_of(rule_set) if other.position > tier.position), None)


@dataclass(frozen=True)
class Succession:
    """What a tier of an edition becomes in another one.

    `same` is the tier that members see as the same, if any. Tiers from the place `rises_from` on are
    above it; all others but itself are below.
    """

    same: Tier | None
    rises_from: int


def successions(before: Sequence[Tier], after: Sequence[Tier]) -> dict[str, Succession]:
    """What the tiers of an edition become in another one, by their names.

    The same tier is that of the same name. Where there is none, it is the tier in the same place, if
    that has a new name: then it was renamed. A tier that was left out stood below the next one above it
    that is still there, and above all of the other edition's where none is.
    """
    names = {tier.name for tier in before}
    by_name = {tier.name: tier for tier in after}
    renamed = {tier.position: tier for tier in after if tier.name not in names}
    found, rises_from = {}, len(after)
    for tier in reversed(before):
        same = by_name.get(tier.name) or renamed.get(tier.position)
        found[tier.name] = Succession(same, same.position + 1 if same else rises_from)
        if same:
            rises_from = min(rises_from, same.position)
    return found


def succession(rule_set: RuleSet, tier: Tier) -> Succession:
    """What a tier of another edition becomes in this one."""
    return successions(tiers_of(tier.rule_set), tiers_of(rule_set))[tier.name]


def same_tier(rule_set: RuleSet, tier: Tier) -> Tier | None:
    """What a tier of another edition is called in this one, if it is still there."""
    by_name = (other for other in tiers_of(rule_set) if other.name == tier.name)
    return next(by_name, None) or succession(rule_set, tier).same


def missing_sum(same: Tier | None, reached: Tier, paid_sum: Decimal) -> Decimal | None:
    """What more has to be paid for the tier that one had; None where it is gone, or no longer above.

    `same` is that tier in the edition of the reached one. The recount says the same in SQL.
    """
    if same is None or same.position <= reached.position:
        return None
    return max(same.threshold_sum - paid_sum, Decimal(0))


def keeps_floors(rule_set: RuleSet) -> bool:
    """Whether a tier that was set by hand holds under this edition."""
    return rule_set.tier_lowering == RuleSet.TierLowering.DOWN_TO_FLOOR


def points_for(rule_set: RuleSet, base_sum: Decimal, coefficient: Decimal) -> int:
    """The whole points of a sum, rounded as the edition says, once."""
    rounding = ROUNDINGS[RuleSet.Rounding(rule_set.rounding)]
    return int((base_sum * coefficient).to_integral_value(rounding=rounding))


def redemption_cap_points(rule_set: RuleSet, tier: Tier, total_sum: Decimal) -> int:
    """How many points may pay for an order of that sum."""
    cap_sum = total_sum * redemption_cap_rate(rule_set, tier)
    return int(cap_sum.to_integral_value(rounding=ROUND_FLOOR))


def redemption_cap_rate(rule_set: RuleSet, tier: Tier) -> Decimal:
    """The share of an order that points may pay; the tier's own comes before the edition's."""
    own_rate = tier.redemption_cap_rate
    return rule_set.redemption_cap_rate if own_rate is None else own_rate


def available_at(rule_set: RuleSet, credited_at: datetime) -> datetime:
    """When points credited then become available, as earned points wait."""
    return waited_until(credited_at, rule_set.waiting_days)


def waited_until(at: datetime, days: int) -> datetime:
    """So many days later at the same hour of the programme's zone; the moment itself for none."""
    if not days:
        return at
    return timezone.localtime(at, timezone.get_default_timezone()) + timedelta(days=days)


def expires_on(rule_set: RuleSet, credited_at: datetime) -> date | None:
    """The last day of points credited then, in the programme's zone; None when they never expire."""
    return last_day(
        timezone.localdate(credited_at, timezone.get_default_timezone()),
        life_months=rule_set.life_months,
        life_end=RuleSet.LifeEnd(rule_set.life_end),
    )


def last_day(credited_on: date, *, life_months: int, life_end: RuleSet.LifeEnd) -> date | None:
    """The last day of points credited on that day.

    By the day, a life of a month is the month's length: the last day is the one before the same
    day of the month, as `credited_on + interval 'N months' - 1` has it in SQL. Otherwise it is the
    end of the month or year that this day falls into; 0 months is the current one.
    """
    same_day = months_later(credited_on, life_months)
    match life_end:
        case RuleSet.LifeEnd.NEVER:
            return None
        case RuleSet.LifeEnd.DAY:
            return same_day - timedelta(days=1)
        case RuleSet.LifeEnd.MONTH:
            return same_day.replace(day=monthrange(same_day.year, same_day.month)[1])
        case RuleSet.LifeEnd.YEAR:
            return same_day.replace(month=12, day=31)


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def paid_sum_since_at(rule_set: RuleSet, at: datetime) -> datetime | None:
    """Orders counted after that moment decide the tier at `at`; None when all do."""
    if rule_set.paid_sum_months is None:
        return None
    local = timezone.localtime(at, timezone.get_default_timezone())
    first = months_later(local.date(), -rule_set.paid_sum_months)
    return local.replace(year=first.year, month=first.month, day=first.day)


def leaves_period_at(rule_set: RuleSet, counted_at: datetime) -> datetime:
    """When an order that was counted at that moment stops deciding the tier, if nothing else changes.

    The first moment for which `paid_sum_since_at` is not before it. The edition counts a period.
    """
    months = rule_set.paid_sum_months
    if months is None:
        raise ValueError(f"Edition {rule_set.number} counts orders of all time.")
    local = timezone.localtime(counted_at, timezone.get_default_timezone())
    day = months_later(local.date(), months)
    # A month that is shorter than the order's has no such day: then the next one begins without it.
    while months_later(day, -months) < local.date():
        day += timedelta(days=1)
    moment = local.replace(year=day.year, month=day.month, day=day.day)
    if months_later(day, -months) == local.date():
        return moment
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
