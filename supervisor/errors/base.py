"""What every refusal of the console is."""

from loyalty.errors import LoyaltyError


class ConsoleError(LoyaltyError):
    """A refusal for a colleague; `field` is the form's field it belongs to, or nothing."""

    code = "console_refused"
    field = ""
