"""The order in which everything in the demo happens: one chain of moments, the past first."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from django.utils import timezone

Action = Callable[[datetime], object]
Show = Callable[[int, int], None]


class Timeline:
    """What is to happen, by its moment; an action may add later ones.

    `midnight` is the beginning of today in the programme's zone: everything is told from there.
    `until` is the moment of loading, and what would lie after it does not happen; `hour` is the
    beginning of its hour.
    """

    def __init__(self, until: datetime) -> None:
        self.until = timezone.localtime(until, timezone.get_default_timezone())
        self.hour = self.until.replace(minute=0, second=0, microsecond=0)
        self.midnight = self.hour.replace(hour=0)
        self._waiting: list[tuple[datetime, int, Action]] = []
        self._turns = count()

    def on(self, moment: datetime, action: Action) -> None:
        """Let that happen then; of two things at one moment the one that was added first."""
        if moment <= self.until:
            heapq.heappush(self._waiting, (moment, next(self._turns), action))

    def ago(self, days: float, hour: int = 0, minute: int = 0) -> datetime:
        """So many days before today, at that time of day."""
        return self.midnight - timedelta(days=days) + timedelta(hours=hour, minutes=minute)

    def months_ago(self, months: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
        """That day of the month so many months before the current one."""
        year, month = divmod(self.midnight.year * 12 + self.midnight.month - 1 - months, 12)
        return self.midnight.replace(year=year, month=month + 1, day=day, hour=hour, minute=minute)

    def run(self, show: Show) -> None:
        """Let everything happen; `show` is told how much of how much has."""
        done = 0
        while self._waiting:
            moment, _turn, action = heapq.heappop(self._waiting)
            action(moment)
            done += 1
            show(done, done + len(self._waiting))
