"""The password or a code once more: for a recipient one has not given to before, and for many points."""

import re
from datetime import timedelta

from django.core import mail

from loyalty.models import Transfer
from tests.clock import NOON
from tests.factories import PASSWORD
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import Balance, balance, earn
from tests.loyalty.transfer_pages.steps import (
    FORM,
    ask,
    attributes_of,
    check_address,
    confirm,
    has_field,
    intent_at,
    opened,
    title_of,
    transfer,
)
from tests.pages import Page


def sent_code() -> str:
    """The code of the last letter."""
    found = re.search(r"\b([0-9]{6})\b", mail.outbox[-1].body)
    assert found
    return found[1]


def test_a_new_recipient_asks_for_the_password_and_a_known_one_does_not(ada, ben, tab):
    check = check_address(tab, ben, 100)
    page = opened(tab, check)
    field = attributes_of(page, "password")
    assert (field["type"], field["autocomplete"]) == ("password", "current-password")
    assert attributes_of(page, "username")["value"] == ada.email

    assert Page(tab.post(check)).text.count("Enter your password.") == 2
    assert balance(ben) == Balance()
    confirm(tab, check)

    known = check_address(tab, ben, 50)
    assert not has_field(opened(tab, known), "password")
    assert tab.post(known).status_code == 302
    assert balance(ben) == Balance(150)


def test_many_points_ask_for_the_password_whoever_gets_them(ada, ben, tab):
    transfer(tab, ben, 10)
    publish_edition(transfer_step_up_points=500)

    assert has_field(opened(tab, check_address(tab, ben, 501)), "password")
    assert not has_field(opened(tab, check_address(tab, ben, 500)), "password")


def test_a_wrong_password_loses_nothing_and_says_how_many_tries_are_left(ada, ben, tab):
    check = check_address(tab, ben, 100)

    response = confirm(tab, check, password="wrong")

    assert response.status_code == 422
    assert title_of(response) == "Error: Check the transfer — Ballada"
    page = Page(response)
    assert "4 tries are left." in page.text
    field = attributes_of(page, "password")
    assert field["aria-invalid"] == "true"
    assert "id_password_error" in field["aria-describedby"]
    assert "value" not in field
    assert any("autofocus" in tag for _, tag in page.tags if tag.get("role") == "alert")
    assert "To whom Бен С." in page.text
    assert confirm(tab, check).status_code == 302
    assert balance(ben) == Balance(100)


def test_five_wrong_passwords_end_it_and_the_form_is_filled(ada, ben, tab):
    check = check_address(tab, ben.email, 100)
    for _ in range(4):
        assert confirm(tab, check, password="wrong").status_code == 422

    response = confirm(tab, check, password="wrong")

    assert response.status_code == 302
    page = Page(tab.get(response["Location"]))
    assert "a wrong password or code was entered too often" in page.text
    assert attributes_of(page, "recipient")["value"] == ben.email
    assert attributes_of(page, "points")["value"] == "100"
    assert tab.get(check)["Location"] == response["Location"]
    assert confirm(tab, check)["Location"] == response["Location"]
    assert Transfer.objects.count() == 0


def test_after_ten_wrong_passwords_nothing_can_be_proved_for_an_hour(ada, ben, tab):
    for points in (100, 101):
        check = check_address(tab, ben, points)
        for _ in range(5):
            confirm(tab, check, password="wrong")

    response = confirm(tab, check_address(tab, ben, 102))

    assert response.status_code == 429
    assert response["Retry-After"] == "3600"
    page = Page(response)
    assert "A wrong password or code was entered too often. Nothing was given; try again from" in page.text
    assert attributes_of(page, "points")["value"] == "102"


def test_a_code_does_instead_of_the_password(ada, ben, tab):
    check = check_address(tab, ben, 100)
    assert "Send a code to a•••@example.com instead" in opened(tab, check).text

    assert tab.post(f"{check}code/")["Location"] == check

    page = opened(tab, check)
    field = attributes_of(page, "code")
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    assert not has_field(page, "password")
    assert "We have sent a code to a•••@example.com. It is valid until 12:10." in page.text
    assert mail.outbox[-1].to == [ada.email]
    assert ben.email not in mail.outbox[-1].body
    assert Page(confirm(tab, check, code="12")).text.count("A code has six digits.") == 2
    wrong = "000000" if sent_code() != "000000" else "000001"
    assert "4 tries are left." in Page(confirm(tab, check, code=wrong)).text
    assert confirm(tab, check, code=f" {sent_code()[:3]} {sent_code()[3:]} ").status_code == 302
    assert balance(ben) == Balance(100)


