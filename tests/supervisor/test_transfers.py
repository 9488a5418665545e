"""The console's transfers: finding one, giving its points back, blocking the accounts behind it."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord, Message
from loyalty.models import Posting, Transfer
from loyalty.queries.balance import balance
from loyalty.services.blocking import block_member
from loyalty.services.transfers import reverse_transfer, take_back_transfer
from tests.clock import AN_HOUR_LATER, NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import Balance, earn, hold, spend, take_back
from tests.loyalty.points import balance as points_of
from tests.pages import Page
from tests.supervisor.given import gift, gifts, in_english

TRANSFERS = "/console/transfers/"
WHY = {"reason": "Ben wrote that the account was not his"}


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
def given(ada, ben) -> Transfer:
    """300 of Ada's 500 points that she gave to Ben."""
    earn(ada, 500)
    return gift(ada, ben, 300)


def page_of(transfer: Transfer, part: str = "") -> str:
    return f"{TRANSFERS}{transfer.number}/{part}"


PARTS = ("", "reverse/", "sender/block/", "recipient/unblock/")


# Who may


@pytest.mark.parametrize("part", PARTS)
def test_transfers_are_for_staff_and_supervisors_only(ada, sue, given, desk, client_of, part):
    block_member(member=given.recipient, at=NOON, actor_id=None, reason="Asked for it")
    for address in (TRANSFERS, page_of(given, part)):
        assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
        refused = in_english(client_of(ada)).get(address)
        assert refused.status_code == 403
        assert "This page is for staff." in Page(refused).text
        assert client_of(ada).post(address, WHY).status_code in (403, 405)
        for client in (desk, client_of(sue)):
            assert client.get(address).status_code == 200

    assert Transfer.objects.get().taken_back_at is None


def test_a_transfer_or_a_side_that_is_not_there_is_not_found(desk, given):
    for address in (
        f"{TRANSFERS}9999999999/",
        f"{TRANSFERS}9999999999/reverse/",
        page_of(given, "programme/block/"),
    ):
        assert desk.get(address).status_code == 404
        assert desk.post(address, WHY).status_code in (404, 405)


@pytest.mark.parametrize("number", ["%00", "12345%00", "%0A", "%FF", "x" * 300])
@pytest.mark.parametrize("part", ["", "reverse/", "sender/block/", "recipient/unblock/"])
def test_what_can_be_no_number_is_not_found(desk, number, part):
    assert desk.get(f"{TRANSFERS}{number}/{part}").status_code == 404
    assert desk.get(f"{TRANSFERS}1234567890/%00/block/").status_code == 404


@pytest.mark.parametrize("part", ["", "reverse/", "sender/block/"])
def test_every_look_at_both_accounts_is_written_down(desk, stan, ada, ben, given, part):
    for _time in range(2):
        desk.get(page_of(given, part))

    looks = AuditRecord.objects.filter(action="looked_at").order_by("pk")
    assert [look.member for look in looks] == [ada, ben] * 2
    for look in looks:
        assert (look.actor_id, look.happened_at) == (stan.pk, NOON)
        assert look.facts == {"page": "transfer", "number": given.number}


def test_what_nobody_was_shown_is_no_look(desk, ada, given, client_of):
    client_of(ada).get(page_of(given))
    Client().get(page_of(given))
    desk.get(TRANSFERS)
    desk.get(f"{TRANSFERS}9999999999/")
    desk.post(page_of(given, "reverse/"), WHY)

    assert not AuditRecord.objects.filter(action="looked_at").exists()


