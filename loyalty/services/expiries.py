# ruff: noqa: S608, since the queries are put together from our own words only
"""Members are told before their points expire: 30 days, 7 days and 1 day ahead, once for each."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from loyalty.queries.balance import SOON_DAYS
from loyalty.services.batches import in_batches
from loyalty.services.retry import ledger_write

# From the furthest to the nearest: of points that were never told of, the nearest that fits is told.
DAYS_AHEAD = (SOON_DAYS, 7, 1)

# The free points of each last day that is near enough, and of which nothing was told yet for the threshold
# that it has reached, nor for a nearer one.
DUE = """
    select lot.account_id, lot.expires_on, ahead.days as days_ahead,
           sum(lot.points - lot.held_points)::bigint as points
      from loyalty_lot lot
     cross join lateral (
           select min(days) as days from unnest(%(days_ahead)s::integer[]) as days
            where days >= lot.expires_on - %(today)s::date) as ahead
     where lot.is_open and lot.points > lot.held_points
       and lot.expires_on between %(today)s::date and %(today)s::date + %(furthest)s::integer
       and {whose}
       and not exists (
               select from loyalty_expiry_notice notice
                where notice.account_id = lot.account_id and notice.expires_on = lot.expires_on
                  and notice.days_ahead <= ahead.days)
     group by lot.account_id, lot.expires_on, ahead.days
"""
DUE_ACCOUNTS = f"""
    select distinct due.account_id
      from ({DUE.format(whose="true")}) as due
      join accounts_member member on member.id = due.account_id and not member.is_sandbox
     order by due.account_id
"""
# Who has noted a day has told of it: of two that run at once, the later one waits for the other's notices
# and then finds them given. The first notice of all says since when the member has had these points.
TELL = f"""
    with due as materialized ({DUE.format(whose="lot.account_id = any(%(ids)s)")}), noted as (
        insert into loyalty_expiry_notice (account_id, expires_on, days_ahead, told_at)
        select account_id, expires_on, days_ahead, %(at)s from due
         order by account_id, expires_on
        on conflict do nothing
        returning account_id, expires_on
    ), by_member as (
        select account_id, sum(points)::bigint as points, min(expires_on) as first_expires_on,
               jsonb_agg(jsonb_build_object('expires_on', expires_on, 'points', points) order by expires_on)
                   as expiries,
               not exists (select from loyalty_expiry_notice known where known.account_id = due.account_id)
                   as is_first
          from due join noted using (account_id, expires_on)
         group by account_id
    ), told as (
        insert into accounts_message (member_id, kind, facts, happened_at, wants_letter)
        select account_id, 'points_expire',
               jsonb_build_object(
                   'points', points, 'first_expires_on', first_expires_on, 'expiries', expiries,
                   'is_first', is_first, 'credited_on', case when is_first then (
                       select (coalesce(credited.effective_at, posting.effective_at)
                               at time zone %(zone)s)::date
                         from loyalty_entry entry
                         join loyalty_lot lot on lot.id = entry.lot_id and lot.expires_on = first_expires_on
                         join loyalty_posting posting
                           on posting.id = entry.posting_id and posting.kind in ('credit', 'mature')
                         left join loyalty_posting credited on credited.id = posting.origin_id
                        where entry.account_id = by_member.account_id
                        order by entry.version desc limit 1) end),
               %(at)s, true
          from by_member
         order by account_id
        returning member_id
    )
    select count(*) from told
"""


def tell_expiries(*, at: datetime) -> int:
    """Tell members of their free points that expire soon; returns how many members were told.

    A member gets one message a run, of all days that are due. Each batch is a transaction of its own:
    a run that dies has told whom it has noted, and the next one tells the others.
    """
    today = timezone.localdate(at, timezone.get_default_timezone())
    values: dict[str, Any] = {
        "today": today,
        "days_ahead": list(DAYS_AHEAD),
        "furthest": max(DAYS_AHEAD),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE_ACCOUNTS, values)
        account_ids = [account_id for (account_id,) in cursor.fetchall()]
    return sum(_tell(ids, values) for ids in in_batches(account_ids))


@ledger_write
def _tell(ids: list[int], values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(TELL, {**values, "ids": ids, "zone": settings.TIME_ZONE})
        (told_count,) = cursor.fetchone()
    return int(told_count)
