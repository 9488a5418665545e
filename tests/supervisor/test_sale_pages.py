"""A sale at the till, page by page: the form, the check, the code, what came of it."""

import re
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from accounts import services as accounts_services
from accounts.models import AuditRecord
from accounts.roles import Role
from loyalty.models import TillCode
from loyalty.services.blocking import block_member
from loyalty.services.till_codes import make_till_code
from orders.models import Order, Outlet
from referrals.models import How
from referrals.services import attach_inviter
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import balance, earn
from tests.loyalty.test_till_codes import another
from tests.pages import Page
from tests.supervisor.given import in_english


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(stan, client_of) -> Client:
    """The browser of somebody of the staff, in English."""
    return in_english(client_of(stan))


@pytest.fixture
def form_of(ada):
    """What is typed into the form for Ada, as its address."""

    def address(total: str, points: str = "", *, member=ada, **more) -> tuple[str, dict[str, str]]:
        return f"/console/members/{member.number}/sale/check/", {
            "key": str(uuid4()),
            "total": total,
            "points": points,
            **more,
        }

    return address


def whole(address: str, typed: dict[str, str]) -> str:
    """The address of the check page with what was typed."""
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in typed.items())}"


def code_for(member) -> str:
    return make_till_code(member=member, at=NOON).code


# Who may


@pytest.mark.parametrize("part", ["", "check/?total=100&key=5d4e2d3c-7f6b-4a57-9a6a-1f0a3f6f0b11"])
def test_sales_are_for_staff_and_supervisors_and_never_their_own(
    ada, ben, stan, sue, client_of, client, part
):
    address = f"/console/members/{ada.number}/sale/{part}"

    assert client_of(stan).get(address).status_code == 200
    assert client_of(sue).get(address).status_code == 200
    assert client_of(ben).get(address).status_code == 403
    assert client.get(address).status_code == 302
    accounts_services.assign_role(user=ada.user, role=Role.STAFF)
    assert client_of(ada).get(address).status_code == 403


def test_nobody_but_staff_registers_and_never_for_themselves(ada, ben, client_of, client, form_of):
    address = whole(*form_of("100"))
    accounts_services.assign_role(user=ada.user, role=Role.STAFF)

    assert client_of(ben).post(address, {"taken": "0"}).status_code == 403
    assert client.post(address, {"taken": "0"}).status_code == 302
    assert client_of(ada).post(address, {"taken": "0"}).status_code == 403
    assert not Order.objects.exists()


def test_whoever_invited_the_member_is_told_to_ask_a_colleague(ada, stan, sue, desk, client_of, form_of):
    attach_inviter(inviter=MemberFactory(user=stan), invited=ada, since_at=NOON, how=How.LINK)
    address = whole(*form_of("100"))

    for answer in (
        desk.get(f"/console/members/{ada.number}/sale/"),
        desk.get(address),
        desk.post(address, {"taken": "0"}),
    ):
        assert answer.status_code == 403
        assert "You invited this member" in Page(answer).text
    assert not Order.objects.exists()
    assert client_of(sue).get(address).status_code == 200


def test_a_sum_above_the_limits_is_refused_at_its_field(ada, desk, form_of, settings):
    settings.STAFF_SALE_SUM = 1_000

    for answer in (desk.get(*form_of("1000,01")), desk.post(whole(*form_of("1000.01")), {"taken": "0"})):
        assert answer.status_code == 422
        page = Page(answer)
        assert "You may register up to 1,000\u00a0₽ at once" in page.text
        assert page.text.count("Ask a supervisor to register this sale.") == 2
    assert not Order.objects.exists()


def test_unknown_number_and_sandbox_are_not_found(desk):
    sandboxed = MemberFactory(is_sandbox=True)

    for number in ("200000000000", sandboxed.number, "nobody"):
        assert desk.get(f"/console/members/{number}/sale/").status_code == 404
        assert desk.get(f"/console/members/{number}/sale/check/?total=1").status_code == 404
        assert desk.get(f"/console/members/{number}/sale/1/").status_code == 404


