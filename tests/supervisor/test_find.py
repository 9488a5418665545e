"""The look-up: who may search, what they are answered, and what is written down of it."""

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord, Member
from orders.models import Customer, Source
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.pages import Page
from tests.supervisor.given import in_english

FIND = "/console/find/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def desk(stan, client_of) -> Client:
    """The browser of somebody of the staff, in English."""
    return in_english(client_of(stan))


@pytest.fixture
def julia(db) -> Member:
    return MemberFactory(
        first_name="Юлия", last_name="Щербакова", phone="+79161234567", email="julia@example.com"
    )


def search(client: Client, text: str, **more: object) -> HttpResponse:
    return client.post(FIND, {"text": text}, **more)


def card_of(member: Member) -> str:
    return f"/console/members/{member.number}/"


def searches() -> list[dict[str, object]]:
    return list(AuditRecord.objects.filter(action="searched").order_by("pk").values_list("facts", flat=True))


# Who may, and the page itself


def test_the_look_up_is_for_staff_and_supervisors_only(ada, sue, julia, desk, client_of):
    assert Client().get(FIND).headers["Location"] == f"/accounts/login/?next={FIND}"
    refused = in_english(client_of(ada)).get(FIND)
    assert refused.status_code == 403
    assert "This page is for staff." in Page(refused).text
    answer = search(client_of(ada), "щерб")
    assert answer.status_code == 403
    assert "Юлия" not in answer.content.decode()
    for client in (desk, client_of(sue)):
        assert client.get(FIND).status_code == 200
        assert "Юлия Щербакова" in search(client, "щерб").content.decode()


def test_who_was_signed_out_meanwhile_gets_the_whole_page(db):
    answer = search(Client(), "щерб", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (200, "true")


def test_the_page_opens_with_the_focus_in_its_one_field(desk):
    page = Page(desk.get(FIND))
    [field] = [values for tag, values in page.tags if tag == "input" and values.get("name") == "text"]
    assert "autofocus" in field
    [form] = [values for tag, values in page.tags if tag == "form" and values.get("role") == "search"]
    assert (form["method"], form["action"]) == ("post", FIND)


def test_an_address_searches_for_nobody(desk, julia):
    page = Page(desk.get(FIND, {"text": "щерб"}))
    assert "Щербакова" not in page.text
    assert searches() == []


# Answers


def test_hits_are_shown_with_masked_contacts_and_lead_to_the_card(desk, julia):
    answer = search(desk, "щерб")
    page = Page(answer)
    assert "1 member found. Looked for: a person’s name." in page.text
    assert "+7\u00a0···\u00a0···\u00a045-67" in page.text
    assert "j•••@example.com" in page.text
    assert card_of(julia) in page.hrefs()
    for secret in ("+79161234567", "123-45", "julia@"):
        assert secret not in answer.content.decode()


@pytest.mark.parametrize("text", ["8 916 123 45 67", "julia@example.com", "Щербакова Юлия"])
def test_enter_opens_the_card_of_the_only_one_who_is_meant(desk, julia, text):
    assert search(desk, text).headers["Location"] == card_of(julia)


@pytest.mark.parametrize("text", ["щербакова", "4567"])
def test_one_who_may_be_somebody_else_is_shown_first(desk, julia, text):
    answer = search(desk, text)
    assert answer.status_code == 200
    assert card_of(julia) in Page(answer).hrefs()


def test_two_of_one_name_are_both_shown(desk, julia):
    MemberFactory(first_name="Юлия", last_name="Щербакова")
    assert "2 members found" in Page(search(desk, "юлия щербакова")).text


def test_typing_is_answered_by_the_list_alone(desk, julia):
    answer = search(desk, "julia@example.com", headers=HTMX)
    page = Page(answer)
    assert answer.status_code == 200
    assert page.count("html") == 0
    assert card_of(julia) in page.hrefs()
    [status] = [values for _tag, values in page.tags if "data-hx-swap-oob" in values]
    assert status["data-hx-swap-oob"] == "innerHTML:#count"


@pytest.mark.parametrize(
    ("typed", "by"), [("777 123", "card of a shop"), ("A-42", "order number"), ("a-42", "order number")]
)
def test_cards_and_orders_of_shops_lead_to_the_member(desk, ada, shop, paid, typed, by):
    Customer.objects.create(source=shop, external_id="777123", member=ada)
    paid(ada, 1_000, number="A-42")
    assert search(desk, typed).headers["Location"] == card_of(ada)
    assert by in Page(search(desk, typed, headers=HTMX)).text


def test_what_belongs_to_the_sandbox_or_to_nobody_finds_nobody(desk, paid, shop):
    sandbox = Source.objects.create(code="trial", name="Trial", is_sandbox=True)
    somebody = MemberFactory(is_sandbox=True, first_name="Кукла")
    Customer.objects.create(source=sandbox, external_id="777123", member=somebody)
    paid(None, 1_000, number="A-43", customer_email="later@example.com")
    for text in ("777123", "A-43", "кукла", somebody.number):
        page = Page(search(desk, text))
        assert "Nobody found" in page.text, text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Абракадабра", "Type less of the name or spell it otherwise, or search by phone or e-mail."),
        (
            "9991112233",
            "Compare the digits: an order is found by its whole number. Or search by name or e-mail.",
        ),
        (
            "0000",
            "Compare the digits: an order is found by its whole number. Or search by name or e-mail.",
        ),
        ("nobody@example.com", "Compare it letter by letter, or search by phone or name."),
        ("2481 9073 6513", "changed places. Check it and try again."),
    ],
)
def test_who_is_not_found_is_looked_for_otherwise(desk, julia, text, advice):
    page = Page(search(desk, text))
    assert "Nobody found" in page.text
    assert advice in page.text


