"""Points that one member gives to another: asked for, proved, made, and taken back.

Read `asking` first, then `proving`, `making` and `ending`: that is the order in which it happens.
"""

from loyalty.services.transfers.asking import ask_transfer, delete_old_intents
from loyalty.services.transfers.ending import reverse_transfer, take_back_transfer
from loyalty.services.transfers.making import make_transfer
from loyalty.services.transfers.proving import send_code

__all__ = [
    "ask_transfer",
    "delete_old_intents",
    "make_transfer",
    "reverse_transfer",
    "send_code",
    "take_back_transfer",
]