def test_sale_of_another_member_is_not_found(ada, ben, desk, form_of, paid):
    address = whole(*form_of("100"))
    done = desk.post(address, {"taken": "0"})["Location"]
    of_the_shop = paid(ada, 100)

    assert desk.get(done).status_code == 200
    assert desk.get(done.replace(ada.number, ben.number)).status_code == 404
    assert desk.get(f"/console/members/{ada.number}/sale/{of_the_shop.pk}/").status_code == 404


# The whole way


def test_sale_with_points_from_form_to_done(ada, desk, form_of):
    publish_edition(("Bronze", 0, "0.05"))
    earn(ada, 500)
    address, typed = form_of("1 234,50", "200", number="A-17")

    check = desk.get(address, typed)
    text = Page(check).text
    assert check.status_code == 200
    assert "1,034.50\u00a0₽" in text
    assert "200\u00a0points" in text
    assert "51\u00a0points" in text
    assert not Order.objects.exists()

    done = desk.post(whole(address, typed), {"taken": "200", "code": code_for(ada)})
    order = Order.objects.get()
    assert (order.number, str(order.total_sum), order.spent_points) == ("A-17", "1234.50", 200)
    assert done["Location"] == f"/console/members/{ada.number}/sale/{order.pk}/"

    page = Page(desk.get(done["Location"]))
    assert "The sale is registered" in page.text
    assert "A-17" in page.text
    assert "51\u00a0points" in page.text
    assert "351\u00a0points" in page.text
    assert f"/console/members/{ada.number}/sale/" in page.hrefs()
    assert balance(ada).available == 351


def test_money_only_asks_for_no_code(ada, desk, form_of):
    address = whole(*form_of("100"))

    assert 'name="code"' not in desk.get(address).content.decode()
    assert desk.post(address, {"taken": "0"}).status_code == 302
    assert Order.objects.get().spent_points == 0


def test_check_without_a_sale_leads_to_the_form(ada, desk):
    answer = desk.get(f"/console/members/{ada.number}/sale/check/")

    assert answer["Location"] == f"/console/members/{ada.number}/sale/"


def test_change_leads_back_with_everything_that_was_typed(ada, desk, form_of):
    earn(ada, 500)
    address, typed = form_of("1000", "200", number="A-17")

    (back,) = [link for link in Page(desk.get(address, typed)).hrefs() if "total=" in link]
    values = Page(desk.get(back)).values("value")

    assert {name: value for name, (value,) in parse_qs(urlsplit(back).query).items()} == typed
    assert {"1000", "200", "A-17", typed["key"]} <= set(values)


def test_every_look_is_noted(ada, stan, desk, form_of):
    address, typed = form_of("100")

    desk.get(f"/console/members/{ada.number}/sale/")
    desk.get(address, typed)

    looks = AuditRecord.objects.filter(action="looked_at", member=ada, actor_id=stan.pk)
    assert [look.facts["page"] for look in looks] == ["sale", "sale"]


# What is refused


@pytest.mark.parametrize(
    ("total", "sentence"),
    [
        ("", "Enter the sum of the receipt."),
        ("0", "Enter the sum of the receipt: more than 0."),
        ("1,234.50", "single comma"),
        ("12.345", "at most 2 decimal places"),
        ("-5", "without a minus"),
        ("1e3", "without letters"),
        ("99999999999", "at most"),
    ],
)
def test_sum_is_refused_in_words_and_kept(desk, form_of, total, sentence):
    address, typed = form_of(total, "5", number="A-17")

    answer = desk.get(address, typed)

    page = Page(answer)
    assert answer.status_code == 422
    assert sentence in page.text
    assert re.search(r"<title>\s*Error:", answer.content.decode())
    assert {value for value in (total, "5", "A-17", typed["key"]) if value} <= set(page.values("value"))


