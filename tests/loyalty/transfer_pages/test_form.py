"""What the form takes and refuses, what it says then, and when there is no form at all."""

import pytest
import time_machine

from accounts.models import AuditRecord
from loyalty.models import TransferIntent
from loyalty.services import ledger
from loyalty.services.blocking import block_member
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, hold
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

SPACE = "\N{NO-BREAK SPACE}"
NEUTRAL = "Points cannot be given to this recipient. Check what you entered, or ask them."
UNREADABLE = "This is not a member number, an e-mail or a phone."


def refused(response, status: int = 422) -> Page:
    """The page of a refused form: with the status, the title and a summary that takes the focus."""
    assert response.status_code == status, Page(response).text
    assert title_of(response).startswith("Error: ")
    page = Page(response)
    (summary,) = [tag for _, tag in page.tags if tag.get("role") == "alert"]
    assert "autofocus" in summary
    assert summary["tabindex"] == "-1"
    return page


def errors_of(page: Page, name: str) -> dict[str, str]:
    """The attributes of a field that is wrong; it names where its error stands, and the error is there."""
    field = attributes_of(page, name)
    assert field["aria-invalid"] == "true"
    assert f"id_{name}_error" in field["aria-describedby"].split()
    assert f"id_{name}_error" in page.values("id")
    assert f"#id_{name}" in page.hrefs()
    return field


@pytest.mark.parametrize("typed", ["1500", "1 500", f"1{SPACE}500", "1\u202f500", " 1500 "])
def test_case_133_points_are_read_as_people_write_them(ada, ben, tab, typed):
    assert intent_at(check_address(tab, ben, typed)).points == 1_500


def test_case_133_every_other_spelling_is_refused_with_a_text_of_its_own(ada, ben, tab):
    said = {}
    for typed in ("1,500", "1e3", "١٢", "-5", "0"):
        page = refused(ask(tab, ben, typed))
        assert errors_of(page, "points")["value"] == typed
        assert attributes_of(page, "recipient")["value"] == ben.number
        said[typed] = page.text.partition("How many points: ")[2].partition(".")[0]

    assert len(set(said.values())) == 5
    assert all(said.values())
    assert not TransferIntent.objects.exists()


def test_empty_fields_are_each_named(ada, tab):
    page = refused(ask(tab, "", ""))

    errors_of(page, "recipient")
    errors_of(page, "points")
    assert "To whom: Enter the member number, e-mail or phone of the person you give to." in page.text
    assert "How many points: Enter how many points." in page.text


@pytest.mark.parametrize(
    ("limits", "typed", "sentence"),
    [
        ({}, 2_001, "There are not enough points: 2,000 points are available."),
        ({"transfer_minimum_points": 50}, 49, "At least 50 points can be given."),
        ({"transfer_limit_points": 500}, 501, "At most 500 points can be given at once."),
        (
            {"transfer_day_limit_points": 1_000},
            401,
            "At most 1,000 points can be given in a day. Left today: 400.",
        ),
        (
            {"transfer_month_limit_points": 900, "transfer_day_limit_points": 1_000},
            301,
            "At most 900 points can be given in a month. Left this month: 300.",
        ),
    ],
)
def test_each_limit_names_itself(ada, ben, tab, limits, typed, sentence):
    if "transfer_day_limit_points" in limits:
        transfer(tab, ben, 600)
    publish_edition(**limits)

    page = refused(ask(tab, ben, typed))

    assert sentence in page.text
    errors_of(page, "points")
    assert ask(tab, ben, typed + (1 if "minimum" in str(limits) else -1)).status_code == 302


def test_a_limit_refuses_before_anybody_is_looked_for(ada, ben, tab):
    refused(ask(tab, ben, 2_001))

    assert not AuditRecord.objects.filter(action=AuditRecord.Action.RECIPIENT_ASKED).exists()


def test_the_form_says_what_is_left(ada, ben, tab):
    transfer(tab, ben, 600)
    publish_edition(
        transfer_day_limit_points=1_000, transfer_month_limit_points=5_000, transfer_minimum_points=10
    )

    text = opened(tab, FORM).text

    assert f"Available 1,400{SPACE}points" in text
    assert f"Left today (of 1,000) 400{SPACE}points" in text
    assert f"Left this month (of 5,000) 4,400{SPACE}points" in text
    assert f"Least in one transfer 10{SPACE}points" in text
    assert f"Most in one transfer now 400{SPACE}points" in text
    assert "At least 10, at most 400" in text


def test_without_limits_none_are_shown(ada, tab):
    text = opened(tab, FORM).text

    assert "Left today" not in text
    assert "Left this month" not in text


def test_a_recipient_is_found_by_number_e_mail_and_phone_in_any_spelling(ada, ben, tab):
    ben.phone, ben.phone_verified_at = "+79161234567", NOON
    ben.save()
    spaced = " ".join(ben.number[place : place + 4] for place in (0, 4, 8))
    keys = {
        check_address(tab, typed, 100)
        for typed in (ben.number, spaced, "BEN@example.com", "8 (916) 123-45-67", "+79161234567")
    }

    assert len(keys) == 1


def test_unknown_blocked_and_not_eligible_get_one_neutral_answer(ada, ben, tab):
    block_member(member=ben, at=NOON, actor_id=None, reason="A test")
    unproven = MemberFactory(email="eve@example.com")
    said = set()
    for recipient in (ben, ben.email, "nobody@example.com", "+79160000000", unproven.email):
        page = refused(ask(tab, recipient, 100))
        errors_of(page, "recipient")
        assert NEUTRAL in page.text
        said.add(page.text.replace(ben.email, ""))

    assert len(said) == 1


