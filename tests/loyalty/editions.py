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
    """A draft with these tiers, each given as name, threshold and coefficient."""
    return create_draft(tiers=[tier_spec(*tier) for tier in tiers or BRONZE_SILVER_GOLD], **settings)


def publish_edition(*tiers, effective_at=LONG_AGO, **settings) -> RuleSet:
    """An edition with these tiers that has been in force for long."""
    return publish_rule_set(
        rule_set=draft_edition(*tiers, **settings),
        effective_at=effective_at,
        published_at=NOON,
        reason="A test",
    )