def test_case_75_cap_is_taken_and_said(ada, desk, form_of):
    publish_edition(redemption_cap_rate="0.5")
    earn(ada, 10_000)
    address = whole(*form_of("10000.00", "10000"))

    text = Page(desk.get(address)).text
    assert "Asked for: 10,000\u00a0points. Taken: 5,000\u00a0points." in text
    assert "50%" in text

    desk.post(address, {"taken": "5000", "code": code_for(ada)})
    assert Order.objects.get().spent_points == 5_000


def test_case_77_minimum_is_named(ada, desk, form_of):
    publish_edition(redemption_minimum_points=500)
    earn(ada, 1_000)

    answer = desk.get(*form_of("10000.00", "400"))

    assert answer.status_code == 422
    assert "At least 500 points must be spent" in Page(answer).text


def test_case_81_not_enough_is_refused_before_a_code_is_asked_for(ada, desk, form_of):
    earn(ada, 200)

    answer = desk.get(*form_of("1000.00", "500"))

    assert answer.status_code == 422
    assert "There are not enough points: 200 points are available." in Page(answer).text


def test_case_83_the_server_counts_whatever_the_browser_sends(ada, desk, form_of):
    publish_edition(redemption_cap_rate="0.2")
    earn(ada, 1_000)
    address = whole(*form_of("1000.00", "150"))

    answer = desk.post(address, {"taken": "1000", "code": code_for(ada), "cap": "1"}, follow=True)

    assert not Order.objects.exists()
    assert "Look at the figures and confirm again" in Page(answer).text
    assert TillCode.objects.filter(ended_at=None).exists()


def test_points_that_became_fewer_are_shown_anew(ada, desk, form_of):
    earn(ada, 200)
    publish_edition()
    address = whole(*form_of("1000.00", "200"))
    publish_edition(redemption_cap_rate="0.1")

    answer = desk.post(address, {"taken": "200", "code": code_for(ada)}, follow=True)

    assert answer.redirect_chain == [(address, 302)] or "confirm again" in Page(answer).text
    assert "Taken: 100\u00a0points" in Page(answer).text
    assert not Order.objects.exists()


def test_blocked_account_is_said(ada, desk, form_of):
    earn(ada, 200)
    block_member(member=ada, at=NOON, actor_id=None, reason="Asked for it")

    page = Page(desk.get(f"/console/members/{ada.number}/sale/"))
    assert "The account is blocked: no points can be taken. The sale still earns." in page.text
    assert "to spend" not in page.text
    assert "points" not in page.values("name")
    # Whoever typed points before the account was blocked reads it in words for a colleague.
    answer = desk.get(*form_of("1000.00", "100"))
    assert answer.status_code == 422
    assert "The account is blocked" in Page(answer).text
    assert "write to" not in Page(answer).text
    assert desk.post(whole(*form_of("1000.00")), {"taken": "0"}).status_code == 302


def test_taken_receipt_number_is_said_at_its_field(desk, form_of):
    desk.post(whole(*form_of("100", number="A-17")), {"taken": "0"})

    answer = desk.post(whole(*form_of("200", number="A-17")), {"taken": "0"})

    assert answer.status_code == 422
    assert "A sale with the receipt number A-17 is registered already." in Page(answer).text
    assert Order.objects.count() == 1


def test_receipt_that_is_known_is_said_before_anybody_confirms(ada, ben, desk, form_of, paid, shop):
    outlet = Outlet.objects.create(source=shop, code="corner", name="На углу")
    paid(ben, 500, number="A-17", outlet=outlet)

    answer = desk.get(*form_of("200", number="a-17", outlet=outlet.pk))

    assert answer.status_code == 422
    assert "The order A-17 is here already, from “Полдень”" in Page(answer).text


