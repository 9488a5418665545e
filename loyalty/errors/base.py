"""What every refusal of the programme is."""


class LoyaltyError(Exception):
    """A refusal. `str()` of it is a sentence for the person who asked."""

    code = "refused"
