"""The recount of everybody's tier after new rules, as the worker does it: batch by batch, with its progress.

Beside it stands one plain aggregate over the same rows: the paid sum of each member added up once. The
base is made by SQL, with a fifth of the members in another tier under the new rules. Filling it takes
the rights of a superuser, since the rows are not made by the services.
"""

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.databases import filled_quickly, own_database

MEMBERS, QUICK_MEMBERS = 1_000_000, 20_000
ENTRIES_A_MEMBER = 5
GOAL_SECONDS = 60.0
# An order that comes meanwhile waits for one batch at most.
GOAL_BATCH_SECONDS = 1.0
PLAIN = """
    select count(*)
      from (select member_id, sum(paid_sum) from loyalty_paid_sum_entry group by member_id) as sums
"""
FILL = (
    "select setseed(0.5)",
    """insert into accounts_member (id, number, first_name, last_name, language, joined_at)
       select id, lpad(id::text, 12, '0'), 'Anna', 'Number ' || id, 'ru', %(at)s
         from generate_series(1, %(members)s) as id""",
    "insert into loyalty_points_account (id) select id from accounts_member",
    # The square of chance gives some members many orders and most of them few; in the order of time.
    """insert into loyalty_paid_sum_entry (member_id, order_id, counted_at, recorded_at, paid_sum)
       select 1 + floor(random() * random() * %(members)s)::bigint, id, moment, moment,
              round((200 + 15000 * random() ^ 3)::numeric, 2)
         from (select id, %(at)s::timestamptz - interval '1 minute' * (%(entries)s - id) as moment
                 from generate_series(1, %(entries)s) as id) as paid""",
    """insert into loyalty_standing (member_id, paid_sum, tier_id, since_at)
       select member.id, coalesce(sums.paid_sum, 0), reached.id, %(at)s
         from accounts_member as member
         left join (select member_id, sum(paid_sum) as paid_sum
                      from loyalty_paid_sum_entry group by member_id) as sums on sums.member_id = member.id
         cross join lateral (
              select id from loyalty_tier
               where rule_set_id = %(rule_set_id)s and threshold_sum <= coalesce(sums.paid_sum, 0)
               order by position desc limit 1) as reached""",
)


def main(*, is_quick: bool = False) -> bool:
    """Print the figures; what comes back is whether all goals are reached."""
    from loyalty.services.batches import BATCH_MEMBERS

    members = QUICK_MEMBERS if is_quick else MEMBERS
    with own_database("recount"):
        fill(members)
        plain_seconds = min(plain_aggregate() for _ in range(3))
        run, seconds, longest_seconds = recount_everybody()
    result = run.result
    print(f"{members:,} members, {members * ENTRIES_A_MEMBER:,} steps of orders")
    print(f"{'one plain aggregate':28}{plain_seconds:8.2f} s")
    print(f"{'the recount':28}{seconds:8.2f} s   ratio {seconds / plain_seconds:.1f}")
    print(f"{f'longest batch of {BATCH_MEMBERS:,}':28}{longest_seconds:8.2f} s")
    print(f"{result['higher_count']:,} members rose and {result['lower_count']:,} fell; each was told.")
    is_reached = seconds <= GOAL_SECONDS and longest_seconds <= GOAL_BATCH_SECONDS
    print(
        f"Goal: within {GOAL_SECONDS:g} s, no batch longer than {GOAL_BATCH_SECONDS:g} s: "
        f"{'yes' if is_reached else 'NO'}"
    )
    return is_reached


def recount_everybody() -> tuple[Any, float, float]:
    """Publish new rules and do their recount; the run, its seconds, and those of the longest batch."""
    from accounts.models import User
    from supervisor.models import JobRun
    from supervisor.services.editions import recount, recount_again
    from supervisor.services.job_runs import Report

    class Stopwatch(Report):
        """Notes the time between two batches."""

        def __init__(self, run: JobRun) -> None:
            super().__init__(run)
            self.said_at, self.longest_seconds = time.perf_counter(), 0.0

        def __call__(self, *args: Any, **options: Any) -> None:
            super().__call__(*args, **options)
            now = time.perf_counter()
            self.longest_seconds = max(self.longest_seconds, now - self.said_at)
            self.said_at = now

    publish(timezone.now())
    run = recount_again(at=timezone.now(), by=User.objects.create(email="bench@example.com"))
    stopwatch = Stopwatch(run)
    begun = time.perf_counter()
    run.result = recount(run, stopwatch)
    return run, time.perf_counter() - begun, stopwatch.longest_seconds


def publish(at: datetime) -> None:
    """Rules with one more tier and other thresholds, in force at once."""
    from loyalty.services.rules import TierSpec, create_draft, publish_rule_set

    tiers = [
        TierSpec(name=name, threshold_sum=Decimal(threshold), coefficient=Decimal("0.03"))
        for name, threshold in (("Базовый", 0), ("Серебро", 40_000), ("Золото", 80_000), ("Платина", 150_000))
    ]
    publish_rule_set(rule_set=create_draft(tiers=tiers), effective_at=at, published_at=at, reason="A bench")


def plain_aggregate() -> float:
    """The seconds of adding up the same rows once."""
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
    return time.perf_counter() - begun


def fill(members: int) -> None:
    """Make members who stand where their orders have brought them, in the tiers of the first edition."""
    from loyalty.queries.rules import rule_set_in_force

    at = timezone.now()
    values = {
        "at": at,
        "members": members,
        "entries": members * ENTRIES_A_MEMBER,
        "rule_set_id": rule_set_in_force(at).pk,
    }
    with filled_quickly(), connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, values if "%(" in statement else None)
