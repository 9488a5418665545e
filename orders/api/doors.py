"""Who may come in, and how a write is done once: what every operation of the API goes through."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import wraps
from hashlib import sha256
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Header
from ninja.security.http import HttpAuthBase

from accounts.errors import AccountsError
from loyalty.errors import LoyaltyError
from orders.api import problems
from orders.api.errors import FieldProblem, InvalidRequest, NotJson
from orders.api.types import Answer, shown
from orders.errors import MomentInFuture
from orders.models import ApiKey, Scope, Source
from orders.services import api_keys, api_requests

# A shop's clock may be a little ahead of ours.
CLOCK_TOLERANCE_SECONDS = 60

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description=(
            "Made by you, one for each thing you want done: a UUID, say. Sent again, the request has no "
            "further effect and gets the same answer."
        ),
        example="4f0c6d3e-6f3a-4c58-9d3b-0a4c1f0b7d11",
    ),
]


class Key(HttpAuthBase):
    """The key of a source, with the scope that an operation needs."""

    openapi_scheme = "bearer"

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey:
        """The key that the request brings, with its source.

        Raises:
            ApiKeyRefused: there is none, it does not work, it has been used too often, or it lacks the scope.
        """
        kind, _space, text = request.headers.get("Authorization", "").partition(" ")
        key = api_keys.admit(text=text.strip() if kind.lower() == "bearer" else "", at=timezone.now())
        api_keys.require_scope(key, self.scope)
        return key


def source_of(request: HttpRequest) -> Source:
    """The source whose key came with the request."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return key.source


def refuse_unknown_parameters(view: Callable[..., Any]) -> Callable[..., Any]:
    """A query parameter that the operation does not know, or gets twice, is refused as such a field is."""

    @wraps(view)
    def strict(request: HttpRequest, *args: Any, **values: Any) -> Any:
        operation = view._ninja_operation  # type: ignore[attr-defined]
        known = {
            name
            for model in operation.models
            if model.__ninja_param_source__ == "query"
            for name in model.__ninja_flatten_map__
        }
        wrong = [
            FieldProblem(shown(name), _("No such parameter.") if name not in known else _("Only once."))
            for name, values in sorted(request.GET.lists())
            if name not in known or len(values) > 1
        ]
        if wrong:
            raise InvalidRequest(wrong)
        return view(request, *args, **values)

    return strict


def happened_at(field: str, told_at: datetime | None, now: datetime) -> datetime:
    """When something happened: as told, or now.

    Raises:
        MomentInFuture: it is said to have happened later than a shop's clock may be wrong.
    """
    if told_at is None:
        return now
    if (told_at - now).total_seconds() > CLOCK_TOLERANCE_SECONDS:
        raise MomentInFuture(field)
    return min(told_at, now)


def write_once(
    request: HttpRequest,
    *,
    key: str,
    act: Callable[[Source, datetime], tuple[int, Answer]],
    counts_tries: bool = False,
) -> HttpResponse:
    """The answer of a write: that of `act`, or the one kept under this key.

    `act` gets the source and the clock, and returns a status and an answer; its refusals become
    problems, and undo what it did before. With `counts_tries` they do not: then `act` is one service
    that writes down what was tried, such as a wrong code, and undoes the rest before it refuses.
    """
    source, now = source_of(request), timezone.now()

    def answer() -> api_requests.Answer:
        try:
            with nullcontext() if counts_tries else transaction.atomic():
                status, said = act(source, now)
        except (LoyaltyError, AccountsError) as refusal:
            problem = problems.problem_of(refusal)
            refused = api_requests.Answer(
                problem.status,
                problems.text_of(problem),
                retry_after_seconds=problems.retry_after_seconds(refusal, now),
            )
            if counts_tries:
                return refused
            raise api_requests.Refused(refused) from refusal
        return api_requests.Answer(status, problems.text_of(said))

    kept = api_requests.answer_once(source=source, key=key, content_hash=_hash(request), at=now, act=answer)
    response = HttpResponse(
        kept.body,
        status=kept.status,
        content_type=problems.MEDIA_TYPE if kept.status >= 400 else "application/json",
    )
    if kept.is_repeat:
        response["Idempotency-Replayed"] = "true"
    if kept.retry_after_seconds is not None:
        response["Retry-After"] = str(kept.retry_after_seconds)
    return response


def _hash(request: HttpRequest) -> str:
    """What the request asks for, in 64 letters; the order of names and the spaces do not count.

    Raises:
        NotJson: it could just be read, but is nested too deeply to be written again.
    """
    try:
        asked = [request.method, request.path, json.loads(request.body)]
        return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    except RecursionError as error:
        raise NotJson from error
