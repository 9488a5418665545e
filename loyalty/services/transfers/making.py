"""The points move: once, under both members' locks, with every limit looked at anew."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from accounts.services.messages import Telling, tell
from loyalty.errors import IntentOver, NoRulesInForce, ProofNeeded, RecipientUnavailable
from loyalty.models import RuleSet, Transfer, TransferIntent
from loyalty.queries.rules import EditionKey, edition
from loyalty.queries.transfers.giving import Giving, Periods
from loyalty.queries.transfers.made import transfer_by_key
from loyalty.queries.transfers.proof import MOST_WRONG_PROOFS, is_above_step_up, proof_needed
from loyalty.queries.transfers.recipients import Receiving
from loyalty.services import ledger
from loyalty.services.blocking import freeze_token
from loyalty.services.retry import ledger_write
from loyalty.services.transfers.proving import prove

# A number has ten digits and does not begin with 0, or a table of somebody's would lose one.
LEAST_NUMBER, MOST_NUMBERS = 10**9, 9 * 10**9

FACTS = """
    select edition_id, edition_number, edition_published_at, expires_at, wrong_proofs, proof, is_made,
           knows_recipient, is_active, joined_at, changed_at, given_points, may_receive, received_points
      from loyalty_transfer_facts(%(intent_id)s, %(sender_id)s, %(recipient_id)s, %(at)s, %(day_from)s,
                                  %(month_from)s, %(until)s)
"""
KEEP = """
    select * from loyalty_keep_transfer(
        %(number)s, %(key)s, %(sender_id)s, %(recipient_id)s, %(points)s, %(posting_id)s, %(rule_set_id)s,
        %(made_at)s, %(how)s, %(actor_id)s, %(proof)s, %(take_back_until_at)s)
