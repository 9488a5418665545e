"""What the ledger may refuse, in words for the person who reads them."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors.base import LoyaltyError
from loyalty.templatetags.numbers import figures


class PointsRefused(LoyaltyError):
    """The ledger did not move points. `limit_points` is how many there could have been, if any."""

    def __init__(self, limit_points: int | None = None) -> None:
        super().__init__(limit_points)
        self.limit_points = limit_points or 0


class NotEnoughPoints(PointsRefused):
    """More was asked for than is available."""

    code = "not_enough_points"

    def __str__(self) -> str:
        return ngettext(
            "There are not enough points: %(count)s point is available.",
            "There are not enough points: %(count)s points are available.",
            self.limit_points,
        ) % {"count": figures(self.limit_points)}


class AccountBlocked(PointsRefused):
    """The member may not give points away at present."""

    code = "account_blocked"

    def __str__(self) -> str:
        return _("This account is blocked: its points cannot be spent at present. To learn why, write to us.")


class AboveHold(PointsRefused):
    """More was asked for than the hold still holds."""

    code = "above_hold"

    def __str__(self) -> str:
        return ngettext(
            "Only %(count)s point is still set aside for this order.",
            "Only %(count)s points are still set aside for this order.",
            self.limit_points,
        ) % {"count": figures(self.limit_points)}


class AboveSpending(PointsRefused):
    """More was to be given back than was spent and not yet given back."""

    code = "above_spending"

    def __str__(self) -> str:
        return ngettext(
            "At most %(count)s point can be given back: the rest was given back before.",
            "At most %(count)s points can be given back: the rest was given back before.",
            self.limit_points,
        ) % {"count": figures(self.limit_points)}


class AboveCredit(PointsRefused):
    """More was to be taken back than was credited and not yet taken back."""

    code = "above_credit"

    def __str__(self) -> str:
        return ngettext(
            "At most %(count)s point can be taken back: the rest was taken back before.",
            "At most %(count)s points can be taken back: the rest was taken back before.",
            self.limit_points,
        ) % {"count": figures(self.limit_points)}


class NotPending(PointsRefused):
    """The points of the credit are available already, or were taken back."""

    code = "not_pending"

    def __str__(self) -> str:
        return _("These points do not wait any more: they are available, or were taken back.")


class NotReversible(PointsRefused):
    """The posting is of a kind that has an opposite of its own, or it touched a debt."""

    code = "not_reversible"

    def __str__(self) -> str:
        return _("This operation cannot be undone. Correct it by an adjustment.")


class AlreadyReversed(PointsRefused):
    """The posting was undone before."""

    code = "already_reversed"

    def __str__(self) -> str:
        return _("This operation was undone before.")


class PointsMovedOn(PointsRefused):
    """Whoever received the points no longer has them; `limit_points` is how many are missing."""

    code = "points_moved_on"

    def __str__(self) -> str:
        return _("This cannot be undone: not all of these points are there any more.")


class KeyReused(LoyaltyError):
    """The same key came with other content."""

    code = "key_reused"

    def __str__(self) -> str:
        return _("This request was sent before with other content. Send it under a new key.")


class NoSuchAccount(LoyaltyError):
    """There is no such member, hold, credit, spending or posting."""

    code = "no_such_account"

    def __str__(self) -> str:
        return _("This account or operation does not exist.")


REFUSALS: dict[str, type[PointsRefused]] = {
    refusal.code: refusal
    for refusal in (
        NotEnoughPoints,
        AccountBlocked,
        AboveHold,
        AboveSpending,
        AboveCredit,
        NotPending,
        NotReversible,
        AlreadyReversed,
        PointsMovedOn,
    )
}
