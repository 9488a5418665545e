"""What may stand in the way of giving points to another member, in words for the person who reads it."""

from datetime import datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors.base import LoyaltyError
from loyalty.templatetags.numbers import MOMENT_FORMATS, figures, in_language


class TransferRefused(LoyaltyError):
    """Nothing was transferred.

    `field` is what the form asks for and the sentence is about: "recipient", "points", "proof", "reason",
    or "" when it is about the whole.
    """

    code = "transfer_refused"
    field = ""


class NotBefore(TransferRefused):
    """It is possible from `allowed_at` on."""

    def __init__(self, allowed_at: datetime) -> None:
        super().__init__(allowed_at)
        self.allowed_at = allowed_at

    @property
    def moment(self) -> str:
        """The moment in the programme's zone, as people read it."""
        return format_date(timezone.localtime(self.allowed_at), in_language(MOMENT_FORMATS))


class TransfersOff(TransferRefused):
    """The edition in force has no transfers."""

    code = "transfers_off"

    def __str__(self) -> str:
        return _("The programme does not offer transfers at present.")


class JoinedTooRecently(NotBefore):
    """The member has not been in the programme for long enough."""

    code = "joined_too_recently"

    def __str__(self) -> str:
        return _("You joined a short while ago. You can give points from %(moment)s on.") % {
            "moment": self.moment
        }


class JustChanged(NotBefore):
    """The password or the e-mail was changed within a day."""

    code = "just_changed"

    def __str__(self) -> str:
        return _(
            "Your password or e-mail was changed a short while ago. "
            "To protect your points, none can be given until %(moment)s."
        ) % {"moment": self.moment}


class TooFewToTransfer(TransferRefused):
    """Fewer points than the edition lets be given."""

    code = "too_few_to_transfer"
    field = "points"

    def __init__(self, least_points: int) -> None:
        super().__init__(least_points)
        self.least_points = least_points

    def __str__(self) -> str:
        return ngettext(
            "At least %(count)s point can be given.",
            "At least %(count)s points can be given.",
            self.least_points,
        ) % {"count": figures(self.least_points)}


class TooManyAtOnce(TransferRefused):
    """More points than the edition lets be given at once."""

    code = "too_many_at_once"
    field = "points"

    def __init__(self, limit_points: int) -> None:
        super().__init__(limit_points)
        self.limit_points = limit_points

    def __str__(self) -> str:
        return ngettext(
            "At most %(count)s point can be given at once.",
            "At most %(count)s points can be given at once.",
            self.limit_points,
        ) % {"count": figures(self.limit_points)}


class PeriodLimitReached(TransferRefused):
    """More points than are left of what may be given in a period."""

    field = "points"

    def __init__(self, limit_points: int, left_points: int) -> None:
        super().__init__(limit_points, left_points)
        self.limit_points = limit_points
        self.left_points = left_points


class DayLimitReached(PeriodLimitReached):
    """The period is the day in the programme's zone."""

    code = "day_limit_reached"

    def __str__(self) -> str:
        return ngettext(
            "At most %(limit)s point can be given in a day. Left today: %(left)s.",
            "At most %(limit)s points can be given in a day. Left today: %(left)s.",
            self.limit_points,
        ) % {"limit": figures(self.limit_points), "left": figures(self.left_points)}


class MonthLimitReached(PeriodLimitReached):
    """The period is the month in the programme's zone."""

    code = "month_limit_reached"

    def __str__(self) -> str:
        return ngettext(
            "At most %(limit)s point can be given in a month. Left this month: %(left)s.",
            "At most %(limit)s points can be given in a month. Left this month: %(left)s.",
            self.limit_points,
        ) % {"limit": figures(self.limit_points), "left": figures(self.left_points)}


class RecipientUnreadable(TransferRefused):
    """What was entered is no member number, no e-mail and no phone; nobody was looked for.

    `reason` is what the nearest of the three says about it, if any is near.
    """

    code = "recipient_unreadable"
    field = "recipient"

    def __init__(self, reason: Exception | None = None) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        if self.reason is not None:
            return str(self.reason)
        return _(
            "This is not a member number, an e-mail or a phone. Write it like 2481 9073 6514, "
            "name@example.com or +7 916 123-45-67."
        )


class RecipientUnavailable(TransferRefused):
    """Points cannot be given to that member. It is never said whether there is one, nor why not."""

    code = "recipient_unavailable"
    field = "recipient"

    def __str__(self) -> str:
        return _("Points cannot be given to this recipient. Check what you entered, or ask them.")


class TransferToSelf(TransferRefused):
    """The recipient is the sender."""

    code = "transfer_to_self"
    field = "recipient"

    def __str__(self) -> str:
        return _("This is you. Enter the person who gets the points.")


class TooManyQuestions(NotBefore):
    """The sender has looked for too many recipients within an hour."""

    code = "too_many_questions"
    field = "recipient"

    def __str__(self) -> str:
        return _(
            "You have looked for many recipients within an hour. "
            "You can look for the next one from %(moment)s on."
        ) % {"moment": self.moment}


class ProofNeeded(TransferRefused):
    """The member has to enter the password or a code first."""

    code = "proof_needed"
    field = "proof"

    def __str__(self) -> str:
        return _("Enter your password, or the code that we send you: then the points are given.")


class WrongProof(TransferRefused):
    """The password or the code is wrong, or the code too old."""

    code = "wrong_proof"
    field = "proof"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left)
        self.tries_left = tries_left

    def __str__(self) -> str:
        return ngettext(
            "The password or code is not right, or the code is too old. %(count)d try is left.",
            "The password or code is not right, or the code is too old. %(count)d tries are left.",
            self.tries_left,
        ) % {"count": self.tries_left}


class TooManyWrongProofs(NotBefore):
    """Wrong passwords or codes were entered too often within an hour."""

    code = "too_many_wrong_proofs"
    field = "proof"

    def __str__(self) -> str:
        return _(
            "A wrong password or code was entered too often. Nothing was given; try again from %(moment)s on."
        ) % {"moment": self.moment}


class IntentOver(TransferRefused):
    """What was filled in is too old, or has seen too many wrong passwords or codes."""

    code = "check_over"

    def __str__(self) -> str:
        return _(
            "This was filled in more than half an hour ago, or a wrong password or code was entered "
            "too often. Nothing was given; fill in the form again."
        )


class NoWayToProve(TransferRefused):
    """The member has no e-mail and no phone that a code could go to."""

    code = "no_way_to_prove"
    field = "proof"

    def __str__(self) -> str:
        return _(
            "We know no e-mail or phone of yours that a code could be sent to. Confirm one in your profile."
        )


class CodeSentTooOften(NotBefore):
    """Codes were asked for too often."""

    code = "code_sent_too_often"
    field = "proof"

    def __str__(self) -> str:
        return _("You have asked for codes too often. Use the last one, or ask again from %(moment)s on.") % {
            "moment": self.moment
        }


class TakeBackOver(TransferRefused):
    """The time for taking points back is over, or there never was any."""

    code = "take_back_over"

    def __str__(self) -> str:
        return _(
            "The time in which these points could be taken back is over. Ask the recipient to return them."
        )


class TransferEnded(TransferRefused):
    """The points of the transfer went back before."""

    code = "transfer_ended"

    def __str__(self) -> str:
        return _("The points of this transfer have gone back to the sender before.")


class ReasonNeeded(TransferRefused):
    """A colleague did not say why."""

    code = "reason_needed"
    field = "reason"

    def __str__(self) -> str:
        return _("Say why: the reason is kept with what you do.")
