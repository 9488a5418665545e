"""Short words for transfers over the API: an edition for them, a check, a code, a transfer."""

import re
from typing import Any

from django.core import mail

from accounts.models import AuditRecord, Member
from loyalty.models import RuleSet
from loyalty.queries.rules import rule_set_in_force
from loyalty.services import ledger
from loyalty.services.rules import create_draft, publish_rule_set
from tests.clock import NOON
from tests.loyalty.editions import LONG_AGO
from tests.orders.api.shops import Shop

CODE = re.compile(r"\b\d{6}\b")


def publish_alike(**settings: object) -> RuleSet:
    """An edition like the one that is in force, but for these settings, and in force for long."""
    return publish_rule_set(
        rule_set=create_draft(copy_of=rule_set_in_force(NOON), **settings),
        effective_at=LONG_AGO,
        published_at=NOON,
        reason="A test",
    )


def wanted(sender: Member | str, recipient: Member | str, points: int) -> dict[str, object]:
    """What a check is asked with; the recipient by number, unless it is said how."""
    return {
        "sender": sender.number if isinstance(sender, Member) else sender,
        "recipient": recipient.number if isinstance(recipient, Member) else recipient,
        "points": points,
    }


def check(shop: Shop, sender: Member | str, recipient: Member | str, points: int) -> dict[str, Any]:
    """A new check as the API answers it."""
    answer = shop.write("/transfer-checks", wanted(sender, recipient, points))
    assert answer.status_code == 201, answer.content.decode()
    return dict(answer.json())


def send_code(shop: Shop, checked: dict[str, Any]) -> str:
    """The code that the sender gets by letter."""
    letters = len(mail.outbox)
    answer = shop.write(f"/transfer-checks/{checked['id']}/code")
    assert answer.status_code == 202, answer.content.decode()
    [letter] = mail.outbox[letters:]
    [code] = set(CODE.findall(letter.body))
    return str(code)


def give(shop: Shop, sender: Member, recipient: Member, points: int) -> dict[str, Any]:
    """A transfer as the API answers it, proved by a code where one is needed."""
    checked = check(shop, sender, recipient, points)
    fields = {"check": checked["id"]}
    if checked["needs_code"]:
        fields["code"] = send_code(shop, checked)
    answer = shop.write("/transfers", fields)
    assert answer.status_code == 201, answer.content.decode()
    return dict(answer.json())


def other_than(code: str) -> str:
    """A code that is another one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


def records(action: str) -> list[AuditRecord]:
    """What the audit journal has of that kind."""
    return list(AuditRecord.objects.filter(action=action).order_by("pk"))


def block(member: Member) -> None:
    """Nobody spends the member's points."""
    ledger.block(account_id=member.pk, is_blocked=True)


def switch_off(member: Member) -> None:
    """Nobody signs in as the member."""
    member.user.is_active = False
    member.user.save()
