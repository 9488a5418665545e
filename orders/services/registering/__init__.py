"""Many paid orders at once: each with its own outcome, as if they had been sent one by one."""

from orders.services.registering.orders import register_paid_orders
from orders.services.registering.outcomes import PaidOrder, Registered

__all__ = ["PaidOrder", "Registered", "register_paid_orders"]
