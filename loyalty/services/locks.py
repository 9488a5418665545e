"""Locks that are held for longer than a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def session_lock(kind: int, key: str) -> Iterator[bool]:
    """Hold the lock of that kind and key, which only one connection at a time has.

    What comes out says whether it is held: nobody waits for it. Whoever loses the connection has
    lost the lock with it. Nobody closes one that works meanwhile: it would go back to the pool, and
    keep the lock there.
    """
    lock = (kind, key)
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, hashtext(%s))", lock)
        [is_held] = cursor.fetchone()
    held_by = connection.connection
    try:
        yield is_held
    finally:
        if is_held and connection.connection is held_by and not held_by.closed:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, hashtext(%s))", lock)