@pytest.mark.parametrize("side", ["sender", "recipient"])
def test_nobody_acts_on_an_account_of_their_own(stan, given, client_of, side):
    """Staff may be members, too: such a transfer is a colleague's to decide."""
    member = getattr(given, side)
    member.user = stan
    member.save()
    client = in_english(client_of(stan))

    page = Page(client.get(page_of(given)))
    assert "a colleague has to act on this transfer" in page.text
    assert [href for href in page.hrefs() if href.startswith(page_of(given))] == []
    for part in ("reverse/", "sender/block/", "recipient/block/"):
        for refused in (client.get(page_of(given, part)), client.post(page_of(given, part), WHY)):
            assert refused.status_code == 403
            assert "This is about your own account. Ask a colleague to do it." in Page(refused).text
    assert Transfer.objects.get().taken_back_at is None
    assert not balance(account_id=given.sender_id, at=NOON).is_blocked


# The list


def test_the_console_leads_to_the_transfers(desk):
    assert TRANSFERS in Page(desk.get("/console/invitations/")).hrefs()


def test_the_list_says_what_will_be_here_while_it_is_empty(desk):
    page = Page(desk.get(TRANSFERS))

    assert "No transfers yet" in page.text
    assert page.count("table") == 0


def test_the_list_shows_both_sides_masked(desk, given):
    page = Page(desk.get(TRANSFERS))

    grouped = "\u00a0".join(given.sender.number[start : start + 4] for start in (0, 4, 8))
    assert page_of(given) in page.hrefs()
    assert f"{given.number} 10 March 2026, 12:00 Ада И. {grouped} Бен С." in page.text
    assert "300 final" in page.text
    assert "Иванова" not in page.text
    assert "@example.com" not in page.text.split("Help:")[0]


def test_the_list_tells_what_became_of_each(desk, ada, ben):
    publish_edition(transfer_cooling_hours=24)
    earn(ada, 500)
    gift(ada, ben, 1)
    take_back_transfer(transfer=gift(ada, ben, 2), at=NOON, actor_id=None)

    text = Page(desk.get(TRANSFERS)).text

    assert "1 can be taken back until 11 March 2026, 12:00" in text
    assert "2 gone back by the sender, 10 March 2026, 12:00" in text


def test_a_receipt_number_finds_its_transfer_in_any_spelling(desk, ben):
    first, second = gifts(ben, 2)

    for typed in (
        first.number,
        f" {first.number[:4]} {first.number[4:8]}-{first.number[8:]}",
        f"№{first.number}",
    ):
        hrefs = Page(desk.get(TRANSFERS, {"number": typed})).hrefs()
        assert page_of(first) in hrefs
        assert page_of(second) not in hrefs


def test_a_number_that_nothing_has_says_how_to_go_on(desk, given):
    page = Page(desk.get(TRANSFERS, {"number": "1000 0000 01"}))

    assert "No transfer has this number" in page.text
    assert "1000 0000 01" in page.values("value")
    assert TRANSFERS in page.hrefs()


@pytest.mark.parametrize("typed", ["12345", "ada@example.com", "+7 916 123-45-67", "²²²²²²²²²²", "\x00"])
def test_what_is_no_receipt_number_is_said_at_the_field(desk, given, typed):
    page = Page(desk.get(TRANSFERS, {"number": typed}))

    assert "Error:" in page.text
    assert page.count("table") == 0


def test_the_list_goes_on_page_by_page(desk, ben):
    transfers = gifts(ben, 30)

    first = Page(desk.get(TRANSFERS))
    (older,) = first.hrefs(rel="next")
    second = Page(desk.get(TRANSFERS + older))
    (newer,) = second.hrefs(rel="prev")

    shown = [href for page in (first, second) for href in page.hrefs() if href.startswith(f"{TRANSFERS}")]
    assert [href for href in shown if href != TRANSFERS] == [page_of(one) for one in reversed(transfers)]
    assert Page(desk.get(TRANSFERS + newer)).hrefs() == first.hrefs()
    assert second.hrefs(rel="next") == []


@pytest.mark.parametrize("query", ["?before=1", "?after=999999999999", "?before=nothing&after="])
def test_a_place_beyond_the_list_leads_to_its_beginning(desk, given, query):
    page = desk.get(TRANSFERS + query, follow=True)

    assert page_of(given) in Page(page).hrefs()


