"""A member says to whom, and how many: what comes of it is an intent, or a refusal."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import AuditRecord, Member
from accounts.services.audit import record
from loyalty.errors import RecipientUnavailable, TooManyQuestions, TransferRefused, TransferToSelf
from loyalty.models import RuleSet, Transfer, TransferIntent
from loyalty.queries.transfers.giving import Periods, check_points
from loyalty.queries.transfers.proof import MOST_WRONG_PROOFS
from loyalty.queries.transfers.recipients import Named, find_recipient, read_recipient

INTENT_LIFE = timedelta(minutes=30)
# So long after it is over an intent is kept, for questions about it.
INTENT_KEPT = timedelta(days=30)
# So many answers about recipients a member gets within an hour, whatever they were.
MOST_ANSWERS, ANSWERS_PERIOD = 20, timedelta(hours=1)
FOUND, UNAVAILABLE, SELF, TOO_MANY = "found", "unavailable", "self", "too_many"


class _Asked(NamedTuple):
    """What became of a question: an intent, or why there is none."""

    intent: TransferIntent | None
    refusal: TransferRefused | None


def ask_transfer(
    *,
    sender: Member,
    recipient: str,
    points: int,
    at: datetime,
    actor_id: int | None,
    source_code: str = "",
) -> TransferIntent:
    """What the sender is about to give, and to whom, for them to look over; nothing moves yet.

    `recipient` is a member number, an e-mail or a phone in any spelling. Who fills in the same again,
    in another tab or on another device, gets the same intent. Every look-up is counted and written
    down, those that were refused too. `source_code` names the shop that asks for the sender.

    Raises:
        TransfersOff, JoinedTooRecently, JustChanged, AccountBlocked: the sender may give nothing now.
        TooFewToTransfer, TooManyAtOnce, DayLimitReached, MonthLimitReached, NotEnoughPoints: not so many.
        RecipientUnreadable: nobody can be meant by that.
        RecipientUnavailable: there is no such member, or they can get no points, or not so many.
        TransferToSelf: it is the sender.
        TooManyQuestions: the sender has asked too often; nobody was looked for.
    """
    may_give = check_points(sender_id=sender.pk, points=points, at=at)
    named = read_recipient(recipient)
    asked = _answer(
        sender=sender,
        named=named,
        points=points,
        rule_set=may_give.rule_set,
        at=at,
        actor_id=actor_id,
        source_code=source_code,
    )
    if asked.intent is None:
        raise asked.refusal or RecipientUnavailable()
    return asked.intent


def delete_old_intents(*, at: datetime) -> int:
    """Forget who meant to give to whom, INTENT_KEPT after it was over; returns how many were forgotten.

    Transfers that were made stay, of course.
    """
    deleted_count, _by_model = TransferIntent.objects.filter(expires_at__lt=at - INTENT_KEPT).delete()
    return deleted_count


@transaction.atomic
def _answer(
    *,
    sender: Member,
    named: Named,
    points: int,
    rule_set: RuleSet,
    at: datetime,
    actor_id: int | None,
    source_code: str,
) -> _Asked:
    """Look the recipient up, unless the sender has asked too often, and write down what came of it.

    Raising here would undo the record, so a refusal is returned.
    """
    # Many tabs and threads that ask at once come one after the other, or all would count the same.
    Member.objects.select_for_update(no_key=True).only("pk").get(pk=sender.pk)

    def write_down(outcome: str) -> None:
        facts = {"by": named.by, "outcome": outcome, **({"source": source_code} if source_code else {})}
        record(action=AuditRecord.Action.RECIPIENT_ASKED, member=sender, at=at, actor=actor_id, **facts)

    allowed_at = _next_answer_at(sender, at)
    if allowed_at is not None:
        write_down(TOO_MANY)
        return _Asked(None, TooManyQuestions(allowed_at))
    found = find_recipient(named, is_sandbox=sender.is_sandbox, periods=Periods.of(at), rule_set=rule_set)
    if found is not None and found.member_id == sender.pk:
        write_down(SELF)
        return _Asked(None, TransferToSelf())
    if found is None or not found.can_get(points, rule_set):
        write_down(UNAVAILABLE)
        return _Asked(None, RecipientUnavailable())
    write_down(FOUND)
    return _Asked(_intent(sender=sender, recipient_id=found.member_id, points=points, at=at), None)


def _next_answer_at(sender: Member, at: datetime) -> datetime | None:
    """When the sender may look for somebody again; None for now."""
    answers = AuditRecord.objects.filter(
        member=sender, action=AuditRecord.Action.RECIPIENT_ASKED, happened_at__gt=at - ANSWERS_PERIOD
    ).exclude(facts__outcome=TOO_MANY)
    latest = list(answers.order_by("-happened_at").values_list("happened_at", flat=True)[:MOST_ANSWERS])
    return latest[-1] + ANSWERS_PERIOD if len(latest) == MOST_ANSWERS else None


def _intent(*, sender: Member, recipient_id: int, points: int, at: datetime) -> TransferIntent:
    """The open intent of the same content, or else a new one."""
    is_made = Transfer.objects.filter(key=OuterRef("key"))
    alike = TransferIntent.objects.filter(
        ~Exists(is_made),
        sender=sender,
        recipient_id=recipient_id,
        points=points,
        expires_at__gt=at,
        wrong_proofs__lt=MOST_WRONG_PROOFS,
    )
    return alike.order_by("-pk").first() or TransferIntent.objects.create(
        key=uuid4(),
        sender=sender,
        recipient_id=recipient_id,
        points=points,
        asked_at=at,
        expires_at=at + INTENT_LIFE,
    )
