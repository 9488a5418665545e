"""What an order may be refused for, in words for the person who sent it."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors import LoyaltyError


class OrderError(LoyaltyError):
    """A refusal of a step of an order's life. `field` is the part of the request it is about."""

    code = "order_refused"
    field = ""


class BadSum(OrderError):
    """A sum that no order can have."""

    code = "bad_sum"

    def __init__(self, field: str, found: object) -> None:
        super().__init__(field, found)
        self.field = field
        self.found = found

    def __str__(self) -> str:
        return _("“%(found)s” is not a possible sum: give 0 to %(largest)s with at most two decimals.") % {
            "found": self.found,
            "largest": LARGEST_SUM,
        }


LARGEST_SUM = Decimal("999999999.99")


class LinesDoNotAddUp(OrderError):
    """Lines and delivery do not make the total."""

    code = "lines_do_not_add_up"
    field = "lines"

    def __init__(self, lines_sum: Decimal, total_sum: Decimal) -> None:
        super().__init__(lines_sum, total_sum)
        self.lines_sum = lines_sum
        self.total_sum = total_sum

    def __str__(self) -> str:
        return _("The lines and the delivery make %(lines_sum)s, but the total is %(total_sum)s.") % {
            "lines_sum": self.lines_sum,
            "total_sum": self.total_sum,
        }


class OrderDiffers(OrderError):
    """The same order, or the same step under one key, came before with other content."""

    code = "order_differs"
    field = "number"

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return _(
            "Order %(number)s was sent before with other content, and nothing was changed. "
            "Send a correction as a refund, or as an order with a new number."
        ) % {"number": self.number}


class NotAMember(OrderError):
    """Points were asked for on an order of somebody who is no member."""

    code = "not_a_member"
    field = "points"

    def __str__(self) -> str:
        return _("Points can be spent by members only: name the member of this order.")


class ForeignOrder(OrderError):
    """Points of one member on the order of another."""

    code = "foreign_order"
    field = "member"

    def __str__(self) -> str:
        return _("This order belongs to somebody else: a member can pay only their own orders with points.")


class BelowMinimum(OrderError):
    """Fewer points than the edition lets be spent on one order."""

    code = "below_minimum"
    field = "points"

    def __init__(self, minimum_points: int) -> None:
        super().__init__(minimum_points)
        self.minimum_points = minimum_points

    def __str__(self) -> str:
        return ngettext(
            "At least %(count)s point must be spent on an order.",
            "At least %(count)s points must be spent on an order.",
            self.minimum_points,
        ) % {"count": self.minimum_points}


class WrongStatus(OrderError):
    """The order is not in a state in which this step can be taken."""

    code = "wrong_status"
    field = "status"

    def __init__(self, number: str, status: str) -> None:
        super().__init__(number, status)
        self.number = number
        self.status = status

    def __str__(self) -> str:
        return _("Order %(number)s is %(status)s: this cannot be done to it any more.") % {
            "number": self.number,
            "status": self.status,
        }


class AboveOrder(OrderError):
    """More was to be refunded than is left of the order or of one of its lines."""

    code = "above_order"
    field = "refund"

    def __init__(self, left_sum: Decimal) -> None:
        super().__init__(left_sum)
        self.left_sum = left_sum

    def __str__(self) -> str:
        return _("Only %(left_sum)s is left to be refunded here.") % {"left_sum": self.left_sum}


class NothingToRefund(OrderError):
    """A refund of nothing."""

    code = "nothing_to_refund"
    field = "refund"

    def __str__(self) -> str:
        return _("Say what is refunded: lines, a sum, or the delivery.")


class LinesNeeded(OrderError):
    """A refund by sum of an order that has lines, or by lines of one that has none."""

    code = "lines_needed"
    field = "lines"

    def __init__(self, *, has_lines: bool) -> None:
        super().__init__(has_lines)
        self.has_lines = has_lines

    def __str__(self) -> str:
        if self.has_lines:
            return _("This order has lines: say which of them are refunded, and how much of each.")
        return _("This order has no such lines: say which sum is refunded.")


class HoldLapsed(OrderError):
    """The points set aside for the order came free again, and were spent elsewhere."""

    code = "hold_lapsed"
    field = "points"

    def __init__(self, needed_points: int, available_points: int) -> None:
        super().__init__(needed_points, available_points)
        self.needed_points = needed_points
        self.available_points = available_points

    def __str__(self) -> str:
        return ngettext(
            "The points set aside for this order were released when it was not paid in time, and "
            "%(count)s point is available now. Cancel the order and place it again.",
            "The points set aside for this order were released when it was not paid in time, and "
            "%(count)s points are available now. Cancel the order and place it again.",
            self.available_points,
        ) % {"count": self.available_points}


class IdempotencyKeyReused(OrderError):
    """The same `Idempotency-Key` came with other content."""

    code = "idempotency_key_reused"
    field = "Idempotency-Key"

    def __str__(self) -> str:
        return _(
            "This Idempotency-Key was used for a request with other content. "
            "Send a new request under a new key."
        )


class MemberNotFound(OrderError):
    """There is no such member among those whom the source may see."""

    code = "member_not_found"

    def __str__(self) -> str:
        return _("There is no such member. Check the number or the contact.")


class UnknownMember(OrderError):
    """An order names a member or customer who is not there."""

    code = "unknown_member"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return _(
            "There is no such member. Register them first, or send the order with an e-mail or phone: "
            "then it waits until they join."
        )


class MomentInFuture(OrderError):
    """Something is said to have happened later than now."""

    code = "moment_in_future"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return _("This moment lies in the future. Check the clock and the offset, or leave the field out.")


