"""What an inviter sees of their invitations: every state, totals as in the ledger, page by page."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from accounts.numbers import new_member_numbers
from loyalty.models import Credit, Posting
from orders.services.orders import refund_order
from referrals.models import Flag, How, Invitation, Referral, Reward
from referrals.queries import InvitationsPage, State, invitations_page, totals
from referrals.services import attach_inviter, count_visit, decide_flags, raise_flag
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.referrals.friends import broken_promises, click_on_link, invite, join, publish

LATER = NOON + timedelta(days=15)


def friend_of(inviter: Member, first_name: str) -> Member:
    friend = MemberFactory(first_name=first_name, last_name="Петрова")
    invite(inviter, friend, since_at=NOON)
    return friend


@pytest.fixture
def many_ways(ada, paid):
    """Friends who have come as far as one can, each by another way."""
    publish(referral_waiting_days=14)
    count_visit(click=click_on_link(ada), at=NOON)
    join(click_on_link(ada), "ada+1@example.com")
    friend_of(ada, "Signed")
    paid(friend_of(ada, "Bought"), 50)
    paid(friend_of(ada, "Credited"), 1_000)
    returned = paid(friend_of(ada, "Returned"), 2_000)
    refund_order(order=returned, key=uuid4(), refunded_at=AN_HOUR_LATER, is_whole=True)
    for name, decision in (("Held", None), ("Ended", Flag.Decision.ONE_PERSON)):
        friend = friend_of(ada, name)
        raise_flag(referral=friend.referral, kind=Flag.Kind.TOO_QUICK, at=NOON)
        paid(friend, 3_000)
        if decision:
            decide_flags(
                referral=friend.referral, decision=decision, reason="A test", at=AN_HOUR_LATER, actor_id=1
            )
    paid(friend_of(ada, "Pending"), 4_000, at=LATER)


def test_every_state_and_reason(ada, many_ways):
    rows = invitations_page(member=ada, at=LATER).rows

    assert [(row.name, row.state) for row in rows] == [
        ("Pending П.", State.PENDING),
        ("Ended П.", State.ENDED),
        ("Held П.", State.HELD),
        ("Returned П.", State.TAKEN_BACK),
        ("Credited П.", State.CREDITED),
        ("Bought П.", State.BOUGHT),
        ("Signed П.", State.SIGNED_UP),
        ("Мария П.", State.REFUSED),
        ("", State.VISITED),
    ]
    pending, ended, held, returned, credited, *_others, refused, visited = rows
    assert (pending.pending_points, pending.pending_until_at) == (40, LATER + timedelta(days=14))
    assert (ended.taken_back_points, ended.taken_back_for) == (30, "one_person")
    assert (held.held_points, held.pending_points, held.pending_until_at) == (30, 0, None)
    assert (returned.taken_back_points, returned.taken_back_for, returned.orders_count) == (20, "returned", 0)
    assert (credited.credited_points, credited.orders_count) == (10, 1)
    assert (refused.refusal, refused.joined_at) == ("same_email", NOON)
    assert (visited.visited_at, visited.joined_at) == (NOON, None)


def test_totals_are_those_of_the_list_and_of_the_ledger(ada, many_ways):
    found = totals(ada, LATER)

    assert (found.visits, found.sign_ups, found.buyers) == (1, 7, 5)
    assert (found.credited_points, found.pending_points, found.held_points) == (10, 40, 30)
    assert found.taken_back_points == 20 + 30
    rows = invitations_page(member=ada, at=LATER).rows
    for name in ("credited_points", "pending_points", "held_points", "taken_back_points"):
        assert sum(getattr(row, name) for row in rows) == getattr(found, name), name
    shares = Posting.objects.filter(purpose="referral", kind=Posting.Kind.CREDIT)
    kept = sum(
        credit.points - credit.taken_back_points
        for credit in Credit.objects.filter(pk__in=shares.values("pk"))
    )
    assert kept == found.credited_points + found.pending_points + found.held_points
    assert broken_promises() == set()


def test_nobody_sees_anothers_invitations(ben, many_ways):
    assert invitations_page(member=ben, at=LATER) == InvitationsPage([], None, None)
    assert set(vars(totals(ben, LATER)).values()) == {0}


def test_pages_follow_each_other_both_ways(ada, many_ways):
    whole = [row.invitation_id for row in invitations_page(member=ada, at=LATER).rows]

    first = invitations_page(member=ada, at=LATER, limit=4)
    second = invitations_page(member=ada, at=LATER, limit=4, before=first.older_cursor)
    third = invitations_page(member=ada, at=LATER, limit=4, before=second.older_cursor)

    assert [row.invitation_id for page in (first, second, third) for row in page.rows] == whole
    assert (first.newer_cursor, third.older_cursor) == (None, None)
    assert invitations_page(member=ada, at=LATER, limit=4, after=third.newer_cursor).rows == second.rows
    back = invitations_page(member=ada, at=LATER, limit=4, after=second.newer_cursor)
    assert (back.rows, back.newer_cursor) == (first.rows, None)
    assert invitations_page(member=ada, at=LATER, limit=4, before=back.older_cursor).rows == second.rows


def bring_friends(inviter: Member, count: int) -> None:
    """So many friends with two orders each, as rows: only reading them is of interest."""
    friends = Member.objects.bulk_create(
        Member(number=number, first_name="Мария", last_name="Петрова", joined_at=NOON)
        for number in new_member_numbers(count)
    )
    referrals = Referral.objects.bulk_create(
        Referral(inviter=inviter, invited=friend, since_at=NOON, orders_count=2, first_bought_at=NOON)
        for friend in friends
    )
    Invitation.objects.bulk_create(
        Invitation(
            inviter=inviter,
            token=uuid4(),
            how=How.LINK,
            visited_at=NOON,
            invited_id=referral.invited_id,
            answered_at=NOON,
            referral=referral,
        )
        for referral in referrals
    )
    begin = Reward.objects.count()
    rule_set_id = publish().pk
    Reward.objects.bulk_create(
        Reward(
            referral=referral,
            order_id=begin + place,
            credit_id=begin + place,
            rule_set_id=rule_set_id,
            points=10,
            rewarded_at=NOON,
            available_at=NOON,
        )
        for place, referral in enumerate(referrals * 2)
    )


def statements_of_page(browser: Client) -> int:
    # The first look makes the code.
    browser.get("/invite/")
    with CaptureQueriesContext(connection) as captured:
        assert browser.get("/invite/").status_code == 200
    return len(captured)


def statements(inviter: Member) -> int:
    with CaptureQueriesContext(connection) as captured:
        totals(inviter, NOON)
        page = invitations_page(member=inviter, at=NOON)
        invitations_page(member=inviter, at=NOON, before=page.older_cursor)
    return len(captured)


def test_three_and_five_thousand_friends_take_the_same_statements(ada, ben, client_of):
    bring_friends(ada, 3)
    bring_friends(ben, 5_000)

    assert statements(ada) == statements(ben) == 3
    assert len(invitations_page(member=ben, at=NOON).rows) == 25
    assert totals(ben, NOON).credited_points == 100_000
    few, many = (statements_of_page(client_of(member)) for member in (ada, ben))
    assert few == many


def test_an_inviter_who_is_attached_anew_is_one_invitation(ada, ben):
    for _time in range(2):
        attach_inviter(inviter=ada, invited=ben, since_at=NOON, how=How.TILL)

    assert len(invitations_page(member=ada, at=NOON).rows) == 1
