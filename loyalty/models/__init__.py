"""What points are, what the rules are, and where a member stands."""

from loyalty.models.ledger import (
    Bucket,
    Credit,
    Entry,
    Fund,
    Hold,
    LedgerAudit,
    Lot,
    PointsAccount,
    Posting,
    Purpose,
    Request,
    Spending,
)
from loyalty.models.rules import RuleSet, Tier
from loyalty.models.standing import PaidSumEntry, Standing, TierChange

__all__ = [
    "Bucket",
    "Credit",
    "Entry",
    "Fund",
    "Hold",
    "LedgerAudit",
    "Lot",
    "PaidSumEntry",
    "PointsAccount",
    "Posting",
    "Purpose",
    "Request",
    "RuleSet",
    "Spending",
    "Standing",
    "Tier",
    "TierChange",
]