@pytest.mark.parametrize("text", ["ю", "юл", "1", "12"])
def test_too_little_is_not_looked_for(desk, julia, text):
    page = Page(search(desk, text))
    assert "Type at least 3 letters of a name or 4 digits." in page.text
    assert page.values("value")[-1] == text
    assert searches() == []


def test_nothing_typed_is_no_error(desk):
    assert search(desk, "  ").status_code == 200
    assert search(desk, "", headers=HTMX).status_code == 200
    assert searches() == []


def test_a_text_longer_than_any_name_is_refused_and_kept(desk):
    answer = search(desk, "щ" * 101)
    assert answer.status_code == 422
    assert "Error:" in Page(answer).text
    assert "Type 100 characters at most." in Page(answer).text
    assert "щ" * 101 in answer.content.decode()


def test_what_was_typed_is_no_markup(desk):
    for text in ("<script>alert(1)</script>", "'; drop table accounts_member; --", "\\%_\x00abc"):
        answer = search(desk, text)
        assert answer.status_code in (200, 422)
        assert "<script>alert" not in answer.content.decode()
    assert Member.objects.count() == 0


def test_more_than_twenty_ask_for_more(desk):
    MemberFactory.create_batch(21, first_name="Иван", last_name="Частый")
    page = Page(search(desk, "частый"))
    assert "More than 20 members. Type more to narrow it down." in page.text
    assert page.text.count("Иван Частый") == 20


# Oneself


def test_colleagues_find_themselves_and_are_not_led_to_their_card(stan, desk):
    own = MemberFactory(user=stan, first_name="Стан", last_name="Козлов", phone="+79161234567")
    answer = search(desk, "+79161234567")
    assert answer.status_code == 200
    page = Page(answer)
    assert "This is you" in page.text
    assert card_of(own) not in page.hrefs()


# What is written down


def test_every_search_is_written_down_without_what_was_typed(stan, desk, julia):
    search(desk, "щерб")
    search(desk, "nobody@example.com", headers=HTMX)
    assert searches() == [
        {"kinds": ["name"], "letters": 4, "found": 1},
        {"kinds": ["email"], "letters": 18, "found": 0},
    ]
    for record in AuditRecord.objects.filter(action="searched"):
        assert (record.member_id, record.actor_id, record.actor_role) == (None, stan.pk, "staff")
        assert record.happened_at == NOON


def test_sixty_searches_a_minute_are_enough(desk, sue, client_of, julia):
    for _number in range(60):
        assert search(desk, "щерб", headers=HTMX).status_code == 200
    for headers in ({}, HTMX):
        answer = search(desk, "щерб", headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
        assert "You have searched 60 times within a minute." in Page(answer).text
        assert "Щербакова" not in answer.content.decode()
    assert len(searches()) == 60
    # Each colleague is counted alone.
    assert search(client_of(sue), "щерб").status_code == 200


@pytest.mark.parametrize(
    ("limit", "method", "path", "seconds"),
    [
        ("staff_contacts", "POST", "/console/members/{number}/contacts/", 3_600),
        ("staff_card", "GET", "/console/members/{number}/", 3_600),
        ("staff_search", "POST", "/console/invitations/attach/", 60),
    ],
)
def test_what_shows_people_has_a_limit_of_each_colleague(
    desk, ada, sue, client_of, settings, limit, method, path, seconds
):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, limit: f"2/{seconds}s/user"}
    path = path.format(number=ada.number)
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(2):
            assert desk.generic(method, path).status_code != 429
        noted = AuditRecord.objects.count()

        answer = desk.generic(method, path)

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(seconds))
        moment = "13:00" if seconds == 3_600 else "12:01"
        assert f"10 March 2026, {moment}" in Page(answer).text
        assert AuditRecord.objects.count() == noted
        assert client_of(sue).generic(method, path).status_code != 429
        clock.shift(seconds)
        assert desk.generic(method, path).status_code != 429


def test_limits_are_those_of_a_till(settings):
    limits = settings.ACCOUNT_RATE_LIMITS
    assert (limits["staff_contacts"], limits["staff_card"]) == ("30/h/user", "120/h/user")


def test_many_hits_ask_as_much_as_one(desk):
    def ask(text: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert search(desk, text).status_code == 200
        return len(queries)

    MemberFactory(first_name="Один", last_name="", phone="+79161110000")
    MemberFactory(first_name="Уно", last_name="", phone="+79161110001")
    for number in range(20):
        MemberFactory(first_name="Много", last_name="", phone=f"+791622{number:02}0002")
    ask("0001")
    assert ask("0001") == ask("0002")
