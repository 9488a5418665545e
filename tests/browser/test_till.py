"""The story of a sale: found by four digits, the card, the receipt, and points taken at the till."""

import re

import pytest

from accounts.models import Member
from orders.models import Order
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn

pytestmark = pytest.mark.django_db(transaction=True)

NBSP = "\N{NO-BREAK SPACE}"


def test_a_member_is_found_and_pays_with_points(noon, ada, stan, shop, visitor):
    publish_edition(("Bronze", 0, "0.05"))
    earn(ada, 500)
    Member.objects.filter(pk=ada.pk).update(phone="+79161231234")

    staff = visitor(stan)
    staff.open("/console/find/")
    staff.type("Who is it?", "1234")
    staff.press("Find")
    staff.follow("Ада Иванова")
    staff.follow("Register a sale")
    staff.type("Sum of the receipt", "1000")
    staff.type("Points to take", "200")
    staff.press("Continue")
    assert f"800{NBSP}₽" in staff.text

    member = visitor(ada)
    member.open("/till-code/")
    member.press("Make a code")
    code = re.search(rf"\b(\d{{3}}){NBSP}(\d{{3}})\b", member.text)
    staff.type("Code", "".join(code.groups()))
    staff.press(f"Take 200{NBSP}points and register")

    assert staff.heading == "The sale is registered"
    receipt = staff.path
    staff.reload()
    staff.go_back()
    staff.open(receipt)
    assert Order.objects.get().spent_points == 200
    member.open("/")
    assert f"340{NBSP}points" in member.text