def test_a_code_that_was_sent_does_not_shut_the_password_out(ada, ben, tab):
    check = check_address(tab, ben, 100)
    tab.post(f"{check}code/")
    (link,) = [href for href in opened(tab, check).hrefs() if href.endswith("?proof=password")]

    assert has_field(opened(tab, link), "password")
    assert confirm(tab, check, password=PASSWORD).status_code == 302


def test_an_old_code_makes_room_for_the_password(ada, ben, tab, noon):
    check = check_address(tab, ben, 100)
    tab.post(f"{check}code/")
    noon.move_to(NOON + timedelta(minutes=10))

    page = opened(tab, check)

    assert has_field(page, "password")
    assert "Send a code to a•••@example.com instead" in page.text


def test_codes_asked_for_too_often_are_not_sent(ada, ben, tab):
    check = check_address(tab, ben, 100)
    for _ in range(3):
        tab.post(f"{check}code/")

    page = Page(tab.post(f"{check}code/", follow=True))

    assert len(mail.outbox) == 3
    assert "You have asked for codes too often." in page.text
    assert has_field(page, "code")


def test_who_has_no_password_is_sent_a_code(ada, ben, browser_of):
    earn(ada, 100)
    ada.user.password = "!"
    ada.user.save()
    tab = browser_of(ada)
    check = check_address(tab, ben, 100)
    page = opened(tab, check)
    assert not has_field(page, "password")
    assert not has_field(page, "code")
    assert "Send the code" in page.text
    assert confirm(tab, check, code="123456").status_code == 422

    tab.post(f"{check}code/")

    assert "Enter the password instead" not in opened(tab, check).text
    assert confirm(tab, check, code=sent_code()).status_code == 302
    assert balance(ben) == Balance(100)


def test_a_mail_server_that_is_down_is_said_to_be(ada, ben, tab, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    check = check_address(tab, ben, 100)

    page = Page(tab.post(f"{check}code/", follow=True))

    assert "The message could not be sent." in page.text


def test_after_half_an_hour_the_form_is_there_again_filled(ada, ben, tab, noon):
    check = check_address(tab, ben.email, 100)
    noon.move_to(NOON + timedelta(minutes=30))
    for send in (tab.get, tab.post, lambda address: tab.post(f"{address}code/")):
        response = send(check)
        assert response["Location"].startswith(f"{FORM}?change=")
        page = Page(tab.get(response["Location"]))
        assert page.text.count("This was filled in more than half an hour ago") == 1
        assert attributes_of(page, "recipient")["value"] == ben.email

    assert check_address(tab, ben.email, 100) != check
    assert mail.outbox == []


def test_a_proof_that_becomes_needed_meanwhile_is_asked_for(ada, ben, tab):
    transfer(tab, ben, 10)
    check = check_address(tab, ben, 600)
    assert not has_field(opened(tab, check), "password")
    publish_edition(transfer_step_up_points=500)

    response = tab.post(check)

    assert response.status_code == 422
    assert has_field(Page(response), "password")
    assert confirm(tab, check).status_code == 302


def test_who_signed_in_anew_still_sees_whom_it_is_for_but_not_what_was_typed(ada, ben, tab, browser_of):
    """What was typed stays in the browser's session in which it was."""
    check = check_address(tab, ben.email, 100)
    other = browser_of(ada)

    assert "To whom Бен С." in opened(other, check).text
    form = opened(other, f"{FORM}?change={check.split('/')[-2]}")

    assert attributes_of(form, "recipient").get("value", "") == ""
    assert attributes_of(form, "points")["value"] == "100"
    assert intent_at(check).points == 100


def test_of_many_forms_only_the_latest_are_remembered(ada, ben, tab):
    earn(ada, 10)
    for points in range(1, 9):
        assert ask(tab, ben.email, points).status_code == 302

    assert len(tab.session["transfer_recipients"]) == 5
