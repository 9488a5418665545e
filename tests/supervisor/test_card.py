"""The card of a member: what a colleague sees, what is hidden, and what is written down of each look."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord, Consent, Member, Message
from accounts.services import record_consent
from loyalty.models import Cause, Standing
from loyalty.queries.balance import balance
from loyalty.services.blocking import block_member
from loyalty.services.rules import create_draft, publish_rule_set
from orders.services.orders import refund_order
from supervisor.queries.card import member_card
from supervisor.services.adjustments import adjust_points
from supervisor.services.approvals import withdraw_approval
from tests.accounts.telling import told
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, tier_spec
from tests.loyalty.points import earn, hold, spend
from tests.pages import Page
from tests.supervisor.given import gift, gifts, in_english, invited_by

LISTS = ("operations/", "orders/", "messages/")


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def desk(stan, client_of) -> Client:
    """The browser of somebody of the staff, in English."""
    return in_english(client_of(stan))


def card_of(member: Member, part: str = "") -> str:
    return f"/console/members/{member.number}/{part}"


def read(client: Client, member: Member, part: str = "") -> str:
    response = client.get(card_of(member, part))
    assert response.status_code == 200
    return Page(response).text


def looks() -> list[tuple[str, str]]:
    records = AuditRecord.objects.filter(action="looked_at").order_by("pk")
    return [(record.member.number, record.facts["page"]) for record in records]


# Who may


@pytest.mark.parametrize("part", ["", *LISTS])
def test_a_card_is_for_staff_and_supervisors_only(ada, ben, sue, desk, client_of, part):
    address = card_of(ben, part)
    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
    assert client_of(ada).get(address).status_code == 403
    for client in (desk, client_of(sue)):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("part", ["", *LISTS, "contacts/"])
def test_a_number_of_nobody_or_of_the_sandbox_is_not_found(desk, part):
    of_sandbox = MemberFactory(is_sandbox=True)
    for number in ("200000000000", "0", of_sandbox.number):
        address = f"/console/members/{number}/{part}"
        assert (desk.post if part == "contacts/" else desk.get)(address).status_code == 404
    assert AuditRecord.objects.count() == 0


@pytest.mark.parametrize("part", ["", *LISTS, "contacts/"])
def test_ones_own_card_is_closed_and_says_why(stan, desk, part):
    own = MemberFactory(user=stan, phone="+79161234567")
    answer = (desk.post if part == "contacts/" else desk.get)(card_of(own, part))
    assert answer.status_code == 403
    assert "This is about your own account. Ask a colleague to do it." in Page(answer).text
    assert AuditRecord.objects.count() == 0


# What it shows


def test_a_new_member_s_card_says_what_there_is_not_yet(desk, ben):
    text = read(desk, ben)
    assert "Бен Смирнов" in text
    assert "Available points 0 Expire next nothing Paid in 12 months 0\u00a0₽ Orders 0" in text
    assert "Advertising not agreed" in text
    assert "No points have moved yet." in text
    assert "No orders yet." in text
    assert "The programme has not written to this member yet." in text
    assert "Invited by nobody" in text
    assert "What colleagues did last" not in text


def test_the_summary_counts_the_last_year_and_leaves_out_what_was_cancelled(desk, ada, paid, placed):
    paid(ada, 10_000, at=NOON - timedelta(days=366))
    last = paid(ada, 5_000, at=NOON - timedelta(days=364))
    refund_order(order=last, key=uuid4(), refunded_at=NOON, goods_sum=Decimal(1_000))
    placed(ada, 700)
    card = member_card(ada, NOON)
    assert (card.year_sum, card.orders_count) == (Decimal(4_000), 3)
    assert "Paid in 12 months 4,000\u00a0₽ Orders 3" in read(desk, ada)


def test_the_balance_is_the_one_of_the_cabinet(desk, ada, client_of):
    earn(ada, 500, until=(NOON + timedelta(days=30)).date())
    earn(ada, 300, available_at=NOON + timedelta(days=2))
    hold(ada, 120)
    spend(ada, 30)
    card = member_card(ada, NOON)
    assert card.balance == balance(account_id=ada.pk, at=NOON)
    text = read(desk, ada)
    assert "Available 350\u00a0points Pending 300" in text
    assert "Set aside 120" in text
    assert "Expire next 350 9 April 2026" in text
    assert "350" in Page(in_english(client_of(ada)).get("/")).text


def test_tier_with_its_story_and_floor(desk, ada, sue, paid):
    paid(ada, 40_000)
    standing = Standing.objects.get(member=ada)
    text = read(desk, ada)
    assert f"Tier {standing.tier.name_en}" in text
    assert "Because of a paid order" in text


def test_friends_transfers_and_consents(desk, ada, ben):
    earn(ada, 500)
    gift(ada, ben, 100)
    invited_by(ada, ben)
    record_consent(
        member=ben, kind=Consent.Kind.ADVERTISING, is_given=True, recorded_at=NOON, how=Consent.How.TILL
    )
    text = read(desk, ben)
    assert "Invited by Ада И." in text
    assert "Transfers received 1" in text
    assert "Advertising agreed" in text
    assert "Friends who joined 1 Transfers made 1 Transfers received 0" in read(desk, ada)


def test_a_blocked_account_and_what_colleagues_did_last(desk, ada, sue):
    block_member(member=ada, at=NOON, actor_id=sue.pk, reason="Asked for it by phone")
    text = read(desk, ada)
    assert "account blocked" in text
    assert "Blocked 10 March 2026, 12:00 · Сью Орлова" in text
    assert text.count("Asked for it by phone") == 2
    assert "What colleagues did last blocked an account" in text


def test_what_the_member_did_is_no_colleague_s_act(desk, ada):
    block_member(member=ada, at=NOON, actor_id=ada.user_id, reason="It was not me")
    text = read(desk, ada)
    assert "Blocked 10 March 2026, 12:00 · the member" in text
    assert "What colleagues did last" not in text


def test_a_correction_that_waits_is_found_again_by_its_asker_and_a_supervisor(
    desk, stan, sue, ada, client_of
):
    adjusted = adjust_points(
        member=ada, points=1_500, cause=Cause.GOODWILL, text="Waited long", key=uuid4(), at=NOON, by=stan
    )
    page = Page(desk.get(card_of(ada)))
    assert "Waits for approval: +1,500\u00a0points, asked by you" in page.text
    assert card_of(ada, f"adjust/{adjusted.approval.pk}/") in page.hrefs()
    page = Page(in_english(client_of(sue)).get(card_of(ada)))
    assert "asked by Стан Козлов" in page.text
    assert f"/console/approvals/{adjusted.approval.pk}/" in page.hrefs()
    withdraw_approval(approval=adjusted.approval, at=NOON, by=stan)
    assert "Waits for approval" not in read(desk, ada)


def test_an_inviter_can_be_noted_for_a_week_and_where_there_is_none(desk, ada, ben):
    def offers(member: Member) -> bool:
        return any("/attach/" in href for href in Page(desk.get(card_of(member))).hrefs())

    Member.objects.update(joined_at=NOON - timedelta(days=7))
    assert offers(ben)
    Member.objects.update(joined_at=NOON - timedelta(days=7, seconds=1))
    assert not offers(ben)
    Member.objects.update(joined_at=NOON)
    invited_by(ada, ben)
    assert not offers(ben)


def test_balance_and_tier_come_before_the_lists(desk, ada):
    headings = [values.get("id") for tag, values in Page(desk.get(card_of(ada))).tags if tag == "h2"]
    assert headings == [
        "actions", "balance", "tier", "contacts", "people", "operations", "orders", "messages"
    ]  # fmt: skip


def test_what_a_friend_paid_is_for_supervisors_only(desk, ada, ben, sue, paid, client_of):
    tiers = [tier_spec("Bronze", 0, referral_rate=Decimal("0.02"))]
    publish_rule_set(
        rule_set=create_draft(tiers=tiers), effective_at=LONG_AGO, published_at=NOON, reason="A test"
    )
    invited_by(ada, ben)
    paid(ben, 5_000)
    for part in ("", "operations/"):
        assert "Friend’s order: Бен С." in read(desk, ada, part)
        assert "5,000" not in read(desk, ada, part)
    assert "5,000\u00a0₽ × 2%" in read(in_english(client_of(sue)), ada, "operations/")


def test_orders_lead_supervisors_to_why_they_earned_so_much(desk, ada, sue, paid, client_of):
    address = f"/console/orders/{paid(ada, 1_000).pk}/"

    for part in ("", "orders/"):
        assert address in Page(in_english(client_of(sue)).get(card_of(ada, part))).hrefs()
        assert address not in Page(desk.get(card_of(ada, part))).hrefs()


def test_staff_read_titles_of_messages_and_supervisors_all(desk, ada, sue, paid, client_of):
    paid(ada, 1_000)
    assert "points for order A-1" in read(desk, ada, "messages/")
    assert "can be spent" not in read(desk, ada, "messages/")
    assert "can be spent" in read(in_english(client_of(sue)), ada, "messages/")


def test_whole_contacts_in_what_is_about_security_are_read_by_nobody_else(desk, ada, sue, client_of):
    told(ada, "email_changed", contact="new.address@example.com", before="old.address@example.com")
    for page in ("", "messages/"):
        shown = read(in_english(client_of(sue)), ada, page)
        assert "Your e-mail has been changed" in shown
        assert "address@example.com" not in shown
        assert "192.0.2.7" not in shown


def test_messages_are_read_without_their_links_and_stay_unseen(desk, ada, ben):
    earn(ada, 500)
    gift(ada, ben, 100)
    answer = desk.get(card_of(ada))
    assert "not seen yet" in Page(answer).text
    assert not [href for href in Page(answer).hrefs() if "/transfer/" in href and "/console/" not in href]
    desk.get(card_of(ada, "messages/"))
    assert Message.objects.filter(member=ada).exclude(seen_at=None).count() == 0


def test_a_message_says_what_became_of_its_letter(desk, ada):
    def told(outcome: str, *, sent_at=None, wants_letter: bool = True) -> None:
        Message.objects.update_or_create(
            member=ada,
            kind="tier_changed",
            defaults={
                "facts": {"tier": "Silver", "is_higher": True, "coefficient": "0.05"},
                "happened_at": NOON,
                "wants_letter": wants_letter,
                "letter_outcome": outcome,
                "letter_sent_at": sent_at,
            },
        )

    for outcome, at, words in (
        ("sent", NOON, "· Letter sent by e-mail"),
        ("refused", None, "· Letter not sent: the mail server did not take it"),
        ("", None, "· Letter waiting to be sent"),
    ):
        told(outcome, sent_at=at)
        assert words in read(desk, ada)
        assert words in read(desk, ada, "messages/")
    told("", wants_letter=False)
    assert "· Letter" not in read(desk, ada, "messages/")


# Contacts


@pytest.fixture
def julia(db) -> Member:
    return MemberFactory(
        first_name="Юлия",
        last_name="Щербакова",
        phone="+79161234567",
        email="julia@example.com",
        email_verified_at=NOON,
    )


def test_contacts_are_masked_until_they_are_asked_for_and_shown_once(desk, stan, julia):
    answer = desk.get(card_of(julia))
    assert "+7\u00a0···\u00a0···\u00a045-67" in Page(answer).text
    assert "E-mail confirmed j•••@example.com" in Page(answer).text
    for secret in ("julia@", "123-45", "+79161234567"):
        assert secret not in answer.content.decode()

    assert desk.post(card_of(julia, "contacts/")).headers["Location"] == card_of(julia)
    shown = read(desk, julia)
    assert "+7\u00a0916\u00a0123-45-67" in shown
    assert "julia@example.com" in shown
    assert "julia@example.com" not in read(desk, julia)

    [record] = AuditRecord.objects.filter(action="contacts_shown")
    assert (record.member, record.actor_id, record.actor_role) == (julia, stan.pk, "staff")
    assert "example.com" not in str(record.facts)


def test_contacts_of_one_are_not_shown_on_the_card_of_another(desk, julia, ben):
    desk.post(card_of(julia, "contacts/"))
    assert "ben@example.com" not in read(desk, ben)
    assert "julia@example.com" not in read(desk, julia)


def test_an_address_shows_no_contacts(desk, julia, ada, client_of):
    assert desk.get(card_of(julia, "contacts/")).status_code == 405
    assert client_of(ada).post(card_of(julia, "contacts/")).status_code == 403
    assert AuditRecord.objects.filter(action="contacts_shown").count() == 0


# What is written down


def test_each_look_is_written_down_with_the_page(desk, stan, ada):
    for part in ("", *LISTS, ""):
        read(desk, ada, part)
    assert looks() == [
        (ada.number, page) for page in ("member", "operations", "orders", "messages", "member")
    ]
    for record in AuditRecord.objects.filter(action="looked_at"):
        assert (record.actor_id, record.actor_role, record.happened_at) == (stan.pk, "staff", NOON)


# Lists


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("part", ["", *LISTS])
def test_long_lists_ask_as_much_as_short_ones(desk, ada, ben, paid, part):
    gifts(ada, 1)
    paid(ada, 1_000)
    invited_by(ada, ben)
    desk.get(card_of(ada, part))
    with_one = queries(desk, card_of(ada, part))
    for number in range(30):
        paid(ada, 1_000, at=NOON + timedelta(minutes=number))
    gifts(ada, 30)
    assert queries(desk, card_of(ada, part)) == with_one


@pytest.mark.parametrize("part", LISTS)
def test_lists_go_on_by_cursors(desk, ada, paid, part):
    gifts(ada, 30)
    for _number in range(30):
        paid(ada, 1_000)
    address = card_of(ada, part)
    first = Page(desk.get(address))
    [older] = first.hrefs(rel="next")
    second = Page(desk.get(address + older))
    assert second.text != first.text
    [newer] = second.hrefs(rel="prev")
    assert Page(desk.get(address + newer)).text == first.text


@pytest.mark.parametrize("part", LISTS)
def test_a_place_beyond_a_list_leads_to_its_beginning_and_is_no_look(desk, ada, part):
    answer = desk.get(card_of(ada, part) + "?before=1")
    assert answer.headers["Location"] == card_of(ada, part)
    assert looks() == []


def test_an_empty_list_says_so(desk, ben):
    assert "No points have moved yet." in read(desk, ben, "operations/")
    assert "No orders yet." in read(desk, ben, "orders/")
    assert "The programme has not written to this member yet." in read(desk, ben, "messages/")


def test_a_transfer_in_the_list_leads_to_its_page_of_the_console(desk, ada, ben):
    earn(ada, 500)
    given = gift(ada, ben, 100)
    page = Page(desk.get(card_of(ada, "operations/")))
    assert f"/console/transfers/{given.number}/" in page.hrefs()
