"""The API as a whole: its refusals, its document, its page."""

import logging
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.db import InternalError as DatabaseInternalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.renderers import JSONRenderer

from accounts.errors import AccountsError
from loyalty.errors import LoyaltyError
from loyalty.services.retry import is_transient
from orders.api import problems
from orders.api.doors import Key, refuse_unknown_parameters
from orders.api.errors import (
    BodyTooLarge,
    FieldProblem,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    NotJson,
    TryAgain,
)
from orders.api.fields import field_problem
from orders.api.parsing import StrictParser

logger = logging.getLogger(__name__)

TRY_AGAIN_SECONDS = 5


class Renderer(JSONRenderer):
    """Writes letters as they are, without spaces: as the answers that are kept."""

    json_dumps_params = {"ensure_ascii": False, "separators": (",", ":")}


class BalladaAPI(NinjaAPI):
    """Ninja's API, whose document says of refusals what they are."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The OpenAPI document."""
        document = super().get_openapi_schema(**options)
        scopes = self._scopes()
        for operations in document["paths"].values():
            for operation in operations.values():
                scope = scopes[operation["operationId"]]
                operation["description"] += f"\n\nNeeds the scope {scope}."
                operation["security"] = [{name: [scope] for name in named} for named in operation["security"]]
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        _describe_refusal(int(status), response)
        return document

    def _scopes(self) -> dict[str, str]:
        """The scope that each operation needs, by the operation's id."""
        return {
            str(operation.operation_id): callback.scope.value
            for _prefix, router in self._routers
            for view in router.path_operations.values()
            for operation in view.operations
            for callback in operation.auth_callbacks
            if isinstance(callback, Key)
        }


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
    renderer=Renderer(),
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
        if place == "body":
            names = names[1:]
        if not names and each["type"] == "missing":
            # Without a body, or with “null” for one, ninja misses the whole of it.
            found.append(FieldProblem("", _("An object.")))
        else:
            found.append(field_problem(names, each))
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


@api.exception_handler(UnreadablePostError)
def refuse_broken_body(request: HttpRequest, error: UnreadablePostError) -> HttpResponse:
    """A body whose sender went away in the middle of it."""
    return problems.refused(NotJson())


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


@api.exception_handler(DatabaseInternalError)
def ask_again_or_admit(request: HttpRequest, error: DatabaseInternalError) -> HttpResponse:
    """Of this kind is a database that only reads for the moment, and also what must not happen."""
    return ask_again(request, error) if is_transient(error) else admit_mistake(request, error)


@api.exception_handler(Exception)
def admit_mistake(request: HttpRequest, error: Exception) -> HttpResponse:
    """A mistake of ours: the log has the whole of it under the incident's number, the answer none."""
    incident = token_hex(6)
    logger.error("Incident %s at %s %s", incident, request.method, request.path, exc_info=error)
    return problems.refused(InternalError(incident))


def finished(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view whose answers no cache keeps, and whose “not found” and “not allowed” are problems, too.

    HEAD is a GET; the server leaves the body of its answer out.
    """

    def whole(request: HttpRequest, *args: Any, **values: Any) -> HttpResponseBase:
        method = request.method
        request.method = "GET" if method == "HEAD" else method
        try:
            response = view(request, *args, **values)
        except Http404:
            response = problems.refused(NotFound())
        request.method = method
        if response.status_code == 405:
            response = problems.refused(MethodNotAllowed(_with_head(response["Allow"])))
        response["Cache-Control"] = "no-store"
        return response

    whole.csrf_exempt = True  # type: ignore[attr-defined]
    return whole


def _with_head(methods: str) -> str:
    named = set(methods.split(", "))
    return ", ".join(sorted(named | {"HEAD"} if "GET" in named else named))


@finished
def not_found(request: HttpRequest) -> HttpResponse:
    """The answer to an address below /api/ that nothing else answers."""
    raise Http404
