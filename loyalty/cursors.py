"""Places in lists, as addresses carry them."""

MOST_DIGITS = 18


def number_of(text: str | None) -> int | None:
    """The id or version in a text, None where it is none: in a list that stands for the beginning."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
