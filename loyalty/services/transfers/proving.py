"""The member proves who they are, once more: by the password, or by a code sent to their own contact."""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext

from accounts.letters import send_letter
from accounts.models import AuditRecord, Member
from accounts.services.audit import record
from accounts.sms import send_sms
from loyalty.errors import (
    CodeSentTooOften,
    IntentOver,
    NoWayToProve,
    TooManyWrongProofs,
    TransferRefused,
    WrongProof,
)
from loyalty.models import Transfer, TransferIntent
from loyalty.queries.transfers.proof import MOST_WRONG_PROOFS, code_contact

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=10)
PERIOD = timedelta(hours=1)
MOST_CODES_PER_INTENT = 3
MOST_CODES_PER_MEMBER = 10
MOST_WRONG_PROOFS_PER_MEMBER = 10
# What every code of the sandbox is: its members are nobody's, so there is nobody to send one to.
SANDBOX_CODE = "000000"
PASSWORD, CODE = "password", "code"

Action = AuditRecord.Action


class _Sending(NamedTuple):
    """A code to be sent to a contact, in a language."""

    code: str
    contact: str
    language: str


def send_code(*, intent: TransferIntent, at: datetime, source_code: str = "") -> None:
    """Send the sender a code of six digits, which is good for ten minutes; an earlier one is not any more.

    It goes as a letter to the verified e-mail or the login's, or as a text message to a verified
    phone; in the sandbox nowhere. Where the intent is proved already nothing is sent. `source_code`
    names the shop that asks for the sender.

    Raises:
        IntentOver: there is nothing left to prove.
        NoWayToProve: the member has no such contact.
        CodeSentTooOften, TooManyWrongProofs: not now.
        MessageNotSent: the letter could not be handed over.
    """
    sending = _new_code(intent, at, source_code)
    if sending is None:
        return
    if "@" in sending.contact:
        send_letter(
            template="loyalty/email/transfer_code",
            to=sending.contact,
            language=sending.language,
            context={
                "code": sending.code,
                "points": intent.points,
                "recipient": intent.recipient.masked_name,
            },
        )
        return
    with translation.override(sending.language):
        text = gettext(
            "%(programme)s: %(code)s is the code to give points to %(recipient)s. "
            "If it was not you, give it to nobody."
        )
        values = {
            "programme": settings.PROGRAMME_NAME,
            "code": sending.code,
            "recipient": intent.recipient.masked_name,
        }
        send_sms(to=sending.contact, text=text % values)


@transaction.atomic
def prove(
    *,
    intent: TransferIntent,
    password: str,
    code: str,
    at: datetime,
    actor_id: int | None,
    source_code: str,
) -> TransferRefused | None:
    """Keep on the intent that its sender is who they are, or that they were wrong; the refusal, if it is one.

    Raising here would undo the count, so a refusal is returned.
    """
    sender, kept = _locked(intent)
    refusal = _refusal(sender, kept, at)
    if refusal or kept.proof or _is_made(kept):
        return refusal
    proof = _proof(sender, kept, password=password, code=code, at=at)
    if proof:
        kept.proof = proof
        kept.save(update_fields=["proof"])
        return None
    kept.wrong_proofs += 1
    kept.save(update_fields=["wrong_proofs"])
    record(
        action=Action.PROOF_FAILED,
        member=sender,
        at=at,
        actor=actor_id,
        by=CODE if code else PASSWORD,
        intent=str(kept.key),
        **({"source": source_code} if source_code else {}),
    )
    tries_left = MOST_WRONG_PROOFS - kept.wrong_proofs
    return WrongProof(tries_left) if tries_left else IntentOver()


@transaction.atomic
def _new_code(intent: TransferIntent, at: datetime, source_code: str) -> _Sending | None:
    """A new code for the intent, kept as its hash; None when there is nobody to send one to, or no need."""
    sender, kept = _locked(intent)
    refusal = _refusal(sender, kept, at)
    if refusal or _is_made(kept):
        raise refusal or IntentOver()
    if kept.proof:
        return None
    contact = code_contact(sender)
    if not contact:
        raise NoWayToProve
    allowed_at = _next_code_at(sender, kept, at)
    if allowed_at is not None:
        raise CodeSentTooOften(allowed_at)
    code = SANDBOX_CODE if sender.is_sandbox else f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    kept.code_hash, kept.code_sent_at = _hash(kept, code), at
    kept.save(update_fields=["code_hash", "code_sent_at"])
    intent.code_hash, intent.code_sent_at = kept.code_hash, kept.code_sent_at
    record(
        action=Action.CODE_SENT,
        member=sender,
        at=at,
        actor=None,
        intent=str(kept.key),
        **({"source": source_code} if source_code else {}),
    )
    return None if sender.is_sandbox else _Sending(code, contact, sender.language)


def _locked(intent: TransferIntent) -> tuple[Member, TransferIntent]:
    """The sender and the intent as they stand, and nobody else proves anything for either meanwhile."""
    senders = Member.objects.select_for_update(no_key=True, of=["self"]).select_related("user")
    sender = senders.get(pk=intent.sender_id)
    return sender, TransferIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)


def _refusal(sender: Member, intent: TransferIntent, at: datetime) -> TransferRefused | None:
    """Why nothing can be proved for the intent now; None when it can."""
    if _is_made(intent):
        return None
    if at >= intent.expires_at or intent.wrong_proofs >= MOST_WRONG_PROOFS:
        return IntentOver()
    wrong_at = _latest(sender, Action.PROOF_FAILED, MOST_WRONG_PROOFS_PER_MEMBER, at)
    return TooManyWrongProofs(wrong_at + PERIOD) if wrong_at else None


def _is_made(intent: TransferIntent) -> bool:
    return Transfer.objects.filter(key=intent.key).exists()


def _proof(sender: Member, intent: TransferIntent, *, password: str, code: str, at: datetime) -> str:
    """What of the two is right; empty when neither is."""
    user = sender.user
    if password and user is not None and user.is_active and user.check_password(password):
        return PASSWORD
    is_fresh = intent.code_sent_at is not None and at < intent.code_sent_at + CODE_LIFE
    digits = "".join(code.split())
    if is_fresh and digits and constant_time_compare(intent.code_hash, _hash(intent, digits)):
        return CODE
    return ""


def _next_code_at(sender: Member, intent: TransferIntent, at: datetime) -> datetime | None:
    """When a code may be sent again; None for now. An intent that has had all of them must be over first."""
    sent = AuditRecord.objects.filter(
        member=sender, action=Action.CODE_SENT, happened_at__gt=at - PERIOD, facts__intent=str(intent.key)
    )
    if sent.count() >= MOST_CODES_PER_INTENT:
        return intent.expires_at
    latest_at = _latest(sender, Action.CODE_SENT, MOST_CODES_PER_MEMBER, at)
    return latest_at + PERIOD if latest_at else None


def _latest(sender: Member, action: AuditRecord.Action, count: int, at: datetime) -> datetime | None:
    """When the first of the last `count` records of the sender was made; None with fewer within an hour."""
    records = AuditRecord.objects.filter(member=sender, action=action, happened_at__gt=at - PERIOD)
    moments = list(records.order_by("-happened_at").values_list("happened_at", flat=True)[:count])
    return moments[-1] if len(moments) == count else None


def _hash(intent: TransferIntent, code: str) -> str:
    """The code's hash under the site's key: without the key a million tries would find the code."""
    return salted_hmac("loyalty.transfer_code", f"{intent.key}/{code}", algorithm="sha256").hexdigest()
