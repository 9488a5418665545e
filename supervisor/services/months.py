"""Counting the points of months ahead, so that the overview has only the latest postings to add up."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from supervisor.queries.months import MOVED, counted_months

# No transaction stays open for as long: whatever has a smaller number than a posting of so long ago is there.
SETTLED_AFTER = timedelta(days=1)

# Postings are numbered in the order in which they are recorded, so the first that is younger is found by
# halving, and no index by time is kept for it.
FIRST_YOUNGER = """
    with recursive halving (low, high) as (
        select min(id), max(id) + 1 from loyalty_posting
        union all
        select case when probe.is_older then probe.id + 1 else low end,
               case when probe.is_older then high else middle end
          from (select low, high, (low + high) / 2 as middle from halving where low < high) as half
         cross join lateral (
               select id, recorded_at < %(settled_at)s as is_older
                 from loyalty_posting where id >= middle order by id limit 1) as probe
    )
    select max(low) from halving
"""
ADD = """
    insert into supervisor_countedmonth as counted {moved}
    on conflict (month) do update set
        credited_points = counted.credited_points + excluded.credited_points,
        taken_back_points = counted.taken_back_points + excluded.taken_back_points,
        spent_points = counted.spent_points + excluded.spent_points,
        given_back_points = counted.given_back_points + excluded.given_back_points,
        expired_points = counted.expired_points + excluded.expired_points,
        adjusted_points = counted.adjusted_points + excluded.adjusted_points,
        last_posting_id = excluded.last_posting_id
"""


@transaction.atomic
def count_months(*, at: datetime) -> int:
    """Count what was recorded until a day before `at`; returns how many months that changed.

    It may be done again, and by two at once: the second finds the postings counted.
    """
    with connection.cursor() as cursor:
        cursor.execute("lock table supervisor_countedmonth in share row exclusive mode")
        cursor.execute(FIRST_YOUNGER, {"settled_at": at - SETTLED_AFTER})
        [before_id] = cursor.fetchone()
        if before_id is None:
            return 0
        _counted, after_id = counted_months()
        cursor.execute(
            ADD.format(moved=MOVED.format(until="posting.id < %(before_id)s")),
            {"after_id": after_id, "before_id": before_id, "zone": settings.TIME_ZONE},
        )
        return cursor.rowcount
