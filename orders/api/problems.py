"""Every refusal of the API: its code, its status, and what it means. The docs' table is made from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.errors import (
    AccountsError,
    EmailTaken,
    InvalidEmail,
    InvalidPhone,
    NoFirstName,
    PhoneTaken,
)
from loyalty.errors import LoyaltyError, PointsRefused
from orders.api.errors import InvalidRequest
from orders.api.types import Answer

MEDIA_TYPE = "application/problem+json"
# Where the table of codes is served; a problem's type leads to its line.
TABLE_ADDRESS = "/api/problems"


@dataclass(frozen=True)
class Kind:
    """One code. `status` is its HTTP status, and `meaning` says when it happens."""

    status: int
    meaning: str | Promise


KINDS: Mapping[str, Kind] = {
    "not_json": Kind(400, _("The body cannot be read as JSON.")),
    "key_missing": Kind(401, _("The request has no key.")),
    "key_unknown": Kind(401, _("There is no such key.")),
    "key_revoked": Kind(401, _("The key was revoked.")),
    "key_expired": Kind(401, _("The key has been replaced by another one, and its time is over.")),
    "scope_missing": Kind(403, _("The key may not be used for this.")),
    "not_found": Kind(404, _("There is nothing at this address.")),
    "member_not_found": Kind(404, _("There is no such member.")),
    "order_not_found": Kind(404, _("The source has sent no such order.")),
    "method_not_allowed": Kind(405, _("The address does not know this method.")),
    "email_taken": Kind(409, _("Another member has this e-mail address.")),
    "phone_taken": Kind(409, _("Another member has this phone number.")),
    "customer_taken": Kind(409, _("The customer id belongs to another member.")),
    "order_differs": Kind(409, _("The order was sent before with other content.")),
    "wrong_status": Kind(409, _("The order is not in a state in which this can be done.")),
    "not_enough_points": Kind(409, _("The member has fewer points than were asked for.")),
    "account_blocked": Kind(409, _("The member's points cannot be spent at present.")),
    "hold_lapsed": Kind(409, _("The points set aside for the order have been released and spent elsewhere.")),
    "money_differs": Kind(409, _("The money taken is not what the points leave to pay.")),
    "above_order": Kind(409, _("More was to be refunded than is left of the order.")),
    "body_too_large": Kind(413, _("The body is larger than any request needs.")),
    "unsupported_media_type": Kind(415, _("The body is not declared as JSON.")),
    "invalid_request": Kind(422, _("A field is missing, unknown or of the wrong kind.")),
    "idempotency_key_reused": Kind(422, _("The Idempotency-Key was used for other content before.")),
    "bad_cursor": Kind(422, _("The cursor is no place in this list.")),
    "moment_in_future": Kind(422, _("Something is said to have happened later than now.")),
    "step_too_early": Kind(422, _("A return is said to have happened before the payment.")),
    "invalid_email": Kind(422, _("The e-mail address cannot be read.")),
    "invalid_phone": Kind(422, _("The phone number cannot be read.")),
    "no_first_name": Kind(422, _("There is no letter in the first name.")),
    "consent_missing": Kind(422, _("The person has not agreed to the programme's rules.")),
    "unknown_member": Kind(422, _("The order names a member or customer who is not there.")),
    "bad_sum": Kind(422, _("A sum that no order can have.")),
    "lines_do_not_add_up": Kind(422, _("The lines and the delivery do not make the total.")),
    "not_a_member": Kind(422, _("Points were asked for on an order of nobody.")),
    "below_minimum": Kind(422, _("Fewer points than may be spent on an order.")),
    "nothing_to_refund": Kind(422, _("The refund does not say what is returned.")),
    "lines_needed": Kind(422, _("A refund by sum of an order with lines, or the other way round.")),
    "too_many_requests": Kind(429, _("The key made too many requests. Wait as long as Retry-After says.")),
    "internal_error": Kind(500, _("A mistake on the programme's side, noted under its incident number.")),
    "try_again": Kind(503, _("The database cannot be reached now. Send the same request again.")),
}
# What accounts refuse has no codes of its own.
CODES_OF_ACCOUNTS: Mapping[type[AccountsError], tuple[str, str]] = {
    EmailTaken: ("email_taken", "email"),
    PhoneTaken: ("phone_taken", "phone"),
    InvalidEmail: ("invalid_email", "email"),
    InvalidPhone: ("invalid_phone", "phone"),
    NoFirstName: ("no_first_name", "first_name"),
}


class FieldError(Answer):
    """What was expected of one field."""

    field: str = Field(examples=["lines.0.line_sum"])
    expected: str = Field(examples=["A sum as text with at most two decimals, such as “4990.00”."])


class Problem(Answer):
    """A refusal as RFC 9457 has it; `code` is stable, `detail` is for people."""

    type: str = Field(examples=["/api/problems#not_enough_points"])
    title: str
    status: int
    code: str = Field(examples=["not_enough_points"])
    detail: str
    field: str | None = Field(None, description="The part of the request that it is about.")
    errors: Sequence[FieldError] = Field(
        default=[], description="Every field that is wrong, with what was expected."
    )
    limit_points: int | None = Field(None, description="How many points there could have been.")


def problem_of(refusal: LoyaltyError | AccountsError) -> Problem:
    """What the API says of a refusal, in the language of the request."""
    if isinstance(refusal, AccountsError):
        code, field = next(found for kind, found in CODES_OF_ACCOUNTS.items() if isinstance(refusal, kind))
    else:
        # The ledger knows of points alone; over the API they are what an order asks for.
        of_points = "points" if isinstance(refusal, PointsRefused) else ""
        code, field = refusal.code, getattr(refusal, "field", of_points)
    kind = KINDS[code]
    errors = []
    if isinstance(refusal, InvalidRequest):
        errors = [FieldError(field=error.field, expected=error.expected) for error in refusal.problems]
    return Problem(
        type=f"{TABLE_ADDRESS}#{code}",
        title=str(kind.meaning),
        status=kind.status,
        code=code,
        detail=str(refusal),
        field=field or None,
        errors=errors,
        limit_points=getattr(refusal, "limit_points", None),
    )


def refused(refusal: LoyaltyError | AccountsError) -> HttpResponse:
    """The refusal as an HTTP answer, with the headers that belong to its status."""
    problem = problem_of(refusal)
    response = HttpResponse(text_of(problem), status=problem.status, content_type=MEDIA_TYPE)
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if seconds := getattr(refusal, "retry_after_seconds", None):
        response["Retry-After"] = str(seconds)
    if methods := getattr(refusal, "methods", None):
        response["Allow"] = methods
    return response


def text_of(answer: Answer) -> str:
    """An answer as JSON; a problem without what it has nothing to say about."""
    return answer.model_dump_json(exclude_none=isinstance(answer, Problem))
