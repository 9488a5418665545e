"""Points given in three pages, without JavaScript: what each shows, and that it is what happens."""

from datetime import date, timedelta

from accounts.models import Message
from loyalty.models import Posting, Transfer
from tests.clock import AN_HOUR_LATER, NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import NEW_YEAR, Balance, balance, earn, spendable
from tests.loyalty.transfer_pages.steps import (
    FORM,
    attributes_of,
    check_address,
    confirm,
    has_field,
    opened,
    title_of,
    transfer,
)
from tests.pages import Page

SPACE = "\N{NO-BREAK SPACE}"
MARCH_END = date(2026, 3, 31)


def points(number: str) -> str:
    return f"{number}{SPACE}points"


def test_points_go_from_member_to_member_in_three_pages(ada, ben, tab, browser_of):
    earn(ada, 500, until=MARCH_END)
    form = opened(tab, FORM)
    assert f"Available {points('2,500')}" in form.text
    assert "Fee no fee" in form.text
    assert f"First to go: {points('500')} with the last day 31 March 2026." in form.text

    check = check_address(tab, ben, 1_500)
    page = opened(tab, check)

    assert "To whom Бен С. Change to whom" in page.text
    assert f"How many {points('1,500')} Change how many" in page.text
    assert "Fee no fee" in page.text
    assert f"You keep {points('1,000')}" in page.text
    assert f"{points('500')} until 31 March 2026 {points('1,000')} until 1 January 2027" in page.text
    assert "Arrive at once" in page.text
    assert "they can be taken back until 11 March 2026, 12:00" in page.text
    assert f"Transfer {points('1,500')}" in page.text
    assert Transfer.objects.count() == 0

    made = confirm(tab, check)
    receipt = opened(tab, made["Location"])

    number = Transfer.objects.get().number
    assert made["Location"] == f"/transfer/done/{number}/"
    assert f"You gave {points('1,500')} to Бен С." in receipt.text
    assert f"Transfer {number} From Ада И. To Бен С. Points {points('1,500')} Fee no fee" in receipt.text
    assert "When, Moscow time 10 March 2026, 12:00" in receipt.text
    assert f"Your balance right after {points('1,000')}" in receipt.text
    assert "You can take the points back until 11 March 2026, 12:00" in receipt.text
    assert spendable(ada) == {NEW_YEAR: 1_000}
    assert spendable(ben) == {MARCH_END: 500, NEW_YEAR: 1_000}

    theirs = opened(browser_of(ben), made["Location"])
    assert f"Ада И. gave you {points('1,500')}" in theirs.text
    assert f"Your balance right after {points('1,500')}" in theirs.text
    assert "take the points back" not in theirs.text


def test_what_the_check_page_says_is_left_is_left(ada, ben, tab):
    for number, left in [("1", "1,999"), ("1999", "1"), ("2000", "0")]:
        page = opened(tab, check_address(tab, ben, number))
        assert f"You keep {left}{SPACE}point" in page.text

    transfer(tab, ben, 1_999)

    assert (balance(ada), balance(ben)) == (Balance(1), Balance(1_999))


def test_everything_is_spent_and_the_receipt_says_so(ada, ben, tab):
    made = transfer(tab, ben, 2_000)

    page = opened(tab, f"/transfer/done/{made.number}/")

    assert f"Your balance right after {points('0')}" in page.text


def test_change_leads_back_to_the_form_with_what_was_typed(ada, ben, tab):
    check = check_address(tab, f" {ben.email.upper()} ", "1 500")

    links = [href for href in opened(tab, check).hrefs() if href.startswith(f"{FORM}?")]

    assert [link.partition("#")[2] for link in links] == ["id_recipient", "id_points"]
    form = opened(tab, links[0])
    assert attributes_of(form, "recipient")["value"] == ben.email.upper()
    assert attributes_of(form, "points")["value"] == "1500"
    assert not any(attributes.get("aria-invalid") for _tag, attributes in form.tags)


def test_change_of_something_else_leads_to_an_empty_form(ada, ben, tab, browser_of):
    earn(ben, 100)
    theirs = check_address(browser_of(ben), ada, 10).split("/")[-2]
    for key in (theirs, "nothing", "", "\0"):
        page = Page(tab.get(FORM, {"change": key}))
        assert attributes_of(page, "recipient").get("value", "") == ""
        assert attributes_of(page, "points").get("value", "") == ""


def test_a_number_of_days_is_a_short_list_that_opens(ada, ben, tab):
    for days in range(5):
        earn(ada, 10, until=MARCH_END + timedelta(days=days))

    page = opened(tab, check_address(tab, ben, 60))

    assert "6 different days" in page.text
    assert page.count("details") == opened(tab, FORM).count("details") + 1
    assert f"{points('10')} until 31 March 2026" in page.text