def test_the_list_takes_the_same_queries_however_many_there_are(desk, ben):
    gifts(ben, 1)
    desk.get(TRANSFERS)
    with CaptureQueriesContext(connection) as with_one:
        desk.get(TRANSFERS)
    gifts(ben, 29)

    with CaptureQueriesContext(connection) as with_many:
        page = Page(desk.get(TRANSFERS))

    assert page.count("tr") == 1 + 25
    assert len(with_one) == len(with_many)


# One transfer


def test_the_page_tells_everything_about_a_transfer(desk, ada, ben):
    publish_edition(transfer_cooling_hours=2)
    earn(ada, 200)
    earn(ada, 300, until=None)
    transfer = gift(ada, ben, 250)

    page = Page(desk.get(page_of(transfer)))

    assert f"Transfer {transfer.number} 10 March 2026, 12:00" in page.text
    assert "250 of them until 1 January 2027 200 of them without a last day 50" in page.text
    assert "What was given can be taken back Points 250" in page.text
    assert "The sender can take it back until 10 March 2026, 14:00" in page.text
    assert "Given in the cabinet The sender proved who they are by the password" in page.text
    assert "Sender account open Name Ада И. Member number" in page.text
    assert "Recipient account open Name Бен С. Member number" in page.text
    for part in ("reverse/", "sender/block/", "recipient/block/"):
        assert page_of(transfer, part) in page.hrefs()
    assert "Иванова" not in page.text


def test_the_page_tells_how_a_transfer_ended(desk, stan, given):
    reverse_transfer(transfer=given, at=AN_HOUR_LATER, actor_id=stan.pk, **WHY)

    page = Page(desk.get(page_of(given)))

    assert "Gone back to the sender 10 March 2026, 13:00 Who decided it Стан Козлов" in page.text
    assert WHY["reason"] in page.text
    assert page_of(given, "reverse/") not in page.hrefs()


@pytest.mark.parametrize(("hours", "until"), [(0, "never"), (1, "until 10 March 2026, 13:00")])
def test_the_page_tells_until_when_the_sender_could_take_it_back(desk, ada, ben, hours, until):
    publish_edition(transfer_cooling_hours=hours)
    earn(ada, 10)
    transfer = gift(ada, ben, 10)

    with time_machine.travel(AN_HOUR_LATER, tick=False):
        text = Page(desk.get(page_of(transfer))).text

    assert "What was given final" in text
    assert f"The sender could take it back {until}" in text


def test_the_page_tells_that_the_sender_took_it_back(desk, ada, ben):
    publish_edition(transfer_cooling_hours=1)
    earn(ada, 10)
    transfer = take_back_transfer(transfer=gift(ada, ben, 10), at=NOON, actor_id=ada.user_id)

    assert "Who decided it The sender" in Page(desk.get(page_of(transfer))).text


def test_the_page_tells_who_blocked_an_account_and_why(desk, stan, ada, given):
    block_member(member=ada, at=NOON, actor_id=ada.user_id, reason="It was not me")
    block_member(member=given.recipient, at=AN_HOUR_LATER, actor_id=stan.pk, reason="He asked")

    text = Page(desk.get(page_of(given))).text

    assert "Sender account blocked" in text
    assert "Blocked on 10 March 2026, 12:00 by the member It was not me" in text
    assert "Blocked on 10 March 2026, 13:00 by Стан Козлов He asked" in text


# Its reversal


def test_the_page_before_a_reversal_says_what_both_will_have(desk, given):
    page = Page(desk.get(page_of(given, "reverse/")))

    assert f"Reverse transfer {given.number}?" in page.text
    assert "200 +300plus 300\u00a0points 500" in page.text
    assert "Nothing can go back now" not in page.text
    assert "300 −300minus 300\u00a0points 0" in page.text
    assert Transfer.objects.get().taken_back_at is None