"""


@dataclass(frozen=True)
class _Facts:
    """What was found under the locks."""

    edition_key: EditionKey
    expires_at: datetime
    wrong_proofs: int
    proof: str
    is_made: bool
    knows_recipient: bool
    is_active: bool
    joined_at: datetime
    changed_at: datetime | None
    given_points: tuple[int, int]
    may_receive: bool
    received_points: tuple[int, int]


def make_transfer(
    *,
    intent: TransferIntent,
    at: datetime,
    how: Transfer.How,
    actor_id: int | None,
    password: str = "",
    code: str = "",
    source_code: str = "",
) -> Transfer:
    """Give the points, and tell both sides; sent again, the transfer that was made comes back.

    Every limit is looked at anew. A wrong password or code is counted although nothing moves.
    A recipient who can get no points ends the intent: whoever wants to know again has to ask again, which
    is counted. `source_code` names the shop that asks for the sender.

    Raises:
        ProofNeeded, WrongProof, TooManyWrongProofs: the sender must prove who they are.
        IntentOver: it is too late, or a proof was wrong too often.
        TransfersOff, JoinedTooRecently, JustChanged, AccountBlocked: the sender may give nothing now.
        TooFewToTransfer, TooManyAtOnce, DayLimitReached, MonthLimitReached, NotEnoughPoints: not so many.
        RecipientUnavailable: the recipient can get no points, or not so many.
    """
    if (password or code) and proof_needed(intent=intent, at=at):
        refusal = prove(
            intent=intent,
            password=password,
            code=code,
            at=at,
            actor_id=actor_id,
            source_code=source_code,
        )
        if refusal:
            raise refusal
    made = _make(intent=intent, at=at, how=how, actor_id=actor_id, source_code=source_code)
    if made is None:
        raise RecipientUnavailable
    return made


@ledger_write
def _make(
    *, intent: TransferIntent, at: datetime, how: Transfer.How, actor_id: int | None, source_code: str
) -> Transfer | None:
    """Lock, look, decide, move, tell; None when the recipient can get no points, or not so many.

    Raising that here would undo the end of the intent.
    """
    sender, recipient = intent.sender, intent.recipient
    facts = _locked_facts(intent, at)
    if facts.is_made:
        return _made(intent)
    rule_set = edition(facts.edition_key)
    _check(facts, intent=intent, rule_set=rule_set, at=at)
    if not _can_get(facts, intent=intent, rule_set=rule_set):
        TransferIntent.objects.filter(pk=intent.pk).update(expires_at=at)
        return None
    posting = ledger.transfer(
        key=intent.key,
        from_account_id=sender.pk,
        to_account_id=recipient.pk,
        points=intent.points,
        at=at,
        note=ledger.Note(
            rule_set_id=rule_set.pk,
            actor_id=actor_id,
            explanation={
                "from": sender.masked_name,
                "to": recipient.masked_name,
                **({"source": source_code} if source_code else {}),
            },
        ),
    )
    hours = rule_set.transfer_cooling_hours
    transfer = Transfer(
        key=intent.key,
        sender=sender,
        recipient=recipient,
        points=intent.points,
        posting_id=posting.posting_id,
        rule_set=rule_set,
        made_at=at,
        how=how,
        actor_id=actor_id,
        proof=facts.proof,
        take_back_until_at=at + timedelta(hours=hours) if hours else None,
    )
    available_after_points, first_expires_on = _insert(transfer)
    _tell(transfer, available_after_points, first_expires_on)
    return transfer


def _locked_facts(intent: TransferIntent, at: datetime) -> _Facts:
    """What decides, with both accounts locked from then on."""
    with connection.cursor() as cursor:
        cursor.execute(
            FACTS,
            {
                "intent_id": intent.pk,
                "sender_id": intent.sender_id,
                "recipient_id": intent.recipient_id,
                "at": at,
                **vars(Periods.of(at)),
            },
        )
        edition_id, *rest = cursor.fetchone()
    if edition_id is None:
        raise NoRulesInForce
    number, published_at, *facts = rest
    return _Facts((edition_id, number, published_at), *facts)


def _made(intent: TransferIntent) -> Transfer:
    """The transfer that the intent has become."""
    transfer = transfer_by_key(intent.key)
    if transfer is None:
        raise IntentOver
    return transfer


def _check(facts: _Facts, *, intent: TransferIntent, rule_set: RuleSet, at: datetime) -> None:
    """Nothing, when the sender may give as far as the rules go; the ledger knows whether there are any."""
    if at >= facts.expires_at or facts.wrong_proofs >= MOST_WRONG_PROOFS:
        raise IntentOver
    may_give = Giving(
        at=at,
        rule_set=rule_set,
        is_active=facts.is_active,
        joined_at=facts.joined_at,
        changed_at=facts.changed_at,
        given_day_points=facts.given_points[0],
        given_month_points=facts.given_points[1],
    )
    refusal = may_give.refusal_of(intent.points)
    if refusal is not None:
        raise refusal
    # This comes before any look at the recipient: whoever proves nothing learns nothing of them.
    must_prove = not facts.knows_recipient or is_above_step_up(rule_set, intent.points)
    if must_prove and not facts.proof:
        raise ProofNeeded


def _can_get(facts: _Facts, *, intent: TransferIntent, rule_set: RuleSet) -> bool:
    """Whether the recipient can get that many."""
    receiving = Receiving(intent.recipient_id, facts.may_receive, facts.received_points)
    return receiving.can_get(intent.points, rule_set)


def _insert(transfer: Transfer) -> tuple[int, date | None]:
    """Keep the transfer under a number of its own; what both sides are told comes back.

    It is what the sender has left, and the first last day of the points that the recipient got.
    """
    values: dict[str, Any] = {
        name: getattr(transfer, name)
        for name in (
            "key",
            "sender_id",
            "recipient_id",
            "points",
            "posting_id",
            "rule_set_id",
            "made_at",
            "how",
            "actor_id",
            "proof",
            "take_back_until_at",
        )
    }
    with connection.cursor() as cursor:
        while True:
            transfer.number = new_number()
            cursor.execute(KEEP, {**values, "number": transfer.number})
            if row := cursor.fetchone():
                transfer.pk, available_after_points, first_expires_on = row
                transfer._state.adding = False
                return available_after_points, first_expires_on


def new_number() -> str:
    """A random number for a transfer, of ten digits; it may be taken."""
    return str(LEAST_NUMBER + secrets.randbelow(MOST_NUMBERS))


def _tell(transfer: Transfer, available_after_points: int, first_expires_on: date | None) -> None:
    until = transfer.take_back_until_at
    tell(
        Telling(
            member_id=transfer.sender_id,
            kind="transfer_sent",
            happened_at=transfer.made_at,
            facts={
                "number": transfer.number,
                "points": transfer.points,
                "to": transfer.recipient.masked_name,
                "available_after": available_after_points,
                "take_back_until_at": until and until.isoformat(),
                "freeze_token": freeze_token(transfer.number),
            },
        ),
        Telling(
            member_id=transfer.recipient_id,
            kind="transfer_received",
            happened_at=transfer.made_at,
            facts={
                "number": transfer.number,
                "points": transfer.points,
                "from": transfer.sender.masked_name,
                "first_expires_on": first_expires_on and first_expires_on.isoformat(),
            },
        ),
    )
