"""After a transfer: its sender takes it back, or says that it was somebody else."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.models import AuditRecord
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.models import PointsAccount
from loyalty.services.blocking import freeze_token
from loyalty.services.transfers import reverse_transfer
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.points import Balance, balance, spend
from tests.loyalty.transfer_pages.steps import ask, opened, title_of, transfer
from tests.pages import Page

SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def made(ada, ben, tab):
    """300 of Ada's points that Ben has got."""
    return transfer(tab, ben, 300)


@pytest.fixture
def receipt(made) -> str:
    return f"/transfer/done/{made.number}/"


def blocked(member) -> bool:
    return PointsAccount.objects.get(pk=member.pk).is_blocked


# Taken back


def test_the_sender_takes_the_points_back(ada, ben, tab, browser_of, receipt):
    page = opened(tab, f"{receipt}take-back/")
    assert f"Come back to you 300{SPACE}points" in page.text
    assert f"Take 300{SPACE}points back" in page.text
    assert balance(ben) == Balance(300)

    response = tab.post(f"{receipt}take-back/")

    assert response["Location"] == receipt
    assert (balance(ada), balance(ben)) == (Balance(2_000), Balance())
    mine = opened(tab, receipt)
    assert "You took the points back on 10 March 2026, 12:00." in mine.text
    assert "They are yours again, with the last days they had." in mine.text
    assert f"{receipt}take-back/" not in mine.hrefs()
    theirs = opened(browser_of(ben), receipt)
    assert "Ада И. took the points back on 10 March 2026, 12:00." in theirs.text


def test_taken_back_twice_they_come_once(ada, ben, tab, receipt):
    for _ in range(3):
        assert tab.post(f"{receipt}take-back/")["Location"] == receipt
    assert tab.get(f"{receipt}take-back/")["Location"] == receipt

    assert (balance(ada), balance(ben)) == (Balance(2_000), Balance())


def test_points_that_were_used_cannot_be_taken_back(ada, ben, tab, receipt):
    spend(ben, 1)

    response = tab.post(f"{receipt}take-back/")

    assert response.status_code == 422
    assert title_of(response).startswith("Error: ")
    page = Page(response)
    assert "This cannot be undone" in page.text
    assert any("autofocus" in tag for _, tag in page.tags if tag.get("role") == "alert")
    assert balance(ada) == Balance(1_700)


def test_after_its_time_the_points_stay(ada, ben, tab, receipt, noon):
    noon.move_to(TOMORROW_NOON)

    assert f"{receipt}take-back/" not in opened(tab, receipt).hrefs()
    assert tab.get(f"{receipt}take-back/")["Location"] == receipt
    response = tab.post(f"{receipt}take-back/")
    assert response.status_code == 422
    assert "The time in which these points could be taken back is over." in Page(response).text
    assert balance(ben, at=TOMORROW_NOON) == Balance(300)


def test_a_transfer_that_staff_reversed_says_why(ada, ben, tab, browser_of, stan, made, receipt):
    reverse_transfer(transfer=made, reason="It was a mistake", at=NOON, actor_id=stan.pk)

    for client in (tab, browser_of(ben)):
        text = opened(client, receipt).text
        assert "The programme reversed this transfer on 10 March 2026, 12:00." in text
        assert "Reason: It was a mistake" in text
    assert tab.post(f"{receipt}take-back/")["Location"] == receipt


# It was not me


def letters() -> dict[str, str]:
    """The letters that were sent, by whom they went to."""
    send_waiting_letters(at=NOON)
    return {letter.to[0]: f"{letter.subject}\n{letter.body}" for letter in mail.outbox}


def test_the_letters_tell_both_and_lead_to_the_receipt(ada, ben, receipt):
    sent = letters()

    assert set(sent) == {ada.email, ben.email}
    assert all(f"http://localhost:8000{receipt}" in letter for letter in sent.values())
    assert "/transfer/not-me/" in sent[ada.email]
    assert "/transfer/not-me/" not in sent[ben.email]
    assert "Смирнов" not in sent[ada.email]
    assert ben.email not in sent[ada.email]
    assert not any("<" in letter for letter in sent.values())


def test_the_letter_s_link_blocks_the_account_without_signing_in(ada, ben, tab, receipt):
    ada.language = "en"
    ada.save()
    (link,) = re.findall(r"http://localhost:8000(/transfer/not-me/\S+)", letters()[ada.email])
    stranger = Client()
    stranger.cookies["django_language"] = "en"

    page = opened(stranger, link)

    assert f"300{SPACE}points went from your account to Бен С., given by somebody" in page.text
    assert "It was not me: block my account" in page.text
    assert not blocked(ada)
    response = stranger.post(link)
    assert response["Location"] == link
    assert blocked(ada)
    assert not blocked(ben)
    after = opened(stranger, link)
    assert "Your account is blocked" in after.text
    assert "/accounts/password/reset/" in after.hrefs()
    assert ask(tab, ben, 1).status_code == 422
    assert stranger.post(link)["Location"] == link
    assert AuditRecord.objects.filter(action=AuditRecord.Action.ACCOUNT_BLOCKED).count() == 1


def test_a_bad_or_old_link_leads_to_a_page_that_says_what_to_do(ada, made, noon):
    token = freeze_token(made.number)
    stranger = Client()
    stranger.cookies["django_language"] = "en"
    noon.move_to(NOON + timedelta(days=31))
    for bad in (token, token[:-1], "nothing", made.number):
        for send in (stranger.get, stranger.post):
            response = send(f"/transfer/not-me/{bad}/")
            assert response.status_code == 200
            assert "This link no longer works" in Page(response).text

    assert not blocked(ada)
