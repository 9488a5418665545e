"""One moment of the base for everything that is read together, and no way to change it meanwhile."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.db import connection, transaction

Found = TypeVar("Found")

# What one statement may use before it goes to the disk; sums by member of a large base fit into it.
WORK_MEMORY = "256MB"
# Each member's place among the tiers of both editions, the lowest is 1, and the sum that decides it then,
# in kopecks.
MEMBERS_TABLE = """
    create temporary table if not exists what_if_member (
        member_id bigint, tier_now smallint, tier_then smallint, paid_then bigint
    ) on commit drop
"""
# The members are counted in two halves, each on a connection of its own; the job's report has a third.
HALVES = 2
CONNECTIONS = 3


@dataclass(frozen=True)
class _Snapshot:
    """What another connection needs to see the same; None where no other one could."""

    exported_id: str | None


_current: ContextVar[_Snapshot | None] = ContextVar("what_if_snapshot", default=None)


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read within is of one moment, and whoever writes is refused by the database.

    A snapshot within a snapshot is the same. Within any other transaction it is what that one sees.
    """
    if _current.get():
        yield
        return
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        exported_id = None
        if is_outermost:
            exported_id = _begin(None)
        else:
            _prepare()
        token = _current.set(_Snapshot(exported_id))
        try:
            yield
        finally:
            _current.reset(token)


def of_both_halves(work: Callable[[int], Found]) -> list[Found]:
    """What the work finds for each half of the members, both in the current snapshot, at the same time.

    The first half is worked on by the caller. Where the snapshot is a transaction that no other
    connection sees, or connections are few, the second comes after it.
    """
    current = _current.get()
    if current is None or current.exported_id is None or settings.DATABASE_CONNECTIONS < CONNECTIONS:
        return [work(half) for half in range(HALVES)]
    with ThreadPoolExecutor(max_workers=1) as pool:
        second = pool.submit(_apart, current.exported_id, work)
        return [work(0), second.result()]


def _apart(snapshot_id: str, work: Callable[[int], Found]) -> Found:
    try:
        with transaction.atomic():
            _begin(snapshot_id)
            return work(1)
    finally:
        connection.close()


def _begin(snapshot_id: str | None) -> str:
    """Make the transaction that has just begun one that reads that snapshot, or a new one; its id."""
    with connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        if snapshot_id is None:
            cursor.execute("select pg_export_snapshot()")
            snapshot_id = str(cursor.fetchone()[0])
        else:
            cursor.execute("set transaction snapshot %s", [snapshot_id])
        _prepare()
        # From here on only that temporary table takes rows.
        cursor.execute("set transaction read only")
    return snapshot_id


def _prepare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select set_config('work_mem', %s, true)", [WORK_MEMORY])
        cursor.execute(MEMBERS_TABLE)