def test_points_that_never_expire_are_said_to(ada, ben, browser_of):
    earn(ada, 30, until=None)
    tab = browser_of(ada)
    assert "The recipient can spend them they never expire" in opened(tab, check_address(tab, ben, 30)).text

    earn(ada, 10)

    assert f"{points('30')} that never expire" in opened(tab, check_address(tab, ben, 40)).text


def test_where_nothing_can_be_taken_back_the_pages_say_so(ada, ben, tab):
    publish_edition(transfer_cooling_hours=0)
    check = check_address(tab, ben, 100)
    assert "Can be taken back no" in opened(tab, check).text

    receipt = opened(tab, confirm(tab, check)["Location"])

    assert "take the points back" not in receipt.text.lower()


def test_the_page_after_the_form_cannot_be_skipped(ada, ben, tab):
    """Without an intent of one's own there is no page that moves points."""
    assert tab.get("/transfer/check/")["Location"] == FORM
    assert tab.post("/transfer/check/", {"recipient": ben.number, "points": "5"})["Location"] == FORM
    unknown = "/transfer/check/00000000-0000-4000-8000-000000000000/"
    assert tab.get(unknown).status_code == 404
    assert tab.post(unknown, {"recipient": ben.number, "points": "5"}).status_code == 404

    assert balance(ben) == Balance()


def test_the_same_again_within_minutes_is_noticed(ada, ben, tab, noon):
    first = transfer(tab, ben, 100)
    noon.move_to(NOON + timedelta(minutes=5))

    again = check_address(tab, ben, 100)
    page = opened(tab, again)

    assert f"You gave {points('100')} to Бен С. at 12:00 already" in page.text
    assert f"/transfer/done/{first.number}/" in page.hrefs()
    assert confirm(tab, again)["Location"] != f"/transfer/done/{first.number}/"
    assert "already" not in opened(tab, check_address(tab, ben, 99)).text
    noon.move_to(AN_HOUR_LATER)
    assert "already" not in opened(tab, check_address(tab, ben, 100)).text


def test_the_operation_and_the_history_lead_to_the_receipt(ada, ben, tab, browser_of):
    made = transfer(tab, ben, 100)
    tab.post(f"/transfer/done/{made.number}/take-back/")
    made.refresh_from_db()
    receipt = f"/transfer/done/{made.number}/"

    for client in (tab, browser_of(ben)):
        assert opened(client, "/operations/").hrefs().count(receipt) == 2
        for posting_id in (made.posting_id, made.reversal_id):
            page = opened(client, f"/operations/{posting_id}/")
            assert page.hrefs().count(receipt) == 1
    earned = Posting.objects.filter(kind=Posting.Kind.CREDIT).first().pk
    assert not any("/transfer/done" in href for href in opened(tab, f"/operations/{earned}/").hrefs())


def test_both_sides_find_it_among_their_messages(ada, ben, tab, browser_of):
    made = transfer(tab, ben, 100)

    assert list(Message.objects.order_by("pk").values_list("member_id", "kind")) == [
        (ada.pk, "transfer_sent"),
        (ben.pk, "transfer_received"),
    ]
    for client in (tab, browser_of(ben)):
        assert f"/transfer/done/{made.number}/" in opened(client, "/messages/").hrefs()


def test_the_pages_have_their_titles(ada, ben, tab):
    assert title_of(tab.get(FORM)) == "Transfer points — Ballada"
    check = check_address(tab, ben, 100)
    assert title_of(tab.get(check)) == "Check the transfer — Ballada"
    made = transfer(tab, ben, 100)
    receipt = f"/transfer/done/{made.number}/"
    assert title_of(tab.get(receipt)) == f"Transfer {made.number} — Ballada"
    assert title_of(tab.get(f"{receipt}take-back/")) == "Take the points back — Ballada"
    tab.post(f"{receipt}take-back/")
    assert title_of(tab.get(receipt)) == f"Taken back: Transfer {made.number} — Ballada"


def test_the_fields_say_what_browsers_and_phones_ask(ada, tab):
    page = opened(tab, FORM)

    recipient, number = attributes_of(page, "recipient"), attributes_of(page, "points")
    assert (recipient["autocomplete"], recipient["type"]) == ("off", "text")
    assert (number["inputmode"], number["type"], number["autocomplete"]) == ("numeric", "text", "off")
    assert not has_field(page, "password")


def test_the_receipt_is_printed_by_a_button_where_scripts_run(ada, ben, tab):
    made = transfer(tab, ben, 100)

    page = opened(tab, f"/transfer/done/{made.number}/")

    [button] = [attributes for tag, attributes in page.tags if attributes.get("id") == "print"]
    assert (button["type"], "hidden" in button) == ("button", True)
    assert any(source.endswith("js/print.js") for source in page.values("src"))
    assert "open it again from the transfer in your operations" in page.text
