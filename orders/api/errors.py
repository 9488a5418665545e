"""What the API itself refuses, before or beside the rules of the programme."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.errors import LoyaltyError

# Whoever sends more has not misspelt a field.
MOST_PROBLEMS = 100


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field, named by its path such as `lines.0.line_sum`."""

    field: str
    expected: str


class ApiRefused(LoyaltyError):
    """A refusal of a request as such."""

    code = "api_refused"
    field = ""


class NotJson(ApiRefused):
    """The body cannot be read."""

    code = "not_json"

    def __str__(self) -> str:
        return _("The body cannot be read as JSON in UTF-8. Each name may stand in an object once.")


class UnsupportedMediaType(ApiRefused):
    """The body is said to be something else than JSON."""

    code = "unsupported_media_type"
    field = "Content-Type"

    def __str__(self) -> str:
        return _("Send the body as JSON, with the header “Content-Type: application/json”.")


class BodyTooLarge(ApiRefused):
    """The body has more bytes than any request needs."""

    code = "body_too_large"

    def __init__(self, most_bytes: int) -> None:
        super().__init__(most_bytes)
        self.most_bytes = most_bytes

    def __str__(self) -> str:
        return _("The body is larger than %(megabytes)s MB. Send fewer orders at a time.") % {
            "megabytes": self.most_bytes // 1_000_000
        }


class InvalidRequest(ApiRefused):
    """Fields that are missing, unknown or of the wrong kind."""

    code = "invalid_request"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(problems)
        self.problems = problems[:MOST_PROBLEMS]
        self.field = problems[0].field if problems else ""

    def __str__(self) -> str:
        return _("The request cannot be taken as it is. What was expected is named for each field.")


class BadCursor(ApiRefused):
    """A place in a list that no answer has named."""

    code = "bad_cursor"
    field = "cursor"

    def __str__(self) -> str:
        return _("This is no place in this list. Take the cursor from the last answer, or leave it out.")


class NotFound(ApiRefused):
    """There is nothing at this address."""

    code = "not_found"

    def __str__(self) -> str:
        return _("There is nothing at this address.")


class CheckNotFound(ApiRefused):
    """There is no such check of a transfer among those of the members whom the source may see."""

    code = "check_not_found"
    field = "check"

    def __str__(self) -> str:
        return _("There is no such check. Take the id from the answer to the check.")


class TransferNotFound(ApiRefused):
    """The source has made no such transfer."""

    code = "transfer_not_found"

    def __str__(self) -> str:
        return _("There is no such transfer. Check the number.")


class MethodNotAllowed(ApiRefused):
    """The address does not know this method."""

    code = "method_not_allowed"

    def __init__(self, methods: str) -> None:
        super().__init__(methods)
        self.methods = methods

    def __str__(self) -> str:
        return _("This address takes only: %(methods)s.") % {"methods": self.methods}


class TryAgain(ApiRefused):
    """The database could not be reached, or a standby did not confirm in time."""

    code = "try_again"

    def __str__(self) -> str:
        return _(
            "The request could not be finished now. Send it again under the same Idempotency-Key: "
            "it has one effect, however often it arrives."
        )


class InternalError(ApiRefused):
    """A mistake of ours."""

    code = "internal_error"

    def __init__(self, incident: str) -> None:
        super().__init__(incident)
        self.incident = incident

    def __str__(self) -> str:
        return _(
            "Something went wrong on our side. Send the request again under the same Idempotency-Key; "
            "if it happens again, write to us and name the incident %(incident)s."
        ) % {"incident": self.incident}
