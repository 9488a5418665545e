"""Corrections of a balance, page by page: the form, the check, what waits for a second person."""

import re
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts import services as accounts_services
from accounts.models import AuditRecord, Message
from accounts.roles import Role
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.models import Posting
from loyalty.services import ledger
from supervisor.models import Approval
from supervisor.services.approvals import decide
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import balance, earn, new_key
from tests.pages import Page
from tests.supervisor.given import in_english

WORDS = "The parcel came\ntwo weeks late"


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(autouse=True)
def limits(settings):
    """Small limits, easy to count with."""
    settings.STAFF_ADJUSTMENT_POINTS = 100
    settings.STAFF_ADJUSTMENT_DAY_POINTS = 250


@pytest.fixture
def desk(stan, client_of) -> Client:
    """The browser of somebody of the staff, in English."""
    return in_english(client_of(stan))


@pytest.fixture
def address(ada) -> str:
    """Where Ada's balance is corrected."""
    return f"/console/members/{ada.number}/adjust/"


def typed(points: str = "50", direction: str = "give", **more: str) -> dict[str, str]:
    """What is typed into the form."""
    return {
        "key": str(uuid4()),
        "direction": direction,
        "points": points,
        "cause": "complaint",
        "text": WORDS,
        **more,
    }


def confirmed(**more: str) -> dict[str, str]:
    return {**typed(**more), "confirm": "yes"}


# Who may


def test_corrections_are_for_staff_and_supervisors_and_never_their_own(
    ada, ben, stan, sue, client_of, client, address
):
    assert client_of(stan).get(address).status_code == 200
    assert client_of(sue).get(address).status_code == 200
    assert client_of(ben).get(address).status_code == 403
    assert client_of(ben).post(address, confirmed()).status_code == 403
    assert client.post(address, confirmed()).status_code == 302
    accounts_services.assign_role(user=ada.user, role=Role.SUPERVISOR)
    assert client_of(ada).get(address).status_code == 403
    assert client_of(ada).post(address, confirmed()).status_code == 403
    assert balance(ada).available == 0


def test_unknown_number_and_sandbox_are_not_found(desk):
    for number in ("200000000000", MemberFactory(is_sandbox=True).number):
        assert desk.get(f"/console/members/{number}/adjust/").status_code == 404
        assert desk.post(f"/console/members/{number}/adjust/", confirmed()).status_code == 404


# The whole way


def test_points_are_given_after_the_page_that_asks(ada, stan, desk, address):
    earn(ada, 20)

    check = Page(desk.post(address, typed()))
    assert "Give 50\u00a0points?" in check.text
    assert "20\u00a0points" in check.text
    assert "70\u00a0points" in check.text
    assert "A complaint" in check.text
    assert "two weeks late" in check.text
    assert balance(ada).available == 20

    done = desk.post(address, confirmed())
    assert done["Location"] == f"/console/members/{ada.number}/"
    assert balance(ada).available == 70
    posting = Posting.objects.get(kind="adjust")
    assert posting.actor_id == stan.pk
    assert posting.explanation["text"].splitlines() == WORDS.splitlines()
    assert "Given: 50\u00a0points." in Page(desk.get(done["Location"])).text


def test_points_are_taken_away(ada, desk, address):
    earn(ada, 80)

    assert "Take 50\u00a0points away?" in Page(desk.post(address, typed(direction="take"))).text
    desk.post(address, confirmed(direction="take"))

    assert balance(ada).available == 30


def test_what_was_checked_is_sent_again_as_it_was_typed(desk, address):
    sent = typed(points="1 00")

    page = Page(desk.post(address, sent))

    hidden = {tag["name"]: tag["value"] for name, tag in page.tags if tag.get("type") == "hidden"}
    assert {name: hidden[name] for name in sent} == {**sent, "points": "100"}


def test_change_shows_the_form_filled_in(desk, address):
    answer = desk.post(address, {**typed(points="77"), "change": "yes"})

    page = Page(answer)
    assert answer.status_code == 200
    assert "77" in page.values("value")
    assert WORDS in answer.content.decode()
    assert ("option", {"value": "complaint", "selected": ""}) in page.tags


def test_debt_is_settled_first_and_said(ada, desk, address):
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-30, at=NOON, may_owe=True)

    assert "The member owes 30\u00a0points." in Page(desk.get(address)).text
    check = Page(desk.post(address, typed())).text

    assert "Owed now 30\u00a0points" in check
    assert "Available afterwards 20\u00a0points" in check


# What is refused


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"points": ""}, "Enter how many points."),
        ({"points": "0"}, "Enter 1 point or more."),
        ({"points": "-5"}, "without a minus"),
        ({"points": "1.5"}, "whole points"),
        ({"direction": ""}, "Choose whether points are given or taken."),
        ({"direction": "sell"}, "Choose whether points are given or taken."),
        ({"cause": ""}, "Choose the cause."),
        ({"cause": "bribe"}, "Choose the cause."),
        ({"text": " "}, "Say in words why"),
        ({"text": "x" * 501}, "500 characters at most"),
        ({"points": "30", "direction": "take"}, "20 points are available."),
    ],
)
@pytest.mark.parametrize("step", [{}, {"confirm": "yes"}])
def test_what_is_wrong_is_said_and_the_rest_is_kept(ada, desk, address, wrong, sentence, step):
    earn(ada, 20)
    sent = {**typed(), **wrong, **step}

    answer = desk.post(address, sent)

    page = Page(answer)
    assert answer.status_code == 422
    assert sentence in page.text
    assert re.search(r"<title>\s*Error:", answer.content.decode())
    assert sent["key"] in page.values("value")
    assert balance(ada).available == 20
    assert not Approval.objects.exists()


