"""What is refused about things that wait for a second person."""

from django.utils.translation import gettext as _

from supervisor.errors.base import ConsoleError


class SecondPersonNeeded(ConsoleError):
    """Whoever asked cannot decide."""

    code = "second_person_needed"

    def __str__(self) -> str:
        return _("You have asked for this yourself, so somebody else decides about it. You can withdraw it.")


class LetInByAsker(ConsoleError):
    """Whoever asked may be the same person under another address."""

    code = "let_in_by_asker"

    def __str__(self) -> str:
        return _(
            "Whoever asked for this has let you into the console less than 30 days ago, "
            "so another supervisor approves it. You can decline it."
        )


class SupervisorNeeded(ConsoleError):
    """Somebody who is no supervisor cannot decide."""

    code = "supervisor_needed"

    def __str__(self) -> str:
        return _("Only a supervisor can decide about this.")


class OwnAccount(ConsoleError):
    """It is about the account of the person who would decide."""

    code = "own_account"

    def __str__(self) -> str:
        return _("This is about your own account. Ask a colleague to do it.")


class NotYours(ConsoleError):
    """Only whoever asked can withdraw it."""

    code = "not_yours"

    def __str__(self) -> str:
        return _("A colleague has asked for this, so only they can withdraw it. You can decline it.")


class ApprovalOver(ConsoleError):
    """It was decided, or withdrawn."""

    code = "approval_over"

    def __str__(self) -> str:
        return _("This has been decided or withdrawn already.")
