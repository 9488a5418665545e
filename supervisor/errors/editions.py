"""What is refused about publishing the rules and recounting tiers."""

from django.utils.translation import gettext as _

from supervisor.errors.base import ConsoleError


class PreviewNotReady(ConsoleError):
    """Nobody has seen yet what the draft would do."""

    code = "preview_not_ready"

    def __str__(self) -> str:
        return _(
            "What these rules would do is not computed yet. Wait for it, and look at it before you publish."
        )


class PreviewOutdated(ConsoleError):
    """The draft, the rules before it or the members are not what the preview was computed of."""

    code = "preview_outdated"

    def __str__(self) -> str:
        return _(
            "The draft or the rules before it have changed since this was computed, "
            "or it is older than a day. Compute it again before you publish."
        )


class EffectiveInThePast(ConsoleError):
    """Rules would take effect before they are published."""

    code = "effective_in_the_past"
    field = "effective_at"

    def __str__(self) -> str:
        return _("This moment has passed. Choose a later one, or let the rules take effect at once.")


class ApprovalWaiting(ConsoleError):
    """The publication waits for a second person already."""

    code = "approval_waiting"

    def __init__(self, approval_id: int) -> None:
        super().__init__(approval_id)
        self.approval_id = approval_id

    def __str__(self) -> str:
        return _("The publication of this draft waits for a second person already.")


class EditionWithdrawn(ConsoleError):
    """The edition whose tiers were to be recounted never takes effect."""

    code = "edition_withdrawn"

    def __str__(self) -> str:
        return _("These rules were withdrawn before they took effect, so there is nothing to recount.")


class RecountUnderWay(ConsoleError):
    """Tiers are being recounted already."""

    code = "recount_under_way"

    def __init__(self, job_run_id: int) -> None:
        super().__init__(job_run_id)
        self.job_run_id = job_run_id

    def __str__(self) -> str:
        return _("Tiers are being recounted already. Wait until that has ended.")
