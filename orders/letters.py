"""What letters about orders say is read anew when they are sent: the balance of then."""

from accounts.fresh_facts import FreshFacts
from loyalty.letters import balance_now

FRESH_FACTS: dict[str, FreshFacts] = {
    "points_earned": balance_now,
    "points_spent": balance_now,
    "points_returned": balance_now,
}
