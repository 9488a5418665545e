"""What is refused about corrections of balances, and tiers that are set by hand."""

from django.utils.translation import gettext as _

from supervisor.errors.base import ConsoleError


class AdjustmentDiffers(ConsoleError):
    """The same form came before with other content."""

    code = "adjustment_differs"

    def __str__(self) -> str:
        return _("This form was sent before with other content. Begin a new one for another correction.")


class NothingToAdjust(ConsoleError):
    """Points that are neither given nor taken."""

    code = "nothing_to_adjust"
    field = "points"

    def __str__(self) -> str:
        return _("Enter how many points: at least 1.")


class WordsNeeded(ConsoleError):
    """A correction without a word about it."""

    code = "words_needed"
    field = "text"

    def __str__(self) -> str:
        return _("Say in words why: the member and your colleagues will read it.")


class FloorAlready(ConsoleError):
    """The tier is set by hand as it is asked for."""

    code = "floor_already"

    def __str__(self) -> str:
        return _("This is how it is already: nothing was changed.")
