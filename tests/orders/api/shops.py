"""A shop that talks to the API as a program does: JSON, a key, an Idempotency-Key."""

import json
import re
from typing import Any
from uuid import uuid4

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from orders.api.problems import KINDS
from orders.models import Scope, Source
from orders.services.api_keys import MOST_REQUESTS_A_MINUTE, create_key

API = "/api/v1"
PROBLEM = "application/problem+json"
# What of the inside must never be seen outside.
INSIDE = re.compile(
    r"select |insert |update |psycopg|django|pydantic|ninja|traceback|site-packages|\.py\b|/work|/home|"
    r"(orders|loyalty|accounts|referrals)_\w|[a-z]Error\b|Exception|DoesNotExist|<object|0x[0-9a-f]{6}",
    re.IGNORECASE,
)


def key_text(source: Source, *scopes: str, requests_a_minute: int = MOST_REQUESTS_A_MINUTE) -> str:
    """A new key of the source, for everything unless scopes are named."""
    return create_key(
        source=source,
        name="A test",
        scopes=scopes or Scope.values,
        at=timezone.now(),
        requests_a_minute=requests_a_minute,
    ).text


class Shop:
    """A source with its key."""

    def __init__(self, source: Source, key: str | None = None) -> None:
        self.source = source
        self.key = key or key_text(source)
        self.client = Client()

    def get(self, path: str, **parameters: object) -> HttpResponse:
        """Read."""
        return self.send("GET", path, parameters=parameters)

    def ask(self, path: str, **fields: object) -> HttpResponse:
        """Ask with a body, without an effect."""
        return self.send("POST", path, fields)

    def write(self, path: str, fields: object = None, *, once: str | None = None) -> HttpResponse:
        """Do something, under a new Idempotency-Key unless one is given."""
        return self.send("POST", path, {} if fields is None else fields, once=once or str(uuid4()))

    def send(
        self,
        method: str,
        path: str,
        fields: object = None,
        *,
        once: str | None = None,
        parameters: dict[str, object] | None = None,
        content: bytes | str | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        """Any request; `content` is sent as it is, in place of `fields` as JSON."""
        if content is None:
            content = "" if fields is None else json.dumps(fields)
        sent = {"Authorization": f"Bearer {self.key}"}
        if once is not None:
            sent["Idempotency-Key"] = once
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method,
            API + path,
            content,
            content_type=content_type,
            headers=sent,
            query_params=parameters or {},
        )

    def register(self, first_name: str = "Мария", **fields: object) -> str:
        """A new member, who agrees; returns their number."""
        answer = self.write("/members", {"first_name": first_name, "agrees_to_programme": True, **fields})
        assert answer.status_code == 201, answer.content.decode()
        return str(answer.json()["number"])

    def place(self, number: str, member: Member | str | None, total: str, **fields: Any) -> dict[str, Any]:
        """A new order as the API answers it."""
        if member is not None:
            fields["member"] = member.number if isinstance(member, Member) else member
        answer = self.write("/orders", {"number": number, "total_sum": total, **fields})
        assert answer.status_code == 201, answer.content.decode()
        return dict(answer.json())

    def step(self, number: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Pay, refund or cancel an order; what it is then."""
        answer = self.write(f"/orders/{number}/{kind}", fields)
        assert answer.status_code == 200, answer.content.decode()
        return dict(answer.json())

    def sell(self, number: str, member: Member | str | None, total: str, **fields: Any) -> dict[str, Any]:
        """An order that is placed and then paid."""
        self.place(number, member, total, **fields)
        return self.step(number, "pay")

    def balance(self, member: Member | str) -> dict[str, Any]:
        """A member's balance."""
        number = member.number if isinstance(member, Member) else member
        return dict(self.get(f"/members/{number}/balance").json())


def address() -> dict[str, Any]:
    """Where psycopg finds the database of the tests, past Django."""
    settings = connection.get_connection_params()
    return {
        name: settings[name] for name in ("dbname", "user", "password", "host", "port") if name in settings
    }


def assert_refused(answer: HttpResponse, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The answer is this problem, whole and well formed; returns it."""
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == PROBLEM
    assert answer["Cache-Control"] == "no-store"
    assert not INSIDE.search(answer.content.decode()), answer.content.decode()
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert KINDS[code].status == status
    assert problem["status"] == status
    assert problem["type"] == f"/api/problems#{code}"
    assert problem["title"]
    assert problem["detail"]
    if field is not None:
        assert field in [problem.get("field"), *(error["field"] for error in problem["errors"])], problem
    return problem
