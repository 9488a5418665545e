"""Transfers that were made, and those about to be: the receipt, the list, what moved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Member
from loyalty.models import Transfer, TransferIntent
from loyalty.queries.balance import Expiry

TRANSFERS_PER_PAGE = 25
# Within so long a second transfer of the same points to the same recipient looks like a mistake.
LOOKS_REPEATED = timedelta(minutes=10)

# What left the sender, by last day; the recipient's side may have settled a debt with it.
MOVED = """
    select lot.expires_on, sum(-entry.points)::bigint
      from loyalty_entry entry
      join loyalty_lot lot on lot.id = entry.lot_id
     -- “+ 0” lets the entries be looked up by posting: the account may have thousands.
     where entry.posting_id = %(posting_id)s and entry.account_id + 0 = %(sender_id)s
     group by lot.expires_on
     order by lot.expires_on nulls last
"""
# Whether more has left a lot of the recipient since the transfer than they had of their own in it before:
# their own points of the same last day are used first, and points that came later stand in for none.
# Each operation counts together with what undid it: points given back have not left, and neither has a
# credit that came after the transfer and was taken back. A capture is an operation of its own, since
# what is given back later names it, while its hold moves nothing out of the lot.
USED = """
    with given as (
        select lot_id, sum(points) as points, max(version) as version
          from loyalty_entry
         where posting_id = %(posting_id)s and account_id + 0 = %(recipient_id)s and points > 0
         group by lot_id
    ), operation as (
        select entry.lot_id, sum(entry.points) as points
          from loyalty_entry entry
          join given on given.lot_id = entry.lot_id
          join loyalty_posting posting on posting.id = entry.posting_id
         where entry.account_id = %(recipient_id)s and entry.version > (select max(version) from given)
         group by entry.lot_id,
                  case when posting.kind = 'capture' or posting.origin_id is null then posting.id
                       else posting.origin_id end
    ), since as (
        select lot_id, sum(points) as points, sum(-least(points, 0)) as left_points
          from operation group by lot_id
    )
    select exists (
        select from given
          join since on since.lot_id = given.lot_id
          join loyalty_lot lot on lot.id = given.lot_id
         where since.left_points > lot.points - since.points - given.points)
"""


@dataclass(frozen=True)
class TransfersPage:
    """Some transfers, newest first, and where the pages beside them begin, if there are any."""

    transfers: Sequence[Transfer]
    newer_cursor: int | None
    older_cursor: int | None


def intent_of(member: Member, key: UUID) -> TransferIntent | None:
    """What the member was about to give under that key, also when it is too late; None for others'."""
    intents = TransferIntent.objects.select_related("sender", "recipient")
    return intents.filter(sender=member, key=key).first()


def transfer_by_key(key: UUID) -> Transfer | None:
    """The transfer that an intent of that key became, with both members; None while it has not."""
    return _with_members().filter(key=key).first()


def transfer_for(member: Member, number: str) -> Transfer | None:
    """The transfer of that number, with both members, for whoever gave or got it; None for others."""
    own = Q(sender=member) | Q(recipient=member)
    return _with_members().filter(own, number=number).first()


def moved_by(transfer: Transfer) -> list[Expiry]:
    """What was given, by last day: soonest first, never-expiring last."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"posting_id": transfer.posting_id, "sender_id": transfer.sender_id})
        return [Expiry(expires_on, points) for expires_on, points in cursor.fetchall()]


def same_transfer_before(*, intent: TransferIntent, at: datetime) -> Transfer | None:
    """The last transfer of the same points to the same recipient, made minutes before and left there.

    The one that the intent itself has become is no other.
    """
    alike = Transfer.objects.filter(
        sender=intent.sender_id,
        recipient=intent.recipient_id,
        points=intent.points,
        made_at__gt=at - LOOKS_REPEATED,
        taken_back_at=None,
    )
    return alike.exclude(key=intent.key).order_by("-pk").first()


def transfers_page(
    *,
    before: int | None = None,
    after: int | None = None,
    number: str = "",
    limit: int = TRANSFERS_PER_PAGE,
) -> TransfersPage:
    """A page of all transfers, with both members: the newest, or those next to a cursor; one query.

    With `number` it is the one of that number.
    """
    transfers = _with_members().filter(number=number) if number else _with_members()
    if after is not None:
        found = list(transfers.filter(pk__gt=after).order_by("pk")[: limit + 1])
        shown = found[:limit][::-1]
        return TransfersPage(
            transfers=shown,
            newer_cursor=shown[0].pk if len(found) > limit else None,
            older_cursor=shown[-1].pk if shown else None,
        )
    if before is not None:
        transfers = transfers.filter(pk__lt=before)
    found = list(transfers.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return TransfersPage(
        transfers=shown,
        newer_cursor=shown[0].pk if shown and before is not None else None,
        older_cursor=shown[-1].pk if len(found) > limit else None,
    )


def can_be_taken_back(transfer: Transfer, at: datetime) -> bool:
    """Whether its sender may still take it back, as far as time goes: the points may have moved on."""
    until = transfer.take_back_until_at
    return transfer.taken_back_at is None and until is not None and at < until


def is_used(transfer: Transfer) -> bool:
    """Whether the recipient has used some of what they were given, even if others fill its place."""
    with connection.cursor() as cursor:
        cursor.execute(USED, {"posting_id": transfer.posting_id, "recipient_id": transfer.recipient_id})
        (is_so,) = cursor.fetchone()
    return bool(is_so)


def transfer_numbers(posting_ids: Iterable[int]) -> dict[int, str]:
    """The transfers' numbers behind these postings, by posting: given or gone back; one query."""
    wanted = set(posting_ids)
    transfers = Transfer.objects.filter(Q(posting_id__in=wanted) | Q(reversal_id__in=wanted))
    return {
        posting_id: number
        for number, *both in transfers.values_list("number", "posting_id", "reversal_id")
        for posting_id in both
        if posting_id in wanted
    }


def _with_members() -> QuerySet[Transfer]:
    return Transfer.objects.select_related("sender", "recipient")
