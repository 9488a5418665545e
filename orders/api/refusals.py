"""Which statuses an operation may refuse with, for its document."""

from orders.api.problems import Problem

READ = dict.fromkeys((401, 403, 404, 429), Problem)
"""Reading one thing."""
SEARCH = dict.fromkeys((400, 401, 403, 413, 415, 422, 429), Problem)
"""Asking with a body, without any effect."""
WRITE = dict.fromkeys((400, 401, 403, 409, 413, 415, 422, 429, 503), Problem)
"""Everything with an effect."""