# Once


def test_sent_twice_it_is_one_correction(ada, desk, address):
    sent = confirmed()

    first, second = desk.post(address, sent), desk.post(address, sent)

    assert first["Location"] == second["Location"]
    assert balance(ada).available == 50


def test_taking_everything_twice_is_no_error(ada, desk, address):
    earn(ada, 50)
    sent = confirmed(direction="take")

    assert [desk.post(address, sent).status_code for _time in range(2)] == [302, 302]
    assert balance(ada).available == 0


# A second person


def test_beyond_the_limit_a_supervisor_is_asked(ada, stan, sue, desk, address):
    check = Page(desk.post(address, typed(points="150"))).text
    assert "Alone you can correct by 100\u00a0points at once" in check
    assert "Сью Орлова" in check

    asked = desk.post(address, confirmed(points="150"))
    approval = Approval.objects.get()
    assert asked["Location"] == f"{address}{approval.pk}/"
    page = Page(desk.get(asked["Location"])).text
    assert "The correction waits for a supervisor" in page
    assert "Сью Орлова" in page
    assert balance(ada).available == 0

    decide(approval=approval, is_approved=True, reason="", at=NOON, by=sue)
    assert "The correction is approved and made" in Page(desk.get(asked["Location"])).text
    assert balance(ada).available == 150


def test_beyond_the_day_a_supervisor_is_asked(ada, desk, address):
    for points in ("100", "100"):
        desk.post(address, confirmed(points=points))

    assert "Left of it today 50\u00a0points" in Page(desk.get(address)).text
    check = Page(desk.post(address, typed(points="60"))).text

    assert "Left of what you can correct alone today: 50\u00a0points." in check


def test_without_another_supervisor_it_says_so(ada, desk, address):
    assert "nobody else who can decide" in Page(desk.post(address, typed(points="150"))).text


def test_what_was_asked_for_can_be_withdrawn_by_who_asked_only(ada, ben, sue, desk, client_of, address):
    asked = desk.post(address, confirmed(points="150"))["Location"]

    assert client_of(sue).get(asked).status_code == 404
    assert client_of(sue).post(asked).status_code == 404
    assert desk.get(asked.replace(ada.number, ben.number)).status_code == 404

    assert desk.post(asked)["Location"] == asked
    assert "You have withdrawn the correction" in Page(desk.get(asked)).text
    assert Approval.objects.get().decision == "withdrawn"
    again = Page(desk.post(asked, follow=True)).text
    assert "decided or withdrawn already" in again


def test_why_it_was_declined_can_be_read(sue, desk, address):
    asked = desk.post(address, confirmed(points="150"))["Location"]
    decide(approval=Approval.objects.get(), is_approved=False, reason="Too much", at=NOON, by=sue)

    text = Page(desk.get(asked)).text

    assert "The correction is declined" in text
    assert "Too much" in text


# What the member reads


def test_member_reads_why_on_the_operation_and_in_the_message(ada, desk, client_of, address):
    desk.post(address, confirmed())
    posting = Posting.objects.get(kind="adjust")
    cabinet = in_english(client_of(ada))

    operation = Page(cabinet.get(f"/operations/{posting.pk}/")).text
    assert "Correction by the programme" in operation
    assert "Cause A complaint" in operation
    assert "two weeks late" in operation
    assert "A complaint: The parcel came" in Page(cabinet.get("/operations/")).text
    told = Page(cabinet.get("/messages/"))
    assert "50\u00a0points given to you" in told.text
    assert "two weeks late" in told.text
    assert f"/operations/{posting.pk}/" in told.hrefs()


@pytest.mark.parametrize(("direction", "subject"), [("give", "given to you"), ("take", "taken away")])
def test_member_gets_a_letter(ada, desk, address, direction, subject):
    ada.language = "en"
    ada.save()
    earn(ada, 80)
    desk.post(address, confirmed(direction=direction))

    send_waiting_letters(at=NOON)

    (letter,) = mail.outbox
    assert letter.subject == f"50\u00a0points {subject}"
    assert "A complaint" in letter.body
    assert "two weeks late" in letter.body
    assert "None" not in letter.body
    assert Message.objects.get(member=ada).kind == "points_adjusted"


def test_every_look_is_noted(ada, stan, desk, address):
    desk.get(address)
    desk.post(address, typed())

    looks = AuditRecord.objects.filter(action="looked_at", member=ada, actor_id=stan.pk)
    assert [look.facts["page"] for look in looks] == ["adjustment", "adjustment"]