def test_what_names_nobody_is_refused_with_an_example(ada, tab):
    for typed in ("nobody at all", "12", "@"):
        page = refused(ask(tab, typed, 100))
        assert errors_of(page, "recipient")["value"] == typed
    assert UNREADABLE in Page(ask(tab, "nobody at all", 100)).text
    assert "too long" in refused(ask(tab, "x" * 300, 100)).text
    assert refused(ask(tab, "a\0b", 100))


def test_giving_to_oneself_is_refused(ada, tab):
    assert "To whom: This is you." in refused(ask(tab, ada, 100)).text


def test_twenty_recipients_an_hour_are_looked_for_and_no_more(ada, tab):
    for _ in range(20):
        refused(ask(tab, "nobody@example.com", 100))

    response = ask(tab, "nobody@example.com", 100)

    assert "You have looked for many recipients within an hour." in refused(response, 429).text
    assert response["Retry-After"] == "3600"


# No form


def closed(tab) -> str:
    """What stands where the form would be, for those who ask and for those who send something."""
    page = opened(tab, FORM)
    assert not has_field(page, "recipient")
    assert "To the balance" in page.text
    assert ask(tab, "nobody@example.com", 5).status_code == 422
    return page.text


def test_without_points_there_is_a_way_to_get_some_and_no_form(ada, browser_of):
    tab = browser_of(ada)

    assert "You have no points to give at present. You earn them with paid orders" in closed(tab)
    assert FORM not in opened(tab, "/").hrefs(**{"class": "button first"})


def test_points_that_are_set_aside_cannot_be_given(ada, tab):
    hold(ada, 2_000)

    assert "You have no points to give at present." in closed(tab)


def test_fewer_than_the_least_cannot_be_given(ada, tab):
    publish_edition(transfer_minimum_points=2_001)

    assert f"The least that can be given is 2,001{SPACE}points" in closed(tab)
    assert f"you have 2,000{SPACE}points available" in closed(tab)


def test_a_blocked_member_reads_so(ada, tab):
    ledger.block(account_id=ada.pk, is_blocked=True)

    assert "This account is blocked" in closed(tab)
    assert FORM not in opened(tab, "/").hrefs(**{"class": "button first"})


def test_an_edition_without_transfers_has_no_form(ada, tab):
    publish_edition(transfers_allowed=False)

    assert "The programme does not offer transfers at present." in closed(tab)
    assert FORM not in opened(tab, "/").hrefs(**{"class": "button first"})


def test_a_newcomer_reads_from_when_on(ada, tab):
    publish_edition(transfer_member_days=30)

    assert "You can give points from 9 April 2026, 12:00 on." in closed(tab)


def test_after_a_new_password_nothing_leaves_for_a_day(ada, browser_of):
    earn(ada, 100)
    ada.user.set_password("another long pass phrase")
    ada.user.save()

    assert "none can be given until 11 March 2026, 12:00" in closed(browser_of(ada))
    with time_machine.travel(TOMORROW_NOON, tick=False):
        assert has_field(opened(browser_of(ada), FORM), "recipient")


def test_the_day_s_limit_leaves_no_form_when_it_is_reached(ada, ben, tab):
    transfer(tab, ben, 500)
    publish_edition(transfer_day_limit_points=500)

    assert "At most 500 points can be given in a day. Left today: 0." in closed(tab)


def test_the_balance_leads_to_the_form(ada, tab):
    assert FORM in opened(tab, "/").hrefs(**{"class": "button"})


# What changes between the form and the button


def test_points_spent_meanwhile_lead_back_to_the_form_that_says_so(ada, ben, tab):
    check = check_address(tab, ben, 1_500)
    hold(ada, 1_000)

    form = refused(confirm(tab, check))
    assert "There are not enough points: 1,000 points are available." in form.text
    assert attributes_of(form, "recipient")["value"] == ben.number
    assert errors_of(form, "points")["value"] == "1500"

    looked_at = tab.get(check)
    assert looked_at.status_code == 302
    form = Page(tab.get(looked_at["Location"]))
    assert "There are not enough points: 1,000 points are available." in form.text
    assert errors_of(form, "points")["value"] == "1500"


def test_a_wrong_password_for_points_that_are_gone_leads_back_to_the_form(ada, ben, tab):
    check = check_address(tab, ben, 1_500)
    hold(ada, 1_000)

    response = confirm(tab, check, password="wrong")

    assert response["Location"].startswith(f"{FORM}?change=")


def test_a_limit_that_came_meanwhile_leads_back_to_the_form(ada, ben, tab):
    check = check_address(tab, ben, 1_500)
    publish_edition(transfer_limit_points=100)

    assert "At most 100 points can be given at once." in refused(confirm(tab, check)).text


def test_a_recipient_blocked_meanwhile_is_the_neutral_answer(ada, ben, tab):
    check = check_address(tab, ben, 1_500)
    block_member(member=ben, at=NOON, actor_id=None, reason="A test")

    page = refused(confirm(tab, check))

    assert NEUTRAL in page.text
    assert errors_of(page, "recipient")["value"] == ben.number


def test_a_sender_blocked_meanwhile_reads_so(ada, ben, tab):
    check = check_address(tab, ben, 1_500)
    ledger.block(account_id=ada.pk, is_blocked=True)

    response = confirm(tab, check)

    assert response.status_code == 422
    assert "This account is blocked" in Page(response).text