class ConsentMissing(OrderError):
    """Somebody was to be registered who has not agreed to the programme's rules."""

    code = "consent_missing"
    field = "agrees_to_programme"

    def __str__(self) -> str:
        return _("Without consent to the rules and the processing of personal data nobody becomes a member.")


class CustomerTaken(OrderError):
    """The source's own customer id belongs to another member already."""

    code = "customer_taken"
    field = "customer_id"

    def __str__(self) -> str:
        return _("This customer id belongs to another member already.")


class OrderUnknown(OrderError):
    """The source has sent no order of that number."""

    code = "order_not_found"
    field = "number"

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return _(
            "There is no order with the number “%(number)s”. Check the number, or place the order first."
        ) % {"number": self.number}


class ApiKeyRefused(LoyaltyError):
    """A refusal that is about a key of the API. `field` is the part of a form it is about, if any."""

    code = "api_key_refused"
    field = ""


class KeyNotAccepted(ApiKeyRefused):
    """The request does not prove which source it is from."""

    code = "key_not_accepted"


class KeyMissing(KeyNotAccepted):
    """A request without a key."""

    code = "key_missing"

    def __str__(self) -> str:
        return _("This request carries no key. Send the key of your shop with it.")


class KeyUnknown(KeyNotAccepted):
    """Malformed, never made, or with a wrong secret: whoever asks does not learn which."""

    code = "key_unknown"

    def __str__(self) -> str:
        return _("There is no such key. Check that it was copied whole, or ask a supervisor for a new one.")


class KeyRevoked(KeyNotAccepted):
    """A key that a supervisor has ended."""

    code = "key_revoked"

    def __str__(self) -> str:
        return _("This key was revoked. Ask a supervisor for a new one.")


class KeyExpired(KeyNotAccepted):
    """A key whose time ran out after it was replaced."""

    code = "key_expired"

    def __str__(self) -> str:
        return _("This key was replaced, and its time has run out. Use the one that replaced it.")


class ScopeMissing(ApiKeyRefused):
    """The key is good, but was not given this right."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope

    def __str__(self) -> str:
        return _("This key lacks the scope %(scope)s. Ask a supervisor for a key that has it.") % {
            "scope": self.scope
        }


class TooManyRequests(ApiKeyRefused):
    """The key has used up its requests for now; `retry_after_seconds` is when there is a place again."""

    code = "too_many_requests"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return ngettext(
            "Too many requests with this key. Try again in %(count)s second.",
            "Too many requests with this key. Try again in %(count)s seconds.",
            self.retry_after_seconds,
        ) % {"count": self.retry_after_seconds}


class AlreadyRotated(ApiKeyRefused):
    """The key has a successor already."""

    code = "already_rotated"

    def __str__(self) -> str:
        return _("This key was replaced before. To replace it again, replace the one that came after it.")


class KeyEnded(ApiKeyRefused):
    """A key that works no longer cannot be rotated."""

    code = "key_ended"

    def __str__(self) -> str:
        return _("This key no longer works, so there is nothing to replace. Make a new one.")


class KeyMadeBefore(ApiKeyRefused):
    """The same request for a key came a second time."""

    code = "key_made_before"

    def __str__(self) -> str:
        return _("This form was sent before, and made one key. To make another, open an empty form.")


class KeyNameInvalid(ApiKeyRefused):
    """A key without a name, or with one that does not fit."""

    code = "key_name_invalid"
    field = "name"

    def __init__(self, most_letters: int) -> None:
        super().__init__(most_letters)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Say where the key is used, in at most %(count)s letter.",
            "Say where the key is used, in at most %(count)s letters.",
            self.most_letters,
        ) % {"count": self.most_letters}


class ScopesMissing(ApiKeyRefused):
    """A key that could do nothing."""

    code = "scopes_missing"
    field = "scopes"

    def __str__(self) -> str:
        return _("Choose at least one thing that the key may be used for.")


class ScopeUnknown(ApiKeyRefused):
    """A scope that no key can have."""

    code = "scope_unknown"
    field = "scopes"

    def __init__(self, scope: str, known: str) -> None:
        super().__init__(scope, known)
        self.scope = scope
        self.known = known

    def __str__(self) -> str:
        return _("There is no scope “%(scope)s”. The scopes are: %(known)s.") % {
            "scope": self.scope,
            "known": self.known,
        }


class LimitOutOfRange(ApiKeyRefused):
    """A limit of requests that cannot be kept."""

    code = "limit_out_of_range"
    field = "requests_a_minute"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    def __str__(self) -> str:
        return _("Enter a whole number of requests a minute from 1 to %(most)s.") % {"most": self.most}


class SourceCodeInvalid(ApiKeyRefused):
    """A new source with a code that could not stand in an address."""

    code = "source_code_invalid"
    field = "source_code"

    def __init__(self, most_letters: int) -> None:
        super().__init__(most_letters)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Make the code of Latin letters, digits and hyphens, at most %(count)s together.",
            "Make the code of Latin letters, digits and hyphens, at most %(count)s together.",
            self.most_letters,
        ) % {"count": self.most_letters}


class SourceCodeTaken(ApiKeyRefused):
    """A new source with the code of one that there is."""

    code = "source_code_taken"
    field = "source_code"

    def __init__(self, source_code: str) -> None:
        super().__init__(source_code)
        self.source_code = source_code

    def __str__(self) -> str:
        return _("There is a source with the code “%(code)s” already. Choose it, or take another code.") % {
            "code": self.source_code
        }
