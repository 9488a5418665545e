"""What may stand in the way of paying with points at the till, in words for the person who reads it."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors.base import LoyaltyError
from loyalty.errors.transfers import NotBefore
from loyalty.templatetags.numbers import figures


class TillCodeRefused(LoyaltyError):
    """No points are taken: the member has not shown that it is them."""

    code = "till_code_refused"
    field = "code"


class TillCodeNeeded(TillCodeRefused):
    """Points were to be taken without a code."""

    code = "till_code_needed"

    def __str__(self) -> str:
        return _("Ask the member for the code from their cabinet: no points are taken without it.")


class TillCodeWrong(TillCodeRefused):
    """It is not the member's code; `tries_left` is how often it may still be entered."""

    code = "till_code_wrong"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left)
        self.tries_left = tries_left

    def __str__(self) -> str:
        return ngettext(
            "This is not the member’s code. It can be entered %(count)s more time.",
            "This is not the member’s code. It can be entered %(count)s more times.",
            self.tries_left,
        ) % {"count": figures(self.tries_left)}


class TillCodeOver(TillCodeRefused):
    """The member has no code that holds: used, too old, wrong too often, or none was made."""

    code = "till_code_over"

    def __str__(self) -> str:
        return _("No code of this member holds now. Ask them to make a new one in their cabinet.")


class TooManyTillCodes(NotBefore):
    """The member has made as many codes as an hour allows."""

    code = "too_many_till_codes"

    def __str__(self) -> str:
        return _("Too many codes were made within an hour. The next one can be made from %(moment)s on.") % {
            "moment": self.moment
        }
