"""Making editions of the rules: a draft, what is wrong with it, and publishing it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from accounts.models import User
from loyalty.errors import (
    AlreadyPublished,
    ColourInvalid,
    EffectiveTooEarly,
    LifeTooShort,
    LowestThresholdNotZero,
    NumberOutOfRange,
    PeriodMissing,
    ReasonMissing,
    RulesRefused,
    SettingInvalid,
    ThresholdsNotRising,
    TierNameMissing,
    TierNameRepeated,
    TierNameTooLong,
    TiersMissing,
)
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import editions, last_day, tiers_of

# One number at a time is given away, under this key of PostgreSQL's advisory locks.
PUBLISHING_LOCK = 20_260_310
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# The shares of a tier; a coefficient may be above 1, a cap may not.
TIER_NUMBERS = ("threshold_sum", "coefficient", "referral_rate", "redemption_cap_rate")
CAP_MOST = Decimal(1)
TIER_NAME_LETTERS = Tier._meta.get_field("name").max_length or 0


class RuleSettings(TypedDict, total=False):
    """Everything an edition sets besides its tiers; what is left out has the model's default."""

    paid_sum_months: int | None
    crossing_order_earns_new_tier: bool
    tier_lowering: str
    rounding: str
    earns_on_points_part: bool
    earns_on_delivery: bool
    excluded_categories: list[str]
    redemption_cap_rate: Decimal
    redemption_minimum_points: int
    waiting_days: int
    life_months: int
    life_end: str
    transfers_allowed: bool
    transfer_minimum_points: int
    transfer_limit_points: int | None
    transfer_day_limit_points: int | None
    transfer_month_limit_points: int | None
    transfer_received_day_limit_points: int | None
    transfer_received_month_limit_points: int | None
    transfer_step_up_points: int | None
    transfer_member_days: int
    transfer_cooling_hours: int
    referral_months: int | None
    referral_orders: int | None
    referral_least_sum: Decimal
    referral_waiting_days: int | None
    referral_month_limit_points: int | None
    welcome_points: int
    welcome_when: str


SETTING_NAMES = tuple(RuleSettings.__annotations__)


@dataclass(frozen=True, kw_only=True)
class TierSpec:
    """A tier as it is asked for; its place follows from the order in which tiers are given."""

    name: str
    threshold_sum: Decimal
    coefficient: Decimal
    referral_rate: Decimal = Decimal(0)
    redemption_cap_rate: Decimal | None = None
    colour: str = ""
    gives: str = ""


def rule_problems(rule_set: RuleSet, tiers: Sequence[Tier]) -> list[RulesRefused]:
    """Everything that keeps a draft from being published, setting by setting and tier by tier."""
    return [*_setting_problems(rule_set), *_tier_problems(tiers)]


@transaction.atomic
def create_draft(
    *,
    tiers: Sequence[TierSpec] | None = None,
    copy_of: RuleSet | None = None,
    **settings: Unpack[RuleSettings],
) -> RuleSet:
    """A new draft: the given tiers, lowest first, and settings; what is not given is as in `copy_of`.

    Raises:
        RulesRefused: the first of `rule_problems`; nothing is kept.
    """
    copied = {name: getattr(copy_of, name) for name in SETTING_NAMES} if copy_of else {}
    draft = RuleSet(**{**copied, **settings})
    if tiers is None:
        tiers = [_spec(tier) for tier in tiers_of(copy_of)] if copy_of else []
    steps = [_tier(spec, position) for position, spec in enumerate(tiers)]
    for problem in rule_problems(draft, steps):
        raise problem
    draft.save()
    for step in steps:
        step.rule_set = draft
    Tier.objects.bulk_create(steps)
    return draft


