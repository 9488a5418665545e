"""How operations are named and explained to the person whose points they moved."""

from loyalty.wording.operations import OperationCard, OperationRow, card, not_me, row, title
from loyalty.wording.why import derivation, explanation, order_number, words

__all__ = [
    "OperationCard",
    "OperationRow",
    "card",
    "derivation",
    "explanation",
    "not_me",
    "order_number",
    "row",
    "title",
    "words",
]
