"""Nothing of a person but a first name and an initial, and nothing to anybody whom it does not concern."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.numbers import new_member_number
from loyalty.models import Transfer, TransferIntent
from tests.clock import NOON
from tests.loyalty.points import Balance, balance, earn
from tests.loyalty.transfer_pages.steps import FORM, check_address, confirm, transfer
from tests.pages import Page

PHONE = "+79161234567"


@pytest.fixture
def secrets_of_ben(ben) -> list[str]:
    """What of him nobody else may read."""
    ben.phone, ben.phone_verified_at = PHONE, NOON
    ben.save()
    return [
        "Смирнов",
        ben.email,
        PHONE,
        "123-45-67",
        ben.number,
        " ".join(ben.number[i : i + 4] for i in (0, 4, 8)),
    ]


@pytest.mark.parametrize("named_by", ["number", "email", "phone"])
def test_nothing_of_the_recipient_but_the_masked_name_is_shown(ada, ben, tab, secrets_of_ben, named_by):
    check = check_address(tab, str(getattr(ben, named_by)), 100)
    pages = [tab.get(check), confirm(tab, check, password="wrong")]
    tab.post(f"{check}code/")
    pages += [tab.get(check)]
    confirm(tab, check, password="wrong")
    receipt = tab.post(check, {"password": "a long pass phrase"})["Location"]
    made = Transfer.objects.get()
    pages += [tab.get(receipt), tab.get(f"{receipt}take-back/")]
    tab.post(f"{receipt}take-back/")
    pages += [
        tab.get(receipt),
        tab.get("/operations/"),
        tab.get(f"/operations/{made.posting_id}/"),
        tab.get("/operations/operations.csv"),
        tab.get("/messages/"),
        tab.get("/"),
    ]

    for response in pages:
        content = b"".join(response) if response.streaming else response.content
        for secret in secrets_of_ben:
            assert secret not in content.decode("utf-8-sig"), response.request["PATH_INFO"]
    assert "Бен С." in Page(pages[0]).text


def test_what_was_typed_is_in_no_address_and_in_no_table_of_ours(ada, ben, tab, secrets_of_ben):
    response = tab.post(FORM, {"recipient": ben.email, "points": "100"})
    for secret in secrets_of_ben:
        assert secret not in response["Location"]
        for stored in TransferIntent.objects.values_list():
            assert secret not in str(stored)
    assert tab.session["transfer_recipients"] == {response["Location"].split("/")[-2]: ben.email}

    confirm(tab, response["Location"])

    assert tab.session["transfer_recipients"] == {}


def test_somebody_elses_pages_are_not_found(ada, ben, tab, browser_of, stan):
    eve = browser_of(stan)
    check = check_address(tab, ben, 100)
    made = transfer(tab, ben, 50)
    theirs = browser_of(ben)
    for client in (eve, theirs):
        assert client.get(check).status_code == 404
        assert confirm(client, check).status_code == 404
        assert client.post(f"{check}code/").status_code == 404
    receipt = f"/transfer/done/{made.number}/"
    assert eve.get(receipt).status_code == 404
    assert theirs.get(receipt).status_code == 200
    for client in (eve, theirs):
        assert client.get(f"{receipt}take-back/").status_code == 404
        assert client.post(f"{receipt}take-back/").status_code == 404

    assert (balance(ada), balance(ben)) == (Balance(1_950), Balance(50))


@pytest.mark.parametrize(
    "address",
    [
        FORM,
        "/transfer/check/",
        "/transfer/check/00000000-0000-4000-8000-000000000000/",
        "/transfer/done/1234567890/",
        "/transfer/done/1234567890/take-back/",
    ],
)
def test_who_is_not_signed_in_is_led_to_the_door_and_back(db, address):
    response = Client().get(address)

    assert response["Location"] == f"/accounts/login/?next={address}"


def test_pages_are_kept_by_no_cache(ada, ben, tab):
    check = check_address(tab, ben, 100)
    for address in (FORM, check, confirm(tab, check)["Location"], "/transfer/not-me/nothing/"):
        assert "no-store" in tab.get(address)["Cache-Control"]
    assert "no-store" in Client().get("/transfer/not-me/nothing/")["Cache-Control"]


def test_forms_need_their_token(ada, ben, tab, client_of):
    check = check_address(tab, ben, 100)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada.user)

    assert strict.post(FORM, {"recipient": ben.number, "points": "1"}).status_code == 403
    assert strict.post(check, {"password": "a long pass phrase"}).status_code == 403
    assert balance(ben) == Balance()


def test_a_name_with_markup_is_text(ada, ben, tab, browser_of):
    ben.first_name = "<b>Бен</b>"
    ben.save()
    ada.first_name = "<img>"
    ada.save()
    check = check_address(tab, ben, 100)
    receipt = confirm(tab, check)["Location"]
    tab.post(f"{receipt}take-back/")

    for client, address in [
        (tab, check),
        (tab, receipt),
        (tab, "/messages/"),
        (browser_of(ben), "/messages/"),
    ]:
        content = client.get(address, follow=True).content.decode()
        assert "<b>Бен" not in content, address
        assert "<img>" not in content, address


def test_guesses_from_fifty_addresses_get_twenty_answers(ada, ben, tab, browser_of):
    answers, refusals = [], []
    for host in range(50):
        client = browser_of(ada) if host % 2 else tab
        for named in (ben.number, new_member_number()):
            response = client.post(
                FORM, {"recipient": named, "points": "1"}, REMOTE_ADDR=f"203.0.113.{host + 1}"
            )
            (refusals if response.status_code == 429 else answers).append(response.status_code)

    assert answers == [302, 422] * 10
    assert len(refusals) == 80


def test_a_long_history_takes_no_more_queries(ada, ben, tab):
    earn(ben, 10)

    def asked(address: str) -> int:
        tab.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert tab.get(address).status_code == 200
        return len(captured)

    made = transfer(tab, ben, 5)
    addresses = [FORM, check_address(tab, ben, 7), f"/transfer/done/{made.number}/", "/operations/", "/"]
    before = [asked(address) for address in addresses]

    for turn in range(16):
        transfer(tab, ben, 1 + turn % 3)

    assert [asked(address) for address in addresses] == before
    assert max(before) <= 11, before
