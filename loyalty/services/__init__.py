"""Everything that writes points, rules and standings."""
