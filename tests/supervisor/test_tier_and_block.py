"""Tiers that a supervisor sets by hand, accounts that staff block, and an inviter named from the card."""

from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts import services as accounts_services
from accounts.models import AuditRecord, Message
from accounts.roles import Role
from loyalty.errors import FloorIgnored, ReasonNeeded, TierUnknown
from loyalty.models import Standing, TierChange
from loyalty.queries.balance import balance
from loyalty.queries.standing import standing_card
from loyalty.services.blocking import block_member
from orders.services.orders import refund_order
from supervisor.errors import FloorAlready, OwnAccount
from supervisor.services.tiers import set_tier
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import new_key
from tests.pages import Page
from tests.supervisor.given import in_english

WHY = "Promised at the anniversary"


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
def office(sue, client_of) -> Client:
    """The supervisor's browser, in English."""
    return in_english(client_of(sue))


def keeping_floors():
    """The edition in force keeps tiers that are set by hand."""
    return publish_edition(("Blue", 0), ("Green", 20), ("Red", 30), tier_lowering="down_to_floor")


def page_of(member, part: str) -> str:
    return f"/console/members/{member.number}/{part}/"


# A tier by hand


def test_case_49_tier_does_not_fall_below_what_is_set_by_hand(ada, office, paid):
    keeping_floors()
    order = paid(ada, 30)

    answer = office.post(page_of(ada, "tier"), {"floor": "1", "reason": WHY})
    assert answer["Location"] == f"/console/members/{ada.number}/"
    refund_order(order=order, key=new_key(), refunded_at=NOON, is_whole=True)

    standing = Standing.objects.get(member=ada)
    assert (standing.tier.name, standing.paid_sum) == ("Green", Decimal(0))


def test_tier_rises_at_once_and_the_member_is_told(ada, sue, office):
    keeping_floors()

    office.post(page_of(ada, "tier"), {"floor": "2", "reason": WHY})

    assert standing_card(ada, NOON).tier.name == "Red"
    change = TierChange.objects.get(cause="by_hand")
    assert (change.actor_id, change.reason) == (sue.pk, WHY)
    told = Message.objects.get(member=ada)
    assert (told.kind, told.facts["tier"]) == ("tier_changed", "Red")
    kept = AuditRecord.objects.get(action="tier_set")
    assert (kept.member, kept.actor_id, kept.actor_role) == (ada, sue.pk, "supervisor")
    assert kept.facts == {"position": 2, "tier": "Red"}


def test_journal_names_the_tier_that_was_set_not_the_one_reached(ada, sue, office, paid):
    keeping_floors()
    paid(ada, 30)

    office.post(page_of(ada, "tier"), {"floor": "1", "reason": WHY})
    office.post(page_of(ada, "tier"), {"floor": "none", "reason": WHY})

    kept = AuditRecord.objects.filter(action="tier_set").order_by("pk")
    assert [record.facts for record in kept] == [
        {"position": 1, "tier": "Green"},
        {"position": None, "tier": ""},
    ]


def test_tier_by_hand_is_taken_back(ada, office):
    keeping_floors()
    office.post(page_of(ada, "tier"), {"floor": "2", "reason": WHY})

    page = office.get(page_of(ada, "tier"))
    assert "Set by hand Red" in Page(page).text
    office.post(page_of(ada, "tier"), {"floor": "none", "reason": "It was for a year"})

    assert standing_card(ada, NOON).tier.name == "Blue"
    assert Standing.objects.get(member=ada).floor_position is None


def test_same_form_sent_again_changes_nothing(ada, sue, office):
    keeping_floors()
    office.post(page_of(ada, "tier"), {"floor": "1", "reason": WHY})

    again = office.post(page_of(ada, "tier"), {"floor": "1", "reason": WHY}, follow=True)

    assert "nothing was changed" in Page(again).text
    assert TierChange.objects.filter(cause="by_hand").count() == 1
    assert AuditRecord.objects.filter(action="tier_set").count() == 1
    with pytest.raises(FloorAlready):
        set_tier(member=ada, position=1, reason=WHY, at=NOON, by=sue)


def test_edition_that_lowers_at_once_takes_no_tier_by_hand(ada, sue, office):
    publish_edition(("Blue", 0), ("Green", 20), tier_lowering="at_once")

    page = Page(office.get(page_of(ada, "tier")))
    assert "no tier can be set by hand" in page.text
    assert "floor" not in page.values("name")
    assert office.post(page_of(ada, "tier"), {"floor": "1", "reason": WHY}).status_code == 422
    with pytest.raises(FloorIgnored):
        set_tier(member=ada, position=1, reason=WHY, at=NOON, by=sue)


def test_what_is_wrong_is_said_and_the_rest_is_kept(ada, sue, office):
    keeping_floors()

    for sent, sentence in [
        ({"floor": "7", "reason": WHY}, "no such tier"),
        ({"floor": "", "reason": WHY}, "Choose a tier"),
        ({"floor": "1", "reason": " "}, "Say why"),
    ]:
        answer = office.post(page_of(ada, "tier"), sent)
        assert answer.status_code == 422
        assert sentence in Page(answer).text
        if sent["reason"].strip():
            assert WHY in answer.content.decode()
    with pytest.raises(TierUnknown):
        set_tier(member=ada, position=7, reason=WHY, at=NOON, by=sue)
    with pytest.raises(ReasonNeeded):
        set_tier(member=ada, position=1, reason=" ", at=NOON, by=sue)
    assert not AuditRecord.objects.filter(action="tier_set").exists()


