"""What the console shows of a transfer and of the accounts on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditRecord, Member
from loyalty.models import Transfer
from loyalty.queries.balance import Balance, Expiry, balance
from loyalty.queries.transfers import can_be_taken_back, moved_by
from supervisor.queries.people import names_of_users

# As `ledger.reverse` asks, once what is due by then has been settled: point by point, from the very lots
# that were given, and nothing of what settled a debt.
MISSING = """
    select coalesce(sum(case when entry.bucket = 'debt' then entry.points
                             else greatest(entry.points - coalesce(free.points, 0), 0) end), 0)::bigint
      from loyalty_entry entry
      left join loyalty_lot lot on lot.id = entry.lot_id
      left join ledger.spendable(array[%(recipient_id)s]::bigint[], %(at)s, %(zone)s) free
        on free.expires_on is not distinct from lot.expires_on and free.fund = lot.fund
     -- “+ 0” lets the entries be looked up by posting: the account may have thousands.
     where entry.posting_id = %(posting_id)s and entry.account_id + 0 = %(recipient_id)s and entry.points > 0
"""

BLOCKS = (AuditRecord.Action.ACCOUNT_BLOCKED, AuditRecord.Action.ACCOUNT_UNBLOCKED)


class Side(models.TextChoices):
    """One of the two members of a transfer."""

    SENDER = "sender", _("Sender")
    RECIPIENT = "recipient", _("Recipient")


@dataclass(frozen=True)
class LastBlock:
    """When an account was last blocked or opened again, why, and by whom; `by` is empty for the programme."""

    happened_at: datetime
    by: str
    is_by_owner: bool
    reason: str


@dataclass(frozen=True)
class Party:
    """A member of a transfer, and their account now."""

    side: Side
    member: Member
    balance: Balance
    last_block: LastBlock | None


@dataclass(frozen=True)
class TransferCard:
    """A transfer, its two members, and who ended it; `ended_by` is empty unless a colleague did."""

    transfer: Transfer
    parties: Sequence[Party]
    moved: Sequence[Expiry]
    may_be_taken_back: bool
    ended_by: str


@dataclass(frozen=True)
class TransferRow:
    """A line of the list."""

    transfer: Transfer
    may_be_taken_back: bool


@dataclass(frozen=True)
class AccountEffect:
    """What a reversal would make of one account.

    `missing_points` are those that would have to leave and are no longer there: spent, set aside, expired or
    gone into a debt. Others may be available, but nothing goes back while any of them is missing.
    """

    party: Party
    points: int
    available_after_points: int
    debt_after_points: int
    missing_points: int = 0


def transfer_rows(transfers: Sequence[Transfer], at: datetime) -> list[TransferRow]:
    """The lines of a list of transfers; no query."""
    return [TransferRow(transfer, can_be_taken_back(transfer, at)) for transfer in transfers]


def transfer_card(transfer: Transfer, at: datetime) -> TransferCard:
    """Everything that the page of one transfer shows."""
    members = (transfer.sender, transfer.recipient)
    last_records = {
        record.member_id: record
        for record in AuditRecord.objects.filter(member__in=members, action__in=BLOCKS)
        .order_by("member", "-happened_at", "-pk")
        .distinct("member")
    }
    names = names_of_users([transfer.ended_actor_id, *(record.actor_id for record in last_records.values())])
    return TransferCard(
        transfer=transfer,
        parties=[
            Party(
                side,
                member,
                balance(account_id=member.pk, at=at),
                _last_block(last_records.get(member.pk), member, names),
            )
            for side, member in zip(Side, members, strict=True)
        ],
        moved=moved_by(transfer),
        may_be_taken_back=can_be_taken_back(transfer, at),
        ended_by=names.get(transfer.ended_actor_id or 0, "")
        if transfer.ended_by == Transfer.EndedBy.STAFF
        else "",
    )


def effects_of_reversal(card: TransferCard) -> list[AccountEffect]:
    """What each account would have if the points went back now; what is owed is settled first."""
    points = card.transfer.points
    sender, recipient = card.parties
    settled_points = min(sender.balance.debt_points, points)
    return [
        AccountEffect(
            sender,
            points,
            sender.balance.available_points + points - settled_points,
            sender.balance.debt_points - settled_points,
        ),
        AccountEffect(
            recipient,
            -points,
            recipient.balance.available_points - points,
            recipient.balance.debt_points,
            _missing_points(card.transfer, recipient.balance.as_of),
        ),
    ]


def _missing_points(transfer: Transfer, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            MISSING,
            {
                "posting_id": transfer.posting_id,
                "recipient_id": transfer.recipient_id,
                "at": at,
                "zone": settings.TIME_ZONE,
            },
        )
        [missing_points] = cursor.fetchone()
    return int(missing_points)


def _last_block(record: AuditRecord | None, owner: Member, names: dict[int, str]) -> LastBlock | None:
    if record is None:
        return None
    return LastBlock(
        happened_at=record.happened_at,
        by=names.get(record.actor_id or 0, ""),
        is_by_owner=record.actor_id is not None and record.actor_id == owner.user_id,
        reason=str(record.facts.get("reason", "")),
    )
