"""Every refusal of the API: its code, its status, and what it means. The docs' table is made from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.errors import (
    AccountsError,
    AddressRefused,
    EmailTaken,
    InvalidEmail,
    InvalidPhone,
    MessageNotSent,
    NoFirstName,
    PhoneTaken,
)
from loyalty.errors import LoyaltyError, NotBefore, PointsRefused
from orders.api.errors import InvalidRequest
from orders.api.types import Answer, SaidAt

MEDIA_TYPE = "application/problem+json"
# Where the table of codes is served; a problem's type leads to its line.
TABLE_ADDRESS = "/api/problems"
# Mail servers that are away are mostly back by then.
LETTERS_AGAIN_SECONDS = 60


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
    "check_not_found": Kind(404, _("There is no such check of a transfer.")),
    "transfer_not_found": Kind(404, _("The source has made no such transfer.")),
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
    "transfers_off": Kind(409, _("The programme does not offer transfers at present.")),
    "joined_too_recently": Kind(
        409, _("The sender has not been a member for long enough; allowed_at says when.")
    ),
    "just_changed": Kind(
        409, _("The sender's password or e-mail was changed within 24 hours; allowed_at says when.")
    ),
    "day_limit_reached": Kind(409, _("More points than the sender may give within a day.")),
    "month_limit_reached": Kind(409, _("More points than the sender may give within a month.")),
    "recipient_unavailable": Kind(
        409, _("Points cannot be given to this recipient; whether there is one is not said.")
    ),
    "proof_needed": Kind(409, _("The sender has to prove who they are: send a code, and ask them for it.")),
    "wrong_proof": Kind(409, _("The code is wrong or too old; tries_left says how often it may still be.")),
    "no_way_to_prove": Kind(409, _("The sender has no e-mail and no phone for a code to go to.")),
    "check_over": Kind(409, _("The check is too old, or saw too many wrong codes: check anew.")),
    "address_refused": Kind(409, _("No letter can be sent to the sender's address.")),
    "take_back_over": Kind(409, _("The time in which the transfer could be taken back is over.")),
    "transfer_ended": Kind(409, _("The transfer was taken back before.")),
    "points_moved_on": Kind(409, _("The recipient no longer has the points that were transferred.")),
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
    "recipient_unreadable": Kind(422, _("The recipient is no member number, no e-mail and no phone.")),
    "transfer_to_self": Kind(422, _("The recipient is the sender.")),
    "too_few_to_transfer": Kind(422, _("Fewer points than may be given.")),
    "too_many_at_once": Kind(422, _("More points than may be given at once.")),
    "too_many_questions": Kind(429, _("The sender has looked for too many recipients within an hour.")),
    "code_sent_too_often": Kind(429, _("The sender has been sent too many codes.")),
    "too_many_wrong_proofs": Kind(429, _("The sender's code was wrong too often within an hour.")),
    "too_many_requests": Kind(429, _("The key made too many requests. Wait as long as Retry-After says.")),
    "internal_error": Kind(500, _("A mistake on the programme's side, noted under its incident number.")),
    "message_not_sent": Kind(
        503, _("No letter or text message can be sent now. Send the same request again.")
    ),
    "try_again": Kind(503, _("The database cannot be reached now. Send the same request again.")),
}
# What accounts refuse has no codes of its own. A refusal comes before the one that it refines.
CODES_OF_ACCOUNTS: Mapping[type[AccountsError], tuple[str, str]] = {
    EmailTaken: ("email_taken", "email"),
    PhoneTaken: ("phone_taken", "phone"),
    InvalidEmail: ("invalid_email", "email"),
    InvalidPhone: ("invalid_phone", "phone"),
    NoFirstName: ("no_first_name", "first_name"),
    AddressRefused: ("address_refused", ""),
    MessageNotSent: ("message_not_sent", ""),
}
# What the cabinet's form calls otherwise than the API's body.
FIELDS_OF_FORMS = {"proof": "code"}


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
    least_points: int | None = Field(None, description="How many points it takes at least.")
    limit_points: int | None = Field(None, description="How many points there could have been.")
    tries_left: int | None = Field(None, description="How often the code may still be wrong.")
    allowed_at: SaidAt | None = Field(None, description="From when on it can be done.")


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
        field=FIELDS_OF_FORMS.get(field, field) or None,
        errors=errors,
        least_points=getattr(refusal, "least_points", None),
        # What is left of a limit counts; what the limit is, the sentence says.
        limit_points=getattr(refusal, "left_points", getattr(refusal, "limit_points", None)),
        tries_left=getattr(refusal, "tries_left", None),
        allowed_at=getattr(refusal, "allowed_at", None),
    )


def retry_after_seconds(refusal: LoyaltyError | AccountsError, at: datetime) -> int | None:
    """How long the same request should wait before it is sent again; None where time does not help."""
    if isinstance(refusal, MessageNotSent) and not isinstance(refusal, AddressRefused):
        return LETTERS_AGAIN_SECONDS
    if isinstance(refusal, NotBefore) and KINDS[refusal.code].status == 429:
        return max(1, ceil((refusal.allowed_at - at).total_seconds()))
    return None


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