def test_tiers_are_for_supervisors_and_never_their_own(ada, ben, sue, desk, office, client_of, client):
    keeping_floors()
    accounts_services.assign_role(user=ada.user, role=Role.SUPERVISOR)
    address = page_of(ada, "tier")

    assert office.get(address).status_code == 200
    assert desk.get(address).status_code == 403
    assert desk.post(address, {"floor": "1", "reason": WHY}).status_code == 403
    assert client_of(ben).get(address).status_code == 403
    assert client.get(address).status_code == 302
    assert client_of(ada).post(address, {"floor": "1", "reason": WHY}).status_code == 403
    with pytest.raises(OwnAccount):
        set_tier(member=ada, position=1, reason=WHY, at=NOON, by=ada.user)
    assert not TierChange.objects.filter(cause="by_hand").exists()


# Blocks


def test_account_is_blocked_and_opened_from_the_card(ada, stan, desk):
    page = Page(desk.get(page_of(ada, "block")))
    assert "Block the account of" in page.text
    assert "The transfer itself" not in page.text

    blocked = desk.post(page_of(ada, "block"), {"reason": "Asked for it"})
    assert blocked["Location"] == f"/console/members/{ada.number}/"
    assert balance(account_id=ada.pk, at=NOON).is_blocked
    kept = AuditRecord.objects.get(action="account_blocked")
    assert (kept.actor_id, kept.facts) == (stan.pk, {"reason": "Asked for it"})

    desk.post(page_of(ada, "unblock"), {"reason": "Settled"})
    assert not balance(account_id=ada.pk, at=NOON).is_blocked


def test_blocked_account_is_not_blocked_again(ada, desk):
    block_member(member=ada, at=NOON, actor_id=None, reason="x")

    answer = desk.get(page_of(ada, "block"), follow=True)

    assert "This account is blocked already." in Page(answer).text


def test_block_needs_a_reason(ada, desk):
    answer = desk.post(page_of(ada, "block"), {"reason": ""})

    assert answer.status_code == 422
    assert "Say why" in Page(answer).text
    assert not balance(account_id=ada.pk, at=NOON).is_blocked


@pytest.mark.parametrize("part", ["block", "unblock"])
def test_blocks_are_for_staff_and_never_their_own(ada, ben, desk, client_of, client, part):
    if part == "unblock":
        block_member(member=ada, at=NOON, actor_id=None, reason="x")
    address = page_of(ada, part)

    assert desk.get(address).status_code == 200
    assert client_of(ben).post(address, {"reason": "x"}).status_code == 403
    assert client.post(address, {"reason": "x"}).status_code == 302
    accounts_services.assign_role(user=ada.user, role=Role.STAFF)
    assert client_of(ada).post(address, {"reason": "x"}).status_code == 403
    assert balance(account_id=ada.pk, at=NOON).is_blocked == (part == "unblock")


@pytest.mark.parametrize("part", ["tier", "block", "unblock"])
def test_unknown_number_and_sandbox_are_not_found(office, part):
    for member in (MemberFactory.build(), MemberFactory(is_sandbox=True)):
        assert office.get(page_of(member, part)).status_code == 404
        assert office.post(page_of(member, part), {"reason": "x"}).status_code == 404


# The card leads to all of it


def test_card_leads_to_what_may_be_done(ada, desk, office):
    own = f"/console/members/{ada.number}/"
    links = Page(desk.get(own)).hrefs()

    assert {f"{own}sale/", f"{own}adjust/", f"{own}block/"} <= set(links)
    assert f"{own}tier/" not in links
    assert f"{own}tier/" in Page(office.get(own)).hrefs()
    block_member(member=ada, at=NOON, actor_id=None, reason="x")
    assert f"{own}unblock/" in Page(desk.get(own)).hrefs()


def test_inviter_is_attached_with_the_member_of_the_card_filled_in(ada, desk):
    own = f"/console/members/{ada.number}/"
    (link,) = [link for link in Page(desk.get(own)).hrefs() if "/invitations/attach/" in link]

    assert "\u00a0".join(ada.number[at : at + 4] for at in (0, 4, 8)) in Page(desk.get(link)).values("value")
    other = Page(desk.get("/console/invitations/attach/?member=ada@example.com"))
    assert "ada@example.com" not in other.values("value")


def test_an_account_with_the_email_of_ones_login_is_ones_own(desk, stan):
    made_at_a_till = MemberFactory(email=stan.email)

    for part in ("block", "sale", "adjust"):
        response = desk.get(page_of(made_at_a_till, part))
        assert (response.status_code, "This is about your own account" in Page(response).text) == (403, True)
    accounts_services.assign_role(user=stan, role=Role.SUPERVISOR)
    with pytest.raises(OwnAccount):
        set_tier(member=made_at_a_till, position=1, reason=WHY, at=NOON, by=stan)
