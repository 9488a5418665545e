"""Runs writes at the same moment, each in a thread and a connection of its own."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import DatabaseError, connection

from loyalty.errors import LoyaltyError

LONGEST_SECONDS = 30


def race(*writes: Callable[[], Any]) -> list[Any]:
    """What each write returned, or the refusal it raised, in the order in which they ended."""
    start = Barrier(len(writes))
    outcomes: list[Any] = []

    def run(write: Callable[[], Any]) -> None:
        try:
            start.wait()
            outcomes.append(write())
        except (LoyaltyError, DatabaseError) as refusal:
            outcomes.append(refusal)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(write,)) for write in writes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=LONGEST_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a write never ended"
    return outcomes