def test_the_page_before_a_reversal_says_what_is_owed_and_what_is_missing(desk, ben, given):
    spend(ben, 250)
    take_back(Posting.objects.get(kind="credit").pk, 320)

    text = Page(desk.get(page_of(given, "reverse/"))).text

    assert "50 −300minus 300\u00a0points too few" in text
    assert "0 +300plus 300\u00a0points 180" in text
    assert (
        "The sender owes 120\u00a0points, which these points settle first. Owed afterwards: 0\u00a0points."
        in text
    )


def goes_back(desk: Client, transfer: Transfer) -> tuple[str, int]:
    """What the page says before a reversal, and what its button then answers."""
    said = Page(desk.get(page_of(transfer, "reverse/"))).text
    return said, desk.post(page_of(transfer, "reverse/"), WHY).status_code


def test_the_page_before_a_reversal_asks_for_the_very_points_that_were_given(desk, ben, given):
    """Ben has points enough, but not those: they were the first to be spent."""
    earn(ben, 500, until=None)
    spend(ben, 50)

    said, status = goes_back(desk, given)

    assert "750 −300minus 300\u00a0points too few" in said
    assert "Nothing can go back now: of what was given, 50\u00a0points are not there any more." in said
    assert status == 422


def test_the_page_before_a_reversal_counts_what_was_set_aside(desk, ben, given):
    hold(ben, 1)

    said, status = goes_back(desk, given)

    assert "Nothing can go back now: of what was given, 1\u00a0point is not there any more." in said
    assert status == 422


def test_the_page_before_a_reversal_counts_what_settled_a_debt(desk, ada, ben):
    credit = earn(ben, 100)
    spend(ben, 100)
    take_back(credit, 100)
    earn(ada, 300)
    transfer = gift(ada, ben, 300)
    earn(ben, 500)

    said, status = goes_back(desk, transfer)

    assert "of what was given, 100\u00a0points are not there any more" in said
    assert status == 422


def test_the_page_before_a_reversal_sees_what_becomes_due_by_then(desk, ben, given):
    """A hold that has run out sets its points free, whether or not the jobs have run."""
    hold(ben, 300, hours=1)

    with time_machine.travel(AN_HOUR_LATER, tick=False):
        said, status = goes_back(desk, given)

    assert "Nothing can go back now" not in said
    assert status == 302


def test_the_page_before_a_reversal_does_not_count_points_whose_day_is_over(stan, ada, ben, client_of):
    earn(ada, 300, until=NOON.date())
    transfer = gift(ada, ben, 300)

    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        said, status = goes_back(in_english(client_of(stan)), transfer)

    assert "of what was given, 300\u00a0points are not there any more" in said
    assert status == 422


def test_staff_give_the_points_back_with_a_reason(desk, stan, ada, ben, given):
    sent = desk.post(page_of(given, "reverse/"), WHY)
    assert (sent.status_code, sent.headers["Location"]) == (302, page_of(given))
    assert (
        "The points have gone back to the sender. Both members are told."
        in Page(desk.get(page_of(given))).text
    )

    assert (points_of(ada), points_of(ben)) == (Balance(available=500), Balance())
    transfer = Transfer.objects.get()
    assert (transfer.ended_by, transfer.ended_actor_id) == ("staff", stan.pk)
    assert transfer.end_reason == WHY["reason"]
    record = AuditRecord.objects.get(action="transfer_reversed")
    assert (record.actor_id, record.member, record.facts["reason"]) == (stan.pk, ada, WHY["reason"])
    assert Message.objects.filter(kind="transfer_taken_back").count() == 2


