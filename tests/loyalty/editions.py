"""Publishes editions of the rules for tests, in few words."""

from datetime import timedelta
from decimal import Decimal

from loyalty.models import RuleSet
from loyalty.services.rules import TierSpec, create_draft, publish_rule_set
from tests.clock import NOON

LONG_AGO = NOON - timedelta(days=1000)
BRONZE_SILVER_GOLD = (("Bronze", 0), ("Silver", 10_000), ("Gold", 20_000))


def tier_spec(name: str, threshold_sum: int | str, coefficient: str = "0.05", **fields) -> TierSpec:
    """A tier as a supervisor asks for it."""
    return TierSpec(
        name=name, threshold_sum=Decimal(threshold_sum), coefficient=Decimal(coefficient), **fields
    )


def draft_edition(*tiers, **settings) -> RuleSet:
    """A draft with these tiers, each given as name, threshold and coefficient, or as it is asked for."""
    specs = [tier if isinstance(tier, TierSpec) else tier_spec(*tier) for tier in tiers or BRONZE_SILVER_GOLD]
    return create_draft(tiers=specs, **settings)


def in_both_languages() -> tuple[TierSpec, ...]:
    """Tiers with Russian and English texts; the last has no English ones."""
    return (
        tier_spec("Бронза", 0, name_en="Bronze", gives="Баллы за заказы", gives_en="Points for orders"),
        tier_spec("Серебро", 10_000, name_en="Silver", gives="Ещё и дегустации", gives_en="Tastings, too"),
        tier_spec("Бриллиант", 20_000),
    )


def publish_edition(*tiers, effective_at=LONG_AGO, **settings) -> RuleSet:
    """An edition with these tiers that has been in force for long."""
    return publish_rule_set(
        rule_set=draft_edition(*tiers, **settings),
        effective_at=effective_at,
        published_at=NOON,
        reason="A test",
    )
