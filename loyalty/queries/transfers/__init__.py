"""What a member may give to others, and what was given."""

from loyalty.queries.transfers.giving import Allowance, Giving, Periods, allowance, moved_lots
from loyalty.queries.transfers.made import (
    TransfersPage,
    can_be_taken_back,
    intent_of,
    moved_by,
    same_transfer_before,
    transfer_by_key,
    transfer_for,
    transfer_numbers,
    transfers_page,
)
from loyalty.queries.transfers.proof import ProofWays, proof_needed, proof_ways

__all__ = [
    "Allowance",
    "Giving",
    "Periods",
    "ProofWays",
    "TransfersPage",
    "allowance",
    "can_be_taken_back",
    "intent_of",
    "moved_by",
    "moved_lots",
    "proof_needed",
    "proof_ways",
    "same_transfer_before",
    "transfer_by_key",
    "transfer_for",
    "transfer_numbers",
    "transfers_page",
]
