"""Short words for transfers in tests: fill one in, confirm it, and what is then there."""

from datetime import datetime, timedelta
from uuid import uuid4

from accounts.models import AuditRecord, Member, Message
from loyalty.models import Transfer, TransferIntent
from loyalty.queries.audit import every_check, findings
from loyalty.services.transfers import ask_transfer, make_transfer
from tests.clock import NOON
from tests.factories import PASSWORD


def ask(
    sender: Member, recipient: Member | str, points: int = 100, *, at: datetime = NOON, **fields
) -> TransferIntent:
    """Fill in the form; a recipient is named by their number where nothing else is given."""
    named = recipient.number if isinstance(recipient, Member) else recipient
    return ask_transfer(sender=sender, recipient=named, points=points, at=at, actor_id=None, **fields)


def confirm(
    intent: TransferIntent, *, at: datetime = NOON, password: str = PASSWORD, code: str = ""
) -> Transfer:
    """Press the button, with the right password."""
    return make_transfer(
        intent=intent,
        at=at,
        how=Transfer.How.CABINET,
        actor_id=intent.sender.user_id,
        password=password,
        code=code,
    )


def transfer(sender: Member, recipient: Member, points: int = 100, *, at: datetime = NOON) -> Transfer:
    """The whole way, from the form to the receipt."""
    return confirm(ask(sender, recipient, points, at=at), at=at)


def proved_intent(sender: Member, recipient: Member, points: int, *, at: datetime = NOON) -> TransferIntent:
    """An intent whose sender has entered the password; it is not looked whether they have the points."""
    return TransferIntent.objects.create(
        key=uuid4(),
        sender=sender,
        recipient=recipient,
        points=points,
        asked_at=at,
        expires_at=at + timedelta(minutes=30),
        proof="password",
    )


def messages(member: Member) -> list[tuple[str, dict]]:
    """What the member was told, in order."""
    return list(Message.objects.filter(member=member).order_by("pk").values_list("kind", "facts"))


def recorded(action: AuditRecord.Action) -> list[dict]:
    """The facts of all records of that action, in order."""
    return list(AuditRecord.objects.filter(action=action).order_by("pk").values_list("facts", flat=True))


def broken_promises() -> list[tuple[str, tuple]]:
    """What the audit finds."""
    return [(found.check.name, found.found_rows) for found in findings(every_check()) if found.found_count]
