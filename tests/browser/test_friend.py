"""The story of a friend: signs up by a link, buys, sees the points, and gives some of them to the inviter."""

import re
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.core import mail

from loyalty.models import Transfer
from tests.factories import PASSWORD
from tests.orders.api.shops import key_text
from tests.referrals.pages.friends import edition, member_of

pytestmark = pytest.mark.django_db(transaction=True)

NBSP = "\N{NO-BREAK SPACE}"


def test_a_friend_joins_buys_and_gives(noon, ada, shop, site, visitor):
    edition(transfer_cooling_hours=24)
    inviter = visitor(ada)
    inviter.open("/invite/")
    link = inviter.value("Your link")

    eve = visitor()
    eve.open(link)
    assert "Ада invites you" in eve.heading
    # Who joins within seconds of the click is looked at first.
    noon.shift(timedelta(minutes=5))
    eve.press("Join")
    eve.type("First name", "Ева")
    eve.type("Email", "eve@example.com")
    eve.type("Password", PASSWORD)
    eve.tick("I agree to the processing")
    eve.press("Join")
    eve.type("Code", re.search(r"\b\d{6}\b", mail.outbox[-1].body).group())
    eve.press("Confirm")
    assert f"200{NBSP}points" in eve.text

    buy(site, key_text(shop), "W-1", "10000")
    eve.reload()
    assert f"700{NBSP}points" in eve.text
    assert "W-1" in eve.text

    eve.follow("Transfer")
    eve.type("To whom", ada.number)
    eve.type("How many points", "150")
    eve.press("Continue")
    assert f"150{NBSP}points" in eve.text
    eve.type("Password", PASSWORD)
    eve.press(f"Transfer 150{NBSP}points")
    assert eve.heading == f"You gave 150{NBSP}points to Ада И."
    receipt = eve.path

    # Neither a fresh look nor the way back gives again.
    eve.reload()
    eve.go_back()
    eve.open(receipt)
    assert eve.heading == f"You gave 150{NBSP}points to Ада И."
    assert Transfer.objects.get().points == 150

    inviter.reload()
    assert f"200{NBSP}points" in inviter.text
    assert "Ева" in inviter.text


def buy(site: str, key: str, number: str, total_sum: str) -> None:
    """The shop's own program reports an order and its payment."""
    headers = {"Authorization": f"Bearer {key}"}
    member = member_of("eve@example.com").number
    for path, fields in (
        ("/orders", {"number": number, "total_sum": total_sum, "member": member}),
        (f"/orders/{number}/pay", {}),
    ):
        answer = httpx.post(
            f"{site}/api/v1{path}", json=fields, headers={**headers, "Idempotency-Key": str(uuid4())}
        )
        assert answer.is_success, answer.text
