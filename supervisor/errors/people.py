"""What is refused about people that are named."""

from django.utils.translation import gettext as _


class PersonRefused(Exception):
    """What was entered leads to no member."""


class PersonUnreadable(PersonRefused):
    """It is no member number, no phone and no e-mail; `reason` is the sentence that says so."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


class PersonUnknown(PersonRefused):
    """Nobody in the programme has it."""

    def __str__(self) -> str:
        return _("Nobody is found by this. Check it, or ask for another number, phone or e-mail.")


class CodeEnded(PersonRefused):
    """The invite code was replaced by a new one."""

    def __str__(self) -> str:
        return _("This invite code is no longer valid: its owner has a new one. Ask for it.")
