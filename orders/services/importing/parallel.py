"""Several transactions at a time: while one waits for the database, another is worked out."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.conf import settings
from django.db import connection

Result = TypeVar("Result")

# More would wait for each other: a batch needs about as much of Python as of the database.
MOST_WRITERS = 2


def in_parallel(tasks: Iterator[Callable[[], Result]]) -> Iterator[Result]:
    """The results of tasks that need not wait for each other, in their order.

    Each task runs in a thread with a connection of its own; a few of them are taken ahead. Where
    there is no connection to spare, or all is to be one transaction, they run one after the other.
    The first error ends it; what had begun by then comes to its end.
    """
    writers = min(MOST_WRITERS, settings.DATABASE_CONNECTIONS - 1)
    if writers < MOST_WRITERS or connection.in_atomic_block:
        for task in tasks:
            yield task()
        return
    with ThreadPoolExecutor(max_workers=writers) as pool:
        running: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                running.append(pool.submit(_run, task))
                if len(running) > writers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run(task: Callable[[], Result]) -> Result:
    try:
        return task()
    finally:
        connection.close()
