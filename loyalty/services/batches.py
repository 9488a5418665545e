"""What is done for everybody is done for some members at a time, each time in a transaction of its own."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

# So many accounts are locked, or members told, at once: well below a second's work.
BATCH_MEMBERS = 2_000


def in_batches(things: Iterable[T]) -> Iterator[list[T]]:
    """The things in their order, BATCH_MEMBERS of them at a time."""
    rest = iter(things)
    while batch := list(islice(rest, BATCH_MEMBERS)):
        yield batch
