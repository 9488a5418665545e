"""However often it is sent, from however many tabs: points move once, and the receipt is the same."""

import pytest

from accounts.models import Message
from loyalty.models import Transfer, TransferIntent
from tests.loyalty.points import Balance, balance, earn
from tests.loyalty.races import race
from tests.loyalty.transfer_pages.steps import (
    FORM,
    attributes_of,
    check_address,
    confirm,
    opened,
    transfer,
)


def test_sent_twice_and_refreshed_it_is_made_once(ada, ben, tab):
    check = check_address(tab, ben, 100)
    first = confirm(tab, check)

    for _ in range(3):
        again = confirm(tab, check)
        assert (again.status_code, again["Location"]) == (302, first["Location"])

    for _ in range(2):
        opened(tab, first["Location"])
    assert Transfer.objects.count() == 1
    assert (balance(ada), balance(ben)) == (Balance(1_900), Balance(100))
    assert Message.objects.count() == 2


def test_back_leads_to_the_receipt_and_submit_too(ada, ben, tab):
    check = check_address(tab, ben, 100)
    receipt = confirm(tab, check)["Location"]

    assert tab.get(check)["Location"] == receipt
    assert confirm(tab, check, password="wrong")["Location"] == receipt
    assert tab.post(f"{check}code/")["Location"] == check
    assert Transfer.objects.count() == 1


def test_the_form_sent_twice_leads_to_one_check_page(ada, ben, tab, browser_of):
    other_device = browser_of(ada)

    addresses = {
        check_address(client, recipient, 100)
        for client in (tab, other_device)
        for recipient in (ben.number, ben.email)
    }

    assert len(addresses) == 1
    assert confirm(tab, addresses.pop()).status_code == 302


def test_the_form_sent_anew_after_the_receipt_is_another_transfer(ada, ben, tab):
    first, second = transfer(tab, ben, 100), transfer(tab, ben, 100)

    assert first.number != second.number
    assert balance(ben) == Balance(200)


def test_once_given_the_form_is_empty_again(ada, ben, tab):
    check = check_address(tab, ben, 100)
    key = check.split("/")[-2]
    confirm(tab, check)

    page = opened(tab, f"{FORM}?change={key}")

    assert attributes_of(page, "recipient").get("value", "") == ""


@pytest.mark.django_db(transaction=True)
def test_two_tabs_and_two_devices_at_once_make_one_transfer(ada, ben, browser_of):
    earn(ada, 2_000)
    tabs = [browser_of(ada) for _ in range(4)]
    check = check_address(tabs[0], ben, 2_000)

    answers = race(*[lambda client=client: confirm(client, check) for client in tabs])

    assert [answer.status_code for answer in answers] == [302] * 4
    assert len({answer["Location"] for answer in answers}) == 1
    assert Transfer.objects.count() == 1
    assert (balance(ada), balance(ben)) == (Balance(), Balance(2_000))


@pytest.mark.django_db(transaction=True)
def test_two_transfers_at_once_give_no_point_twice(ada, ben, browser_of):
    earn(ada, 150)
    tabs = [browser_of(ada) for _ in range(3)]
    checks = [check_address(client, ben, number) for client, number in zip(tabs, (98, 99, 100), strict=True)]

    answers = race(
        *[lambda tab=tab, check=check: confirm(tab, check) for tab, check in zip(tabs, checks, strict=True)]
    )

    assert sorted(answer.status_code for answer in answers) == [302, 422, 422]
    assert balance(ada).available + balance(ben).available == 150
    assert Transfer.objects.get().points == balance(ben).available


def test_check_page_of_a_forgotten_intent_leads_its_sender_to_the_receipt(ada, ben, tab, browser_of):
    check, unmade = check_address(tab, ben, 100), check_address(tab, ben, 200)
    receipt = confirm(tab, check)["Location"]
    TransferIntent.objects.all().delete()

    assert tab.get(check)["Location"] == receipt
    assert confirm(tab, check)["Location"] == receipt
    assert tab.get(unmade).status_code == 404
    assert confirm(tab, unmade).status_code == 404
    assert browser_of(ben).get(check).status_code == 404
