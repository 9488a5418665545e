"""Transfers that were made, and those about to be: the receipt, the list, what moved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.errors import InvalidMemberNumber
from accounts.models import Member
from accounts.numbers import SEPARATORS, parse_member_number
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

    `number` is a transfer's, or a member's for what they gave and got, with any spaces and hyphens.
    """
    transfers = _with_members().filter(_of_number(number))
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


def _of_number(text: str) -> Q:
    """Which transfers a number names: all of them when there is none."""
    number = SEPARATORS.sub("", text)
    if not number:
        return Q()
    try:
        member_number = parse_member_number(number)
    except InvalidMemberNumber:
        return Q(number=number)
    return Q(sender__number=member_number) | Q(recipient__number=member_number)
