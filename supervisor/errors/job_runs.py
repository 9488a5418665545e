"""What is refused about long work."""

from django.utils.translation import gettext as _

from supervisor.errors.base import ConsoleError


class JobOver(ConsoleError):
    """The work has ended, so that nothing is left to stop."""

    code = "job_over"

    def __str__(self) -> str:
        return _("This has ended already.")


class JobOfEdition(ConsoleError):
    """The recount of rules that are to take effect later: without it they would not hold."""

    code = "job_of_edition"

    def __str__(self) -> str:
        return _(
            "This recount belongs to an edition that takes effect later. Withdraw the edition, "
            "and its recount is called off."
        )


class JobBeingDone(ConsoleError):
    """Another worker is doing this piece of work."""

    code = "job_being_done"

    def __str__(self) -> str:
        return _("This is being done already.")
