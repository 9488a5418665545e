"""One door for writes of the ledger: a write is brought to a definite outcome.

A lost connection leaves open whether the commit happened, so the write is sent again under the
same key. That is safe since every write locks the member's account before it looks its key up:
a repeat that finds the work done has written the lock, so its own commit waits for a standby too.
"""

import random
import time
import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.backends.signals import connection_created
from psycopg.errors import Diagnostic

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

DEADLINE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
# Serialization, deadlock, read-only primary, shutdown, start-up, too many connections, lock time-out.
TRANSIENT_STATES = frozenset({"40001", "40P01", "25006", "57P01", "57P02", "57P03", "53300", "55P03"})
CONNECTION_LOST = "08"

_watched: weakref.WeakSet[Any] = weakref.WeakSet()
_in_doubt: weakref.WeakSet[Any] = weakref.WeakSet()


class CommitInDoubt(OperationalError):
    """The commit reached this server, but no standby confirmed it."""


def _watch(connection: Any, **kwargs: object) -> None:
    """PostgreSQL says OK to a commit whose wait for a standby was cancelled, with only a notice."""
    raw = connection.connection
    if connection.vendor != "postgresql" or raw in _watched:
        return
    _watched.add(raw)
    reference = weakref.ref(raw)

    def note(notice: Diagnostic) -> None:
        if notice.sqlstate == "01000" and "synchronous replication" in (notice.message_primary or ""):
            _in_doubt.add(reference())

    raw.add_notice_handler(note)


connection_created.connect(_watch)


def is_transient(error: Exception) -> bool:
    """Whether the same write may succeed when it is sent again."""
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, CommitInDoubt) or state is None:
        return True
    return state in TRANSIENT_STATES or state.startswith(CONNECTION_LOST)


def to_outcome(write: Callable[[], Result]) -> Result:
    """Run `write` and commit it; on a lost connection or a lost race run it again, up to 30 seconds.

    Inside of a transaction `write` just runs: the outermost write is the one that is repeated.
    """
    if connection.in_atomic_block:
        return write()
    deadline = time.monotonic() + DEADLINE_SECONDS
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            connection.ensure_connection()
            raw: Any = connection.connection
            _in_doubt.discard(raw)
            result = write()
            if raw in _in_doubt:
                raise CommitInDoubt("committed here, but not confirmed by a standby")
            return result
        except (OperationalError, InterfaceError, InternalError) as error:
            if not is_transient(error) or time.monotonic() > deadline:
                raise
            if connection.connection is not None:
                # Ended for good: in the pool it would keep a session's lock.
                connection.connection.close()
            connection.close()
            time.sleep(random.uniform(0, pause))  # noqa: S311  (no secret, only out of step with others)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def ledger_write(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A service of several statements: one transaction, brought to a definite outcome."""

    @wraps(function)
    def whole(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        def write() -> Result:
            with transaction.atomic():
                return function(*args, **kwargs)

        return to_outcome(write)

    return whole