def test_the_first_thing_to_type_has_the_focus(ada, desk, form_of):
    earn(ada, 500)

    def focused(response) -> list[str]:
        return [
            values["name"] for tag, values in Page(response).tags if tag == "input" and "autofocus" in values
        ]

    assert focused(desk.get(f"/console/members/{ada.number}/sale/")) == ["total"]
    assert focused(desk.get(*form_of("1000", "200"))) == ["code"]
    assert focused(desk.post(whole(*form_of("1000", "200")), {"taken": "200", "code": ""})) == []


# The code


def test_wrong_code_is_said_and_everything_is_kept(ada, desk, form_of):
    earn(ada, 500)
    address, code = whole(*form_of("1000", "200")), code_for(ada)

    for tries in (4, 3):
        answer = desk.post(address, {"taken": "200", "code": another(code)})
        assert answer.status_code == 422
        assert f"It can be entered {tries} more times." in Page(answer).text
    assert "800\u00a0₽" in Page(answer).text
    assert TillCode.objects.get().wrong_tries == 2

    assert desk.post(address, {"taken": "200", "code": f"{code[:3]} {code[3:]}"}).status_code == 302


def test_code_that_is_over_is_said(ada, desk, form_of, noon):
    earn(ada, 500)
    address, code = whole(*form_of("1000", "200")), code_for(ada)
    noon.shift(121)

    answer = desk.post(address, {"taken": "200", "code": code})

    assert answer.status_code == 422
    assert "No code of this member holds now." in Page(answer).text


@pytest.mark.parametrize("code", ["", "12345", "abcdef"])
def test_code_that_is_none_is_no_try(ada, desk, form_of, code):
    earn(ada, 500)
    code_for(ada)

    answer = desk.post(whole(*form_of("1000", "200")), {"taken": "200", "code": code})

    assert answer.status_code == 422
    assert TillCode.objects.get().wrong_tries == 0


# Once


def test_sent_twice_it_is_one_sale(ada, desk, form_of):
    earn(ada, 300)
    address, confirmed = whole(*form_of("1000", "200")), {"taken": "200", "code": code_for(ada)}

    first, second = desk.post(address, confirmed), desk.post(address, confirmed)

    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_back_leads_to_the_sale_that_was_registered(desk, form_of):
    address, typed = form_of("1000")
    done = desk.post(whole(address, typed), {"taken": "0"})["Location"]

    back = desk.get(address, typed, follow=True)
    assert back.redirect_chain[-1][0] == done
    assert "This sale is registered already." in Page(back).text

    changed = desk.post(whole(address, {**typed, "total": "2000"}), {"taken": "0"}, follow=True)
    assert changed.redirect_chain[-1][0] == done
    assert "with other figures" in Page(changed).text
    assert Order.objects.count() == 1


@pytest.mark.parametrize("key", ["", "&key=", "&key=abc"])
def test_lost_key_is_no_second_sale(ada, desk, key):
    check = desk.get(f"/console/members/{ada.number}/sale/check/?total=100{key}")
    (action,) = [value for value in Page(check).values("action") if "/sale/check/" in value]

    desk.post(action, {"taken": "0"})
    desk.post(action, {"taken": "0"})

    assert Order.objects.count() == 1


# Outlets


def test_outlet_is_chosen_and_remembered(ada, shop, desk, form_of):
    Outlet.objects.create(source=shop, code="closed", name="Закрытая", closed_at=NOON)
    corner = Outlet.objects.create(source=shop, code="corner", name="На углу")

    form = Page(desk.get(f"/console/members/{ada.number}/sale/"))
    assert "На углу" in form.text
    assert "Закрытая" not in form.text
    missing = desk.get(*form_of("100"))
    assert missing.status_code == 422
    assert "Choose the outlet where it was bought." in Page(missing).text

    address = whole(*form_of("100", outlet=str(corner.pk)))
    assert "На углу" in Page(desk.get(address)).text
    desk.post(address, {"taken": "0"})
    assert Order.objects.get().outlet == corner
    form = Page(desk.get(f"/console/members/{ada.number}/sale/"))
    assert ("option", {"value": str(corner.pk), "selected": ""}) in form.tags
