"""The API's pages for people: its document to try out, and the table of its refusals."""

from dataclasses import dataclass

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja.openapi.docs import Swagger

from orders.api.app import api
from orders.api.problems import KINDS


@dataclass(frozen=True)
class Refusal:
    """A line of the table."""

    code: str
    status: int
    meaning: str


class Document(Swagger):
    """Swagger UI out of ninja's own files, on a page with a language and a title."""

    template = "orders/api/document.html"


# The page's own icons stand in its style sheet as data.
@csp_update({"img-src": ["data:"]})
@require_safe
def show_document(request: HttpRequest) -> HttpResponse:
    """Every operation, with a form to try it out with a key."""
    return Document({"persistAuthorization": False, "validatorUrl": None}).render_page(request, api)


@require_safe
def show_problems(request: HttpRequest) -> HttpResponse:
    """Every code with which a request may be refused."""
    refusals = [Refusal(code, kind.status, str(kind.meaning)) for code, kind in KINDS.items()]
    return render(request, "orders/api/problems.html", {"refusals": refusals})
