"""What letters about corrections say is read anew when they are sent: the balance of then."""

from accounts.fresh_facts import FreshFacts
from loyalty.letters import balance_now

FRESH_FACTS: dict[str, FreshFacts] = {
    "points_adjusted": balance_now,
}
