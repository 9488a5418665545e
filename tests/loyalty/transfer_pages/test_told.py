"""What both sides are told: in the cabinet, and in a letter of plain text."""

import pytest
from django.core import mail

from accounts.models import Message
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.services.transfers import reverse_transfer
from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn
from tests.loyalty.transfer_pages.steps import opened, transfer

SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture(autouse=True)
def english_letters(ada, ben):
    """Both are written to in English."""
    for member in (ada, ben):
        member.language = "en"
        member.save()


def letters() -> dict[str, str]:
    """The new letters, subject and text, by whom they went to."""
    mail.outbox.clear()
    send_waiting_letters(at=NOON)
    return {letter.to[0]: f"{letter.subject}\n{letter.body}" for letter in mail.outbox}


def test_letters_and_messages_say_the_same(ada, ben, tab, browser_of):
    made = transfer(tab, ben, 1_500)
    sent = letters()

    assert sent[ada.email].startswith(
        f"You gave 1,500{SPACE}points to Бен С.\n"
        f"You gave Бен С. 1,500{SPACE}points. The number of the transfer is {made.number}. "
        f"Your balance now: 500{SPACE}points. "
        "You can take the points back until 11 March 2026, 12:00, as long as the recipient still has them.\n"
    )
    assert sent[ben.email].startswith(
        f"Ада И. gave you 1,500{SPACE}points\n"
        f"Ада И. gave you 1,500{SPACE}points. You can spend them now. "
        f"The number of the transfer is {made.number}. "
        "The first of them can be spent until 1 January 2027: "
    )
    mine, theirs = opened(tab, "/messages/"), opened(browser_of(ben), "/messages/")
    assert f"You gave 1,500{SPACE}points to Бен С." in mine.text
    assert f"Your balance after it: 500{SPACE}points." in mine.text
    assert any("/transfer/not-me/" in href for href in mine.hrefs())
    assert f"Ада И. gave you 1,500{SPACE}points" in theirs.text
    assert "The first of them can be spent until 1 January 2027" in theirs.text
    assert not any("/transfer/not-me/" in href for href in theirs.hrefs())


def test_where_nothing_is_limited_nothing_is_said(ada, ben, browser_of):
    publish_edition(transfer_cooling_hours=0)
    earn(ada, 5, until=None)
    tab = browser_of(ada)
    transfer(tab, ben, 5)
    sent = letters()

    for text in (*sent.values(), opened(tab, "/messages/").text, opened(browser_of(ben), "/messages/").text):
        assert "back until" not in text
        assert "The first of them" not in text
        assert "None" not in text


def test_points_taken_back_are_told_to_both(ada, ben, tab, browser_of):
    made = transfer(tab, ben, 10)
    tab.post(f"/transfer/done/{made.number}/take-back/")
    sent = letters()

    mine, theirs = opened(tab, "/messages/").text, opened(browser_of(ben), "/messages/").text
    for text in (mine, sent[ada.email]):
        assert f"You took back the 10{SPACE}points that you had given to Бен С. with" in text
    for text in (theirs, sent[ben.email]):
        assert f"Ада И. took back the 10{SPACE}points of the transfer {made.number}." in text
    assert f"10{SPACE}points are back from Бен С." in mine
    assert f"Ада И. took 10{SPACE}points back" in theirs


def test_a_transfer_that_staff_reversed_is_told_with_its_reason(ada, ben, tab, browser_of, stan):
    made = transfer(tab, ben, 10)
    reverse_transfer(transfer=made, reason="A mistake", at=NOON, actor_id=stan.pk)
    sent = letters()

    for member, client in ((ada, tab), (ben, browser_of(ben))):
        for text in (sent[member.email], opened(client, "/messages/").text):
            assert f"The programme reversed the transfer {made.number}" in text
            assert "The reason: A mistake" in text
    assert sent[ben.email].startswith(f"10{SPACE}points went back to Ада И.\n")
    assert f"Ада И. has its 10{SPACE}points again." in sent[ben.email]


def test_no_letter_has_markup_in_it(ada, ben, tab):
    made = transfer(tab, ben, 10)
    tab.post(f"/transfer/done/{made.number}/take-back/")
    letters()

    assert Message.objects.count() == len(mail.outbox) == 4
    for letter in mail.outbox:
        assert "<" not in letter.body
        assert "&" not in letter.body
        assert "\n\n\n" not in letter.body
        assert "\n " not in letter.body
        assert ".." not in letter.body
        assert f"http://localhost:8000/transfer/done/{made.number}/" in letter.body
