"""What an edition is asked for by: its settings and its tiers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypedDict

from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import tiers_of


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
    name_en: str = ""
    threshold_sum: Decimal
    coefficient: Decimal
    referral_rate: Decimal = Decimal(0)
    redemption_cap_rate: Decimal | None = None
    colour: str = ""
    gives: str = ""
    gives_en: str = ""


def settings_of(rule_set: RuleSet) -> dict[str, object]:
    """The settings of an edition or a draft by their names."""
    return {name: getattr(rule_set, name) for name in SETTING_NAMES}


def specs_of(rule_set: RuleSet) -> list[TierSpec]:
    """The tiers of an edition or a draft as somebody would ask for them, the lowest first."""
    return [
        TierSpec(
            name=tier.name,
            name_en=tier.name_en,
            threshold_sum=tier.threshold_sum,
            coefficient=tier.coefficient,
            referral_rate=tier.referral_rate,
            redemption_cap_rate=tier.redemption_cap_rate,
            colour=tier.colour,
            gives=tier.gives,
            gives_en=tier.gives_en,
        )
        for tier in tiers_of(rule_set)
    ]


def tier_in_place(spec: TierSpec, position: int) -> Tier:
    """The tier that is asked for, not saved yet."""
    return Tier(
        position=position,
        name=spec.name.strip(),
        name_en=spec.name_en.strip(),
        threshold_sum=spec.threshold_sum,
        coefficient=spec.coefficient,
        referral_rate=spec.referral_rate,
        redemption_cap_rate=spec.redemption_cap_rate,
        colour=spec.colour.strip(),
        gives=spec.gives.strip(),
        gives_en=spec.gives_en.strip(),
    )
