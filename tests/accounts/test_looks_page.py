"""Members see who looked at their account, and what was done to it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord
from accounts.roles import Role
from accounts.services.audit import record
from accounts.services.members import remove_role
from loyalty.services.blocking import block_member
from supervisor.services.looks import note_look
from tests.clock import NOON
from tests.pages import Page
from tests.supervisor.given import in_english

LOOKS = "/looks/"
Action = AuditRecord.Action


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def cabinet(ada, client_of):
    return in_english(client_of(ada))


def read(client, address=LOOKS) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response).text


def test_nobody_has_looked_yet(cabinet):
    assert "Nobody has looked yet" in read(cabinet)


def test_the_profile_leads_there(cabinet):
    assert LOOKS in Page(cabinet.get("/profile/")).hrefs()


def test_a_look_names_the_colleague_by_first_name_and_role_and_says_what_was_opened(cabinet, ada, stan, sue):
    note_look(members=[ada], page="member", at=NOON - timedelta(days=1), actor=sue)
    note_look(members=[ada], page="orders", at=NOON, actor=stan)
    text = read(cabinet)
    assert "Your orders were opened Стан, staff" in text
    assert "Your card was opened: balance, tier, last orders and operations Сью, supervisor" in text
    assert text.index("Today") < text.index("Стан") < text.index("Yesterday") < text.index("Сью")
    assert "Козлов" not in text
    assert stan.email not in text


def shown_pages() -> set[str]:
    """What the console calls its pages when it notes that a member was shown on one."""
    sources = (Path(__file__).parents[2] / "supervisor" / "views").rglob("*.py")
    return {name for source in sources for name in re.findall(r'\bpage="(\w+)"', source.read_text())}


def test_every_page_of_the_console_that_shows_a_member_has_words(cabinet, ada, stan):
    assert {"member", "sale", "transfer"} <= shown_pages()
    for name in shown_pages():
        note_look(members=[ada], page=name, at=NOON, actor=stan)
    text = read(cabinet)
    assert text.count("Стан, staff") == len(shown_pages())
    # What has no words of its own is told all the same, but says too little.
    assert "Your account was looked at Стан" not in text


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action.CONTACTS_SHOWN, "Your whole e-mail and phone were shown"),
        (Action.SALE_REGISTERED, "A sale to you was registered"),
        (Action.POINTS_ADJUSTED, "Your balance was corrected"),
        (Action.TIER_SET, "Your tier was set by hand"),
        (Action.ACCOUNT_UNBLOCKED, "Your account was unblocked"),
        (Action.TRANSFER_REVERSED, "A transfer of yours was reversed"),
        (Action.INVITER_ATTACHED, "It was noted who invited you"),
        (Action.REFERRAL_DECIDED, "An invitation of yours was decided about"),
    ],
)
def test_what_a_colleague_did_is_told(cabinet, ada, stan, action, words):
    record(action=action, member=ada, at=NOON, actor=stan, reason="Между нами")
    text = read(cabinet)
    assert f"{words} Стан, staff" in text
    assert "Между нами" not in text


def test_what_a_colleague_did_stays_when_they_are_one_no_more(cabinet, ada, stan):
    block_member(member=ada, at=NOON, actor_id=stan.pk, reason="Asked for it")
    remove_role(user=stan, role=Role.STAFF)
    assert "Your account was blocked Стан, staff" in read(cabinet)


def test_what_members_did_themselves_and_what_others_were_shown_is_not_here(cabinet, ada, ben, stan):
    block_member(member=ada, at=NOON, actor_id=ada.user_id, reason="It was not me")
    record(action=Action.TRANSFER_REVERSED, member=ada, at=NOON, actor=ben.user_id)
    record(action=Action.RECIPIENT_ASKED, member=ada, at=NOON, actor=stan.pk)
    note_look(members=[ben], page="member", at=NOON, actor=stan)
    assert "Nobody has looked yet" in read(cabinet)


def test_the_list_goes_on_by_cursors_and_asks_as_much_for_many_as_for_one(cabinet, ada, stan, sue):
    note_look(members=[ada], page="member", at=NOON, actor=stan)
    cabinet.get(LOOKS)
    with CaptureQueriesContext(connection) as with_one:
        cabinet.get(LOOKS)
    for number in range(30):
        at = NOON + timedelta(hours=number)
        note_look(members=[ada], page="orders", at=at, actor=(stan, sue)[number % 2])
    with CaptureQueriesContext(connection) as with_many:
        first = Page(cabinet.get(LOOKS))
    assert len(with_one) == len(with_many)
    assert first.text.count("Your orders were opened") == 25
    [older] = first.hrefs(rel="next")
    second = Page(cabinet.get(LOOKS + older))
    assert second.text.count("Your orders were opened") == 5
    assert second.text.count("Your card was opened") == 1
    [newer] = second.hrefs(rel="prev")
    assert Page(cabinet.get(LOOKS + newer)).text == first.text


def test_looks_of_one_colleague_at_one_page_stand_together(cabinet, ada, stan, sue):
    for minutes, page, actor in (
        (0, "sale", stan),
        (5, "sale", stan),
        (6, "sale", sue),
        (6.5, "sale", sue),
        (7, "member", stan),
        (14, "sale", stan),
        (15, "sale", stan),
    ):
        note_look(members=[ada], page=page, at=NOON + timedelta(minutes=minutes), actor=actor)
    for minutes in (14, 15):
        at = NOON + timedelta(minutes=minutes)
        record(action=Action.SALE_REGISTERED, member=ada, at=at, actor=stan)

    text = read(cabinet)

    sale = "Your account was looked at, at the till, for a sale Стан, staff"
    assert f"{sale} 12:05–12:15" in text
    assert f"{sale} 12:00" in text
    assert text.count(sale) == 2
    assert text.count("for a sale Сью, supervisor 12:06 ") == 1
    assert text.count("A sale to you was registered") == 2
    assert AuditRecord.objects.filter(action=Action.LOOKED_AT).count() == 7


def test_a_place_beyond_the_list_leads_to_its_beginning(cabinet):
    assert cabinet.get(f"{LOOKS}?before=1").headers["Location"] == LOOKS


def test_whoever_is_no_member_has_no_such_page(stan, client_of):
    assert client_of(stan).get(LOOKS).status_code == 404
    assert Client().get(LOOKS).headers["Location"].startswith("/accounts/login/")