def test_a_reversal_that_is_sent_twice_has_one_effect(desk, given, ada):
    desk.post(page_of(given, "reverse/"), WHY)
    again = desk.post(page_of(given, "reverse/"), {"reason": "Once more"}, follow=True)

    assert again.redirect_chain == [(page_of(given), 302)]
    assert "The points of this transfer have gone back to the sender before." in Page(again).text
    assert Posting.objects.filter(kind="reverse").count() == 1
    assert AuditRecord.objects.filter(action="transfer_reversed").count() == 1
    assert Transfer.objects.get().end_reason == WHY["reason"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reversal_needs_a_reason(desk, given, reason):
    refused = desk.post(page_of(given, "reverse/"), {"reason": reason})

    assert refused.status_code == 422
    assert "Error:" in Page(refused).text
    assert Transfer.objects.get().taken_back_at is None


def test_a_reversal_of_points_that_were_used_is_refused_in_a_sentence(desk, given, ben):
    spend(ben, 20)

    refused = desk.post(page_of(given, "reverse/"), WHY)

    assert refused.status_code == 422
    page = Page(refused)
    assert "This cannot be undone: not all of these points are there any more." in page.text
    assert WHY["reason"] in page.text
    assert Transfer.objects.get().taken_back_at is None
    assert AuditRecord.objects.filter(action="transfer_reversed").count() == 0


# The accounts behind it


def test_staff_block_an_account_and_open_it_again(desk, stan, given, ada):
    assert "Block the account of Ада И.?" in Page(desk.get(page_of(given, "sender/block/"))).text
    blocked = desk.post(page_of(given, "sender/block/"), {"reason": "Her e-mail was stolen"}, follow=True)
    assert blocked.redirect_chain == [(page_of(given), 302)]
    assert "The account of Ада И. is blocked." in Page(blocked).text
    assert balance(account_id=ada.pk, at=NOON).is_blocked
    assert not balance(account_id=given.recipient_id, at=NOON).is_blocked

    assert "Open the account of Ада И. again?" in Page(desk.get(page_of(given, "sender/unblock/"))).text
    opened = desk.post(page_of(given, "sender/unblock/"), {"reason": "She has a new one"}, follow=True)
    assert "The account of Ада И. is open again." in Page(opened).text
    assert not balance(account_id=ada.pk, at=NOON).is_blocked
    done = AuditRecord.objects.filter(member=ada, action__contains="block").order_by("pk")
    assert [(record.action, record.actor_id, record.facts["reason"]) for record in done] == [
        ("account_blocked", stan.pk, "Her e-mail was stolen"),
        ("account_unblocked", stan.pk, "She has a new one"),
    ]


def test_a_block_that_is_sent_twice_has_one_effect(desk, given):
    for said in ("is blocked.", "This account is blocked already."):
        sent = desk.post(page_of(given, "recipient/block/"), WHY, follow=True)
        assert said in Page(sent).text

    assert AuditRecord.objects.filter(action="account_blocked").count() == 1


def test_an_open_account_cannot_be_opened(desk, given):
    sent = desk.post(page_of(given, "recipient/unblock/"), WHY, follow=True)

    assert "This account is open already." in Page(sent).text
    assert AuditRecord.objects.filter(action="account_unblocked").count() == 0


@pytest.mark.parametrize("part", ["sender/block/", "recipient/unblock/"])
def test_a_block_needs_a_reason(desk, given, part):
    block_member(member=given.recipient, at=NOON, actor_id=None, reason="Asked for it")

    refused = desk.post(page_of(given, part), {"reason": " "})

    assert refused.status_code == 422
    assert "Say why: the reason is kept with what you do." in Page(refused).text
    assert balance(account_id=given.recipient_id, at=NOON).is_blocked
    assert not balance(account_id=given.sender_id, at=NOON).is_blocked


# Every page


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_pages_are_sound_html(desk, given, part, language):
    block_member(member=given.recipient, at=NOON, actor_id=None, reason="Asked for it")
    desk.cookies["django_language"] = language
    for address in (TRANSFERS, page_of(given, part)):
        page = Page(desk.get(address))
        assert page.count("h1") == 1
        assert page.values("style") == []
        assert "None" not in page.text
        ids = page.values("id")
        assert len(ids) == len(set(ids))
