"""The API as a whole: its refusals, its document, its page."""

import logging
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from accounts.errors import AccountsError
from loyalty.errors import LoyaltyError
from orders.api import problems
from orders.api.doors import refuse_unknown_parameters
from orders.api.errors import (
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    TryAgain,
)
from orders.api.fields import field_problem
from orders.api.parsing import StrictParser

logger = logging.getLogger(__name__)

TRY_AGAIN_SECONDS = 5


class BalladaAPI(NinjaAPI):
    """Ninja's API, whose document says of refusals what they are."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The OpenAPI document."""
        document = super().get_openapi_schema(**options)
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        _describe_refusal(int(status), response)
        return document


def _describe_refusal(status: int, response: dict[str, Any]) -> None:
    response["content"] = {problems.MEDIA_TYPE: next(iter(response["content"].values()))}
    codes = sorted(code for code, kind in problems.KINDS.items() if kind.status == status)
    response["description"] += ": " + ", ".join(codes)
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
        }


api = BalladaAPI(
    title="Ballada",
    version="1",
    urls_namespace="api",
    docs_url=None,
    parser=StrictParser(),
    description=(
        "Members, their points and their orders. Send the key as “Authorization: Bearer …”. Sums are text "
        "(“4990.00”), points whole numbers, moments carry their offset, and unknown fields are refused. "
        "Every write takes an Idempotency-Key. Refusals are problem documents (RFC 9457) with a stable code."
    ),
)
api.add_decorator(refuse_unknown_parameters)


@api.exception_handler(LoyaltyError)
@api.exception_handler(AccountsError)
def refuse(request: HttpRequest, refusal: LoyaltyError | AccountsError) -> HttpResponse:
    """A refusal by a rule."""
    return problems.refused(refusal)


@api.exception_handler(ValidationError)
def refuse_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Fields that are missing, unknown or wrong."""
    found = []
    for each in error.errors:
        place, *names = each["loc"]
        # A body is the only one of its operation, and its name none of the caller's.
        found.append(field_problem(names[1:] if place == "body" else names, each))
    return problems.refused(InvalidRequest(found))


@api.exception_handler(HttpError)
def refuse_body(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that cannot be read: ninja hides the reason behind an error of its own."""
    if isinstance(error.__cause__, LoyaltyError):
        return problems.refused(error.__cause__)
    raise error


@api.exception_handler(RequestDataTooBig)
def refuse_large_body(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body that is too large, unread."""
    return problems.refused(BodyTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))


@api.exception_handler(Http404)
def refuse_address(request: HttpRequest, error: Http404) -> HttpResponse:
    """An address without anything behind it."""
    return problems.refused(NotFound())


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def ask_again(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database is gone for the moment, or it is not certain that a standby has it."""
    logger.warning("%s %s could not be finished: %s", request.method, request.path, error)
    response = problems.refused(TryAgain())
    response["Retry-After"] = str(TRY_AGAIN_SECONDS)
    return response


@api.exception_handler(Exception)
def admit_mistake(request: HttpRequest, error: Exception) -> HttpResponse:
    """A mistake of ours: the log has the whole of it under the incident's number, the answer none."""
    incident = token_hex(6)
    logger.error("Incident %s at %s %s", incident, request.method, request.path, exc_info=error)
    return problems.refused(InternalError(incident))


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The answer to an address below /api/ that nothing else answers."""
    return problems.refused(NotFound())


not_found.csrf_exempt = True  # type: ignore[attr-defined]


def finished(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view whose answers no cache keeps, and whose “method not allowed” is a problem like all others."""

    def whole(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        response = view(request, *args, **values)
        if response.status_code == 405:
            response = problems.refused(MethodNotAllowed(response["Allow"]))
        response["Cache-Control"] = "no-store"
        return response

    whole.csrf_exempt = True  # type: ignore[attr-defined]
    return whole
