"""Everything that writes orders, and with them tiers, points and the inviter's share."""
