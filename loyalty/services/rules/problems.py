"""What keeps rules from being published, setting by setting and tier by tier."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

from loyalty.errors import (
    ColourInvalid,
    LifeTooShort,
    LowestThresholdNotZero,
    NumberOutOfRange,
    PeriodMissing,
    RulesRefused,
    SettingInvalid,
    ThresholdsNotRising,
    TierNameMissing,
    TierNameRepeated,
    TierNameTooLong,
    TiersMissing,
)
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import last_day
from loyalty.services.rules.specs import SETTING_NAMES

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# The shares of a tier; a coefficient may be above 1, a cap may not.
TIER_NUMBERS = ("threshold_sum", "coefficient", "referral_rate", "redemption_cap_rate")
CAP_MOST = Decimal(1)
# A calendar has an end: nobody can count back further than this. Days and hours are stopped by their columns.
MOST_MONTHS = MaxValueValidator(1_200)
MONTHS_NAMES = tuple(name for name in SETTING_NAMES if name.endswith("_months"))
TIER_NAME_LETTERS = Tier._meta.get_field("name").max_length or 0


def rule_problems(rule_set: RuleSet, tiers: Sequence[Tier]) -> list[RulesRefused]:
    """Everything that keeps a draft from being published, setting by setting and tier by tier."""
    return [*_setting_problems(rule_set), *_tier_problems(tiers)]


def _setting_problems(draft: RuleSet) -> Iterator[RulesRefused]:
    others = {field.name for field in RuleSet._meta.get_fields()} - set(SETTING_NAMES)
    wrong_names: set[str] = set()
    try:
        draft.clean_fields(exclude=others)
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            wrong_names.add(name)
            yield SettingInvalid(name, sentence=" ".join(sentences))
    for name in MONTHS_NAMES:
        months = getattr(draft, name)
        if name not in wrong_names and months is not None:
            try:
                MOST_MONTHS(months)
            except ValidationError as error:
                wrong_names.add(name)
                yield SettingInvalid(name, sentence=" ".join(error.messages))
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
        yield from _english_problems(tiers, position)
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


def _english_problems(tiers: Sequence[Tier], position: int) -> Iterator[RulesRefused]:
    """English pages show the English names, and the names of the tiers that have none."""
    english = tiers[position].name_en
    if not english:
        return
    before = [other.name_en or other.name for other in tiers[:position]]
    unnamed = [other.name for other in tiers[position + 1 :] if not other.name_en]
    if len(english) > TIER_NAME_LETTERS:
        yield TierNameTooLong("name_en", position, most_letters=TIER_NAME_LETTERS)
    elif english.casefold() in {name.casefold() for name in (*before, *unnamed)}:
        yield TierNameRepeated("name_en", position)


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
