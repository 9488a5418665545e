"""What letters about invitations say is read anew when they are sent: the balance of then."""

from accounts.fresh_facts import FreshFacts
from loyalty.letters import balance_now

FRESH_FACTS: dict[str, FreshFacts] = {
    "share_earned": balance_now,
    "share_taken_back": balance_now,
    "welcome_points": balance_now,
}
