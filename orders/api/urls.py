"""Addresses of the API: version 1, its document, its page, its table of refusals."""

from django.urls import URLPattern, URLResolver, path, re_path

from orders.api import batches, members, orders, pages, transfers
from orders.api.app import api, finished, not_found

api.add_router("", members.router)
api.add_router("", batches.router)
api.add_router("", orders.router)
api.add_router("", transfers.router)


def _finished(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = finished(pattern.callback)
    return patterns


_patterns, _app_name, _namespace = api.urls

urlpatterns = [
    path("docs", finished(pages.show_document), name="api_docs"),
    path("problems", finished(pages.show_problems), name="api_problems"),
    path("v1/", (_finished(_patterns), _app_name, _namespace)),
    # Whatever else there is, line breaks included.
    re_path("", not_found),
]
