"""What the races of transfers need."""

from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture
def many_connections(transactional_db) -> Iterator[None]:
    """A connection for each thread, more than the pool that serves pages has."""
    options = connection.settings_dict["OPTIONS"]
    pool_of_pages = options.pop("pool", None)
    connection.close()
    yield
    connection.close()
    if pool_of_pages is not None:
        options["pool"] = pool_of_pages
