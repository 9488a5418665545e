"""The monthly statement: what a member's points were when a month began, what moved, and what is left."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from loyalty.days import midnight
from loyalty.services import batches
from loyalty.services.retry import ledger_write

# On the first day of a month, from this hour on, by the programme's clock.
TOLD_FROM_HOUR = 10

# What an account's available points did since the month began, by what moved them. Everything that is set
# aside for an order counts as spent, and comes back where it is not. Of a month that is over nothing changes
# any more, so the figures stand in the message: what came as a number above 0, what went as one below.
TELL = """
    with account as (
        select account.id, account.available_points
          from loyalty_points_account account
         where account.id = any(%(ids)s)
    ), moved as (
        select entry.account_id,
               sum(entry.points) filter (where not is_later and kind in ('credit', 'mature')) as earned,
               sum(entry.points) filter (
                   where not is_later and kind in ('spend', 'hold', 'release', 'capture')) as spent,
               sum(entry.points) filter (
                   where not is_later and kind in ('give_back', 'take_back')) as returned,
               sum(entry.points) filter (
                   where not is_later and kind in ('transfer', 'reverse') and entry.points > 0) as received,
               sum(entry.points) filter (
                   where not is_later and kind in ('transfer', 'reverse') and entry.points < 0) as given,
               sum(entry.points) filter (where not is_later and kind = 'expire') as expired,
               sum(entry.points) filter (where not is_later and kind = 'adjust') as adjusted,
               sum(entry.points) filter (where not is_later) as net,
               sum(entry.points) filter (where is_later) as later,
               bool_or(not is_later) as has_moved
          from account
          join loyalty_entry entry on entry.account_id = account.id and entry.bucket = 'available'
          join loyalty_posting posting
            on posting.id = entry.posting_id and posting.effective_at >= %(begins_at)s
         cross join lateral (select posting.effective_at >= %(ends_at)s as is_later) as place
         group by entry.account_id
    ), figures as (
        select account.id, coalesce(has_moved, false) as has_moved,
               account.available_points - coalesce(later, 0) as closing, coalesce(net, 0) as net,
               jsonb_build_object(
                   'earned', earned, 'spent', spent, 'returned', returned, 'received', received,
                   'given', given, 'expired', expired, 'adjusted', adjusted) as changes
          from account left join moved on moved.account_id = account.id
    ), told as (
        insert into accounts_message (member_id, kind, key, facts, happened_at, wants_letter)
        select id, 'statement', %(key)s,
               jsonb_build_object(
                   'month_on', %(month_on)s::date, 'opening_points', closing - net,
                   'changes', jsonb_strip_nulls(changes), 'closing_points', closing),
               %(at)s, true
          from figures
         where has_moved or closing <> 0
         order by id
            on conflict (member_id, key) where key <> '' do nothing
        returning member_id
    )
    select count(*) from told
"""
# Whoever was told is left out: of a month that is told already nothing is added up again.
NEXT_IDS = """
    select account.id
      from loyalty_points_account account
      join accounts_member member on member.id = account.id and not member.is_sandbox
     where account.id > %(after_id)s
       and not exists (select from accounts_message where member_id = account.id and key = %(key)s)
     order by account.id limit %(count)s
"""


def tell_statements(*, at: datetime) -> int:
    """Tell members of the month before, once it is 10 o'clock on the first of the next; returns how many.

    Whoever had points, or moved some, gets a statement, once for each month. Each batch is a transaction
    of its own, and may be done again.
    """
    now = timezone.localtime(at, timezone.get_default_timezone())
    if now < midnight(now.date().replace(day=1)) + timedelta(hours=TOLD_FROM_HOUR):
        return 0
    month_on = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
    values = {
        "month_on": month_on,
        "key": statement_key(month_on),
        "begins_at": midnight(month_on),
        "ends_at": midnight(now.date().replace(day=1)),
        "at": at,
    }
    told_count = last_id = 0
    while ids := _next_ids(last_id, values):
        told_count += _tell(ids, values)
        last_id = ids[-1]
    return told_count


def statement_key(month_on: date) -> str:
    """What the statement of a month is told once by."""
    return f"statement:{month_on:%Y-%m}"


def _next_ids(after_id: int, values: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(NEXT_IDS, {**values, "after_id": after_id, "count": batches.BATCH_MEMBERS})
        return [account_id for (account_id,) in cursor.fetchall()]


@ledger_write
def _tell(ids: list[int], values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(TELL, {**values, "ids": ids})
        (told_count,) = cursor.fetchone()
    return int(told_count)
