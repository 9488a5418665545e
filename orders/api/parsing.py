"""Reads a body strictly: JSON and nothing else, each name once."""

import json
from typing import Any, cast

from django.http import HttpRequest
from ninja.parser import Parser

from orders.api.errors import NotJson, UnsupportedMediaType


class StrictParser(Parser):
    """The API's bodies as JSON objects.

    Python's own reader would also take NaN, and of a name that is given twice the last value.
    """

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The object in the body.

        Raises:
            UnsupportedMediaType: the body does not say that it is JSON.
            NotJson: it says so, and is not.
        """
        if request.content_type != "application/json":
            raise UnsupportedMediaType
        try:
            body = json.loads(
                request.body.decode(), object_pairs_hook=_each_once, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError) as error:
            raise NotJson from error
        return cast(dict[str, Any], body)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