@transaction.atomic
def publish_rule_set(
    *,
    rule_set: RuleSet,
    effective_at: datetime,
    published_at: datetime,
    reason: str,
    published_by: User | None = None,
) -> RuleSet:
    """Make a draft the next edition, in force from `effective_at` on; it never changes again.

    A moment in the past is for taking over history: orders that were paid keep their edition.
    Tiers of members are recounted apart, by `recount_standings`, once the edition is in force.

    Raises:
        AlreadyPublished: it is no draft any more.
        EffectiveTooEarly: it would take effect before the edition that it follows.
        ReasonMissing: `reason` is empty.
        RulesRefused: the first of `rule_problems`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISHING_LOCK])
    draft = RuleSet.objects.select_for_update().filter(pk=rule_set.pk, number=None).first()
    if draft is None:
        raise AlreadyPublished
    if not reason.strip():
        raise ReasonMissing("reason")
    for problem in rule_problems(draft, tiers_of(draft)):
        raise problem
    previous = editions().first()
    if previous and previous.effective_at and effective_at < previous.effective_at:
        raise EffectiveTooEarly(previous.effective_at)
    # A withdrawn edition keeps its number, too.
    draft.number = (RuleSet.objects.aggregate(last=models.Max("number"))["last"] or 0) + 1
    draft.effective_at = effective_at
    draft.published_at = published_at
    draft.published_by = published_by
    draft.reason = reason.strip()
    draft.save()
    return draft


def _setting_problems(draft: RuleSet) -> Iterator[RulesRefused]:
    others = {field.name for field in RuleSet._meta.get_fields()} - set(SETTING_NAMES)
    wrong_names: set[str] = set()
    try:
        draft.clean_fields(exclude=others)
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            wrong_names.add(name)
            yield SettingInvalid(name, sentence=" ".join(sentences))
    if "paid_sum_months" not in wrong_names and draft.paid_sum_months == 0:
        yield PeriodMissing("paid_sum_months")
    if not wrong_names & {"life_months", "life_end", "waiting_days"} and not _outlives_waiting(draft):
        yield LifeTooShort("waiting_days" if draft.waiting_days else "life_months")


def _outlives_waiting(draft: RuleSet) -> bool:
    """Whether points credited on any day become available before they expire.

    Months differ in length, so every day of a cycle of leap years is tried.
    """
    life_end = RuleSet.LifeEnd(draft.life_end)
    if life_end == RuleSet.LifeEnd.NEVER:
        return True
    waiting = timedelta(days=draft.waiting_days)
    for number in range(4 * 365 + 1):
        day = date(2024, 1, 1) + timedelta(days=number)
        last = last_day(day, life_months=draft.life_months, life_end=life_end)
        if last is not None and last < day + waiting:
            return False
    return True


def _tier_problems(tiers: Sequence[Tier]) -> Iterator[RulesRefused]:
    if not tiers:
        yield TiersMissing("tiers")
    names: set[str] = set()
    previous: Tier | None = None
    for position, tier in enumerate(tiers):
        if not tier.name:
            yield TierNameMissing("name", position)
        elif len(tier.name) > TIER_NAME_LETTERS:
            yield TierNameTooLong("name", position, most_letters=TIER_NAME_LETTERS)
        elif tier.name.casefold() in names:
            yield TierNameRepeated("name", position)
        names.add(tier.name.casefold())
        if tier.colour and not COLOUR.fullmatch(tier.colour):
            yield ColourInvalid("colour", position)
        wrong_numbers = list(_number_problems(tier, position))
        yield from wrong_numbers
        if any(problem.field == "threshold_sum" for problem in wrong_numbers):
            continue
        if previous is None and position == 0 and tier.threshold_sum != 0:
            yield LowestThresholdNotZero("threshold_sum", position)
        elif previous is not None and tier.threshold_sum <= previous.threshold_sum:
            yield ThresholdsNotRising("threshold_sum", position)
        previous = tier


def _number_problems(tier: Tier, position: int) -> Iterator[RulesRefused]:
    for name in TIER_NUMBERS:
        value = getattr(tier, name)
        field = Tier._meta.get_field(name)
        if (value is None and field.null) or not isinstance(field, models.DecimalField):
            continue
        places = field.decimal_places
        step = Decimal(1).scaleb(-places)
        most = (
            CAP_MOST if name == "redemption_cap_rate" else Decimal(10) ** (field.max_digits - places) - step
        )
        is_number = isinstance(value, Decimal) and value.is_finite()
        if not (is_number and 0 <= value <= most and value == value.quantize(step)):
            yield NumberOutOfRange(name, position, least=Decimal(0), most=most, places=places)


def _spec(tier: Tier) -> TierSpec:
    return TierSpec(
        name=tier.name,
        threshold_sum=tier.threshold_sum,
        coefficient=tier.coefficient,
        referral_rate=tier.referral_rate,
        redemption_cap_rate=tier.redemption_cap_rate,
        colour=tier.colour,
        gives=tier.gives,
    )


def _tier(spec: TierSpec, position: int) -> Tier:
    return Tier(
        position=position,
        name=spec.name.strip(),
        threshold_sum=spec.threshold_sum,
        coefficient=spec.coefficient,
        referral_rate=spec.referral_rate,
        redemption_cap_rate=spec.redemption_cap_rate,
        colour=spec.colour.strip(),
        gives=spec.gives.strip(),
    )
