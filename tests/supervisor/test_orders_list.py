"""The console's list of all orders, and the page of one."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditRecord
from orders.models import Order, Outlet, Source
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.pages import Page
from tests.referrals.friends import publish
from tests.supervisor.given import in_english as reads_english
from tests.supervisor.given import invited_by

LIST = "/console/orders/"


@pytest.fixture
def desk(client_of, sue):
    """Sue's browser, which reads English."""
    return reads_english(client_of(sue))


def shown(desk, query=""):
    """The numbers of the orders on a page, in their order."""
    page = Page(desk.get(f"{LIST}{query}"))
    ids = [href for href in page.hrefs() if href.startswith(LIST) and href != LIST]
    return [
        Order.objects.get(pk=href.removeprefix(LIST).strip("/")).number for href in ids if "?" not in href
    ]


def test_orders_stand_with_the_latest_first_and_whose_they_are(desk, paid, placed, ada, ben):
    paid(ada, 100, NOON, number="A")
    placed(ben, 200, NOON + timedelta(days=1), number="B")
    paid(None, 300, NOON - timedelta(days=1), number="C")

    assert shown(desk) == ["B", "A", "C"]
    page = Page(desk.get(LIST))
    assert "Ада И." in page.text
    assert f"/console/members/{ada.number}/" in page.hrefs()
    assert "nobody yet" in page.text
    assert "300\u00a0₽" in page.text


def test_each_filter_alone_and_all_together(desk, paid, placed, ada, shop):
    till = Source.objects.create(code="till", name="Касса")
    outlet = Outlet.objects.create(source=shop, code="one", name="Невский")
    paid(ada, 100, NOON, number="A", outlet=outlet)
    placed(ada, 100, NOON - timedelta(days=1), number="B")
    paid(None, 100, NOON - timedelta(days=2), number="C", customer_email="eve@example.com")
    Order.objects.filter(number="C").update(source=till)

    assert shown(desk, "?status=new") == ["B"]
    assert shown(desk, f"?source={till.pk}") == ["C"]
    assert shown(desk, f"?outlet={outlet.pk}") == ["A"]
    assert shown(desk, "?whose=nobody") == ["C"]
    assert shown(desk, "?number=B") == ["B"]
    assert shown(desk, "?number=+b+") == ["B"]
    assert shown(desk, "?since=2026-03-09") == ["A", "B"]
    assert shown(desk, "?until=2026-03-09") == ["B", "C"]
    assert shown(desk, "?since=2026-03-09&until=2026-03-09") == ["B"]
    assert shown(desk, f"?status=paid&outlet={outlet.pk}&number=A&since=2026-03-10&source={shop.pk}") == ["A"]
    assert "No order was found with this filter" in Page(desk.get(f"{LIST}?number=AA")).text


@pytest.mark.parametrize(
    "query",
    ["?status=lost", "?source=0", "?outlet=x", "?since=2026-02-30", "?since=2026-03-02&until=2026-03-01"],
)
def test_filter_that_means_nothing_says_so(desk, query):
    page = Page(desk.get(f"{LIST}{query}"))

    assert page.text.startswith("Error:")


def test_each_look_at_the_list_is_written_down_without_what_was_typed(desk, paid, ada):
    paid(ada, 100, NOON, number="A")

    assert "ada@example.com" in desk.get(f"{LIST}?number=ada@example.com&status=paid").content.decode()

    record = AuditRecord.objects.get(action=AuditRecord.Action.SEARCHED)
    assert record.facts == {"kind": "list", "list": "orders", "filters": "?status=paid"}


def test_orders_of_sandboxes_are_not_there(desk, paid, shop):
    order = paid(None, 100)
    Source.objects.filter(pk=shop.pk).update(is_sandbox=True)

    page = Page(desk.get(LIST))

    assert "No orders yet" in page.text
    assert desk.get(f"{LIST}{order.pk}/").status_code == 404


def test_pages_lead_there_and_back_with_the_filter(desk, paid, ada):
    # Some of them at the very same moment.
    for number in range(60):
        paid(ada, 1, NOON + timedelta(minutes=number // 3), number=f"P{number:02}")
    expected = [f"P{number:02}" for number in reversed(range(60))]

    found, queries = [], ["?status=paid"]
    while queries:
        page = Page(desk.get(LIST + queries[-1]))
        found += shown(desk, queries.pop())
        queries += page.hrefs(rel="next")
    assert found == expected
    last = Page(desk.get(f"{LIST}?status=paid&after={Order.objects.get(number='P10').pk}"))
    assert shown(desk, last.hrefs(rel="prev")[0]) == expected[25:50]
    beyond = desk.get(f"{LIST}?status=paid&after={Order.objects.get(number='P00').pk}")
    assert beyond["Location"] == f"{LIST}?status=paid"
    assert desk.get(f"{LIST}?after={'9' * 30}").status_code == 200


def test_same_number_of_queries_for_one_order_and_for_thirty(desk, paid, shop, django_assert_max_num_queries):
    paid(MemberFactory(), 10)
    desk.get(LIST)
    with django_assert_max_num_queries(1000) as one:
        desk.get(LIST)
    for number in range(29):
        outlet = Outlet.objects.create(source=shop, code=f"o-{number}", name=f"Точка {number}")
        paid(MemberFactory(), 10, outlet=outlet)
    with django_assert_max_num_queries(1000) as thirty:
        desk.get(LIST)

    assert len(thirty) == len(one)


def test_page_of_an_order_says_what_it_earned_whom_and_why(desk, paid, ada, ben):
    publish()
    invited_by(ada, ben)
    order = paid(ben, 1000, NOON + timedelta(days=1), number="Z-1")

    page = Page(desk.get(f"{LIST}{order.pk}/"))

    assert "Order Z-1" in page.text
    assert "Бен С." in page.text
    assert f"/console/members/{ben.number}/" in page.hrefs()
    assert "What it earned" in page.text
    assert "The inviter’s share" in page.text
    assert f"/console/members/{ada.number}/" in page.hrefs()
    assert not [href for href in page.hrefs() if href.startswith("/operations/")]
    looks = AuditRecord.objects.filter(action=AuditRecord.Action.LOOKED_AT)
    assert {(look.member_id, look.facts["page"], look.facts["order"]) for look in looks} == {
        (ada.pk, "order", order.pk),
        (ben.pk, "order", order.pk),
    }


def test_page_of_an_unpaid_order_and_of_one_of_nobody(desk, placed, paid, ada):
    unpaid = Page(desk.get(f"{LIST}{placed(ada, 100).pk}/"))
    assert "not paid" in unpaid.text
    assert "What it earned" not in unpaid.text

    nobodys = Page(desk.get(f"{LIST}{paid(None, 100).pk}/"))
    assert "Nobody’s yet." in nobodys.text
    assert not AuditRecord.objects.filter(action=AuditRecord.Action.LOOKED_AT).exclude(member=ada).exists()


@pytest.mark.parametrize("role", ["member", "staff", "nobody"])
def test_only_supervisors_see_orders_of_everybody(client_of, paid, ada, stan, role):
    order = paid(ada, 100)
    desk = Client() if role == "nobody" else client_of(ada if role == "member" else stan)

    for address in (LIST, f"{LIST}{order.pk}/"):
        assert desk.get(address).status_code == (302 if role == "nobody" else 403)


def test_order_that_does_not_exist_is_not_found(desk):
    assert desk.get(f"{LIST}404/").status_code == 404
    assert desk.post(LIST).status_code == 405
