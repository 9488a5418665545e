"""What points are, what the rules are, and where a member stands."""

from loyalty.models.ledger import (
    UNDECIDED_AT,
    Bucket,
    Cause,
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
from loyalty.models.notices import ExpiryNotice
from loyalty.models.rules import RuleSet, Tier
from loyalty.models.standing import PaidSumEntry, Standing, TierChange
from loyalty.models.till_codes import TillCode
from loyalty.models.transfers import Transfer, TransferIntent

__all__ = [
    "UNDECIDED_AT",
    "Bucket",
    "Cause",
    "Credit",
    "Entry",
    "ExpiryNotice",
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
    "TillCode",
    "Transfer",
    "TransferIntent",
]
