"""A member's numbers are the same in the cabinet, the API, a letter and on the card that staff see."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.template.loader import render_to_string
from django.utils import translation

from accounts.fresh_facts import fresh_facts
from accounts.models import Member, Message
from loyalty.services import ledger
from loyalty.templatetags.numbers import day_text, figures, money, points
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, give, hold, new_key, spend, take_back
from tests.pages import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

LATER = NOON + timedelta(hours=18)


def rich(noon, ada: Member, ben: Member) -> None:
    """Earned, held, spent, given back, taken back, transferred, adjusted; some expired, some mature."""
    earn(ada, 40, until=NOON.date())
    earn(ada, 1_700, until=date(2026, 4, 30))
    earn(ada, 60, available_at=NOON + timedelta(hours=5))
    earn(ada, 25, available_at=TOMORROW_NOON.replace(day=20))
    noon.sell("A-1", ada, "4000", points=300)
    noon.step("A-1", "refund", goods_sum="1000")
    noon.place("A-3", ada, "900", points=120)
    give(ada, ben, 15)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-5, at=NOON)


def in_debt(noon, ada: Member, ben: Member) -> None:
    """More was taken back than was left."""
    credit_id = earn(ada, 500)
    spend(ada, 450)
    take_back(credit_id, 500)


def blocked(noon, ada: Member, ben: Member) -> None:
    """Points that nobody may spend."""
    earn(ada, 1_234)
    hold(ada, 200, hours=12)
    ledger.block(account_id=ada.pk, is_blocked=True)


@pytest.mark.parametrize("life", [rich, in_debt, blocked])
def test_everybody_reads_the_same_numbers(noon, ada, ben, stan, client_of, life):
    publish_edition(("Bronze", 0, "0.05"), ("Silver", 10_000, "0.07"))
    life(noon, ada, ben)
    with time_machine.travel(LATER, tick=False), translation.override("en"):
        told = noon.balance(ada)
        cabinet, why, card = (
            _text(client_of(person), address)
            for person, address in (
                (ada, "/"),
                (ada, "/why/"),
                (stan, f"/console/members/{ada.number}/"),
            )
        )
        letter = _letter(ada)

        available = points(told["available_points"])
        for text in (cabinet, why, card, letter):
            assert available in text
        for name in ("pending_points", "held_points", "debt_points"):
            if told[name]:
                assert figures(told[name]) in why
                assert figures(told[name]) in card
        for part in (*told["pending"], *told["held"], *told["expiries"]):
            assert figures(part["points"]) in cabinet
            assert figures(part["points"]) in card
        first = next((part for part in told["expiries"] if part["expires_on"]), None)
        if first is not None:
            last_day = day_text(date.fromisoformat(first["expires_on"]))
            words = f"{points(first['points'])} can be spent until the end of {last_day}, then they expire"
            assert words in cabinet
            assert words in why
        worth = money(Decimal(told["available_points"]))
        assert worth in why
        assert worth in cabinet or told["available_points"] == 0 or life is blocked
        paid_sum = money(Decimal(told["tier"]["paid_sum"]))
        for text in (why, card):
            assert paid_sum in text
        left = money(10_000 - Decimal(told["tier"]["paid_sum"]))
        for text in (cabinet, why, card):
            assert told["tier"]["name"] in text
            assert left in text


def _text(client, address: str) -> str:
    client.cookies["django_language"] = "en"
    response = client.get(address)
    assert response.status_code == 200
    return Page(response).text


def _letter(member: Member) -> str:
    """A letter that names the balance, as it is read when it is sent."""
    facts = {"points": 5, "from": "Бен С.", "number": "7000000001", "words": "", "held_until": None}
    message = Message(kind="transfer_received", member=member, facts=facts)
    fresh = fresh_facts(message, member, LATER)
    assert fresh is not None
    return render_to_string(
        "messages/transfer_received_message.txt",
        {"message": message, "member": member, "facts": facts | fresh, "site_url": ""},
    )
