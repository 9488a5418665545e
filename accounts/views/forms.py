"""What pages with one form have in common."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

FORM_REFUSED = 422


def posted(request: HttpRequest) -> QueryDict | None:
    """What the form was sent with; None while it is only looked at."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: HttpRequest, template: str, context: dict[str, object], refused_status: int = FORM_REFUSED
) -> HttpResponse:
    """The page with its form, and the status that says whether the form was refused."""
    return render(request, template, context, status=refused_status if request.method == "POST" else 200)
