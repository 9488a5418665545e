"""A friend comes by a link, joins and buys, page by page, and the inviter sees what becomes of it."""

import re
from datetime import timedelta

import pytest

from loyalty.models import PointsAccount
from referrals.models import Flag, Invitation, Referral
from referrals.queries import totals
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.orders.shop import balance_of
from tests.pages import Page
from tests.referrals.pages.friends import arrive, edition, join, member_of, path_of

STEPS = (
    r"Visits by your link (\d+) Friends who joined (\d+) Friends who have bought (\d+) "
    r"Friends who brought you points (\d+)"
)


def steps_on(page: Page) -> list[int]:
    """The numbers of the funnel, as the page says them."""
    return [int(number) for number in re.search(STEPS, page.text).groups()]


def test_a_friend_joins_by_the_link_and_buys(ada, browser_of, visitor, paid, clock):
    edition()
    inviter, friend = browser_of(ada), visitor()
    path = path_of(inviter)

    landing = Page(arrive(friend, path))
    assert "Ада invites you to Ballada" in landing.text
    assert "200\u00a0points for you, as soon as you have joined." in landing.text
    assert "1 person opened your link and has not joined" in Page(inviter.get("/invite/")).text

    clock.shift(timedelta(minutes=5))
    assert friend.post(path).headers["Location"] == "/accounts/signup/"
    sign_up = Page(friend.get("/accounts/signup/"))
    assert "Ада invites you. You get 200\u00a0points as soon as you have joined." in sign_up.text
    first_page = Page(join(friend))
    assert "You joined by an invitation: Ада." in first_page.text
    assert "You got 200\u00a0points as a welcome." in first_page.text
    assert friend.cookies["invitation"].value == ""

    maria = member_of()
    assert Referral.objects.get().inviter == ada
    assert balance_of(maria).available_points == 200
    list_page = Page(inviter.get("/invite/"))
    assert "Мария signed up" in list_page.text
    assert steps_on(list_page) == [1, 1, 0, 0]
    assert "0\u00a0points credited to you" in list_page.text

    paid(maria, 10_000, at=NOON + timedelta(minutes=6))
    clock.shift(timedelta(minutes=5))
    after = Page(inviter.get("/invite/"))
    assert steps_on(after) == [1, 1, 1, 1]
    assert "200\u00a0points credited to you" in after.text
    assert "plus 200\u00a0points" in after.text


def test_points_that_wait_stand_apart(ada, browser_of, visitor, paid, clock):
    edition(referral_waiting_days=14)
    inviter, friend = browser_of(ada), visitor()
    arrive(friend, path_of(inviter))
    clock.shift(timedelta(minutes=5))
    join(friend)
    paid(member_of(), 10_000, at=NOON + timedelta(minutes=6))
    clock.shift(timedelta(minutes=5))

    text = Page(inviter.get("/invite/")).text

    assert "0\u00a0points credited to you Pending, not in your balance yet 200\u00a0points" in text
    assert "pending until 24 March 2026" in text
    assert balance_of(ada, NOON + timedelta(minutes=10)).available_points == 0


def test_totals_equal_the_list_and_the_ledger(ada, browser_of, visitor, paid, clock):
    edition(welcome_points=0)
    inviter = browser_of(ada)
    path = path_of(inviter)
    for number, total in enumerate((1_000, 2_500, 0), start=1):
        friend = visitor()
        arrive(friend, path)
        clock.shift(timedelta(minutes=5))
        join(friend, email=f"friend{number}@example.com", first_name=f"Friend{number}")
        if total:
            paid(member_of(f"friend{number}@example.com"), total, at=NOON + timedelta(hours=1))
    clock.move_to(NOON + timedelta(hours=2))

    page = inviter.get("/invite/")

    brought = totals(ada, NOON + timedelta(hours=2))
    rows = page.context["friends"]
    assert brought.credited_points == sum(row.credited_points for row in rows) == 20 + 50
    assert brought.credited_points == PointsAccount.objects.get(pk=ada.pk).available_points
    assert brought.rewarding == sum(row.credited_points > 0 for row in rows)
    assert (brought.visits, brought.sign_ups, brought.buyers, brought.rewarding) == (3, 3, 2, 2)
    funnel = page.context["funnel"]
    assert [row.number for row in funnel] == [3, 3, 2, 2]
    # A bar is as long as its share of the longest; a number that stands in words needs no colour.
    assert [row.share for row in funnel] == [100, 100, 67, 67]
    assert steps_on(Page(page)) == [3, 3, 2, 2]


def test_nobody_is_joined_to_an_inviter_without_an_invitation(ada, browser_of, visitor):
    path_of(browser_of(ada))
    friend = visitor()

    page = Page(join(friend))

    assert (Referral.objects.count(), Invitation.objects.count()) == (0, 0)
    assert "invitation" not in page.text


def test_the_last_link_before_joining_counts(ada, ben, browser_of, visitor, clock):
    friend = visitor()
    arrive(friend, path_of(browser_of(ada)))
    clock.shift(timedelta(hours=1))
    arrive(friend, path_of(browser_of(ben)))
    clock.shift(timedelta(hours=1))

    join(friend)

    assert Referral.objects.get().inviter == ben
    assert Invitation.objects.get(inviter=ada).invited is None


def test_an_invitation_belongs_to_the_browser_that_came_by_it(ada, browser_of, visitor, clock):
    here, elsewhere = visitor(), visitor()
    arrive(here, path_of(browser_of(ada)))
    clock.shift(timedelta(hours=1))

    join(elsewhere)

    assert Referral.objects.count() == 0
    assert Invitation.objects.get().invited is None
    assert "invitation" in here.cookies


def test_who_closes_the_browser_and_comes_back_is_still_invited(ada, browser_of, visitor, clock):
    friend = visitor()
    arrive(friend, path_of(browser_of(ada)))
    clock.shift(timedelta(days=29, hours=23))

    assert "Ада invites you." in Page(friend.get("/accounts/signup/")).text
    join(friend)

    assert Referral.objects.get().inviter == ada


def test_a_sign_up_after_the_cookies_life_is_refused_and_says_why(ada, browser_of, visitor, clock):
    inviter, friend = browser_of(ada), visitor()
    arrive(friend, path_of(inviter))
    clock.shift(timedelta(days=30, minutes=1))
    # A browser whose clock stands still sends it all the same.
    assert "invites you" not in Page(friend.get("/accounts/signup/")).text

    page = Page(join(friend))

    assert Referral.objects.count() == 0
    assert "invitation" not in page.text
    text = Page(browser_of(ada).get("/invite/")).text
    assert "The friend joined more than 30 days after opening the link." in text


@pytest.mark.parametrize("same", ["A.da+friend@example.com", "ADA+1@example.com"])
def test_ones_own_mailbox_is_no_friend(ada, browser_of, visitor, clock, same):
    inviter, friend = browser_of(ada), visitor()
    arrive(friend, path_of(inviter))
    clock.shift(timedelta(hours=1))

    page = Page(join(friend, email=same))

    assert Referral.objects.count() == 0
    assert "invitation" not in page.text
    assert "The friend’s e-mail is also yours" in Page(inviter.get("/invite/")).text


def test_a_doubted_welcome_waits_and_nobody_is_accused(ada, browser_of, visitor, clock):
    edition()
    inviter, friend = browser_of(ada), visitor()
    arrive(friend, path_of(inviter))
    clock.shift(timedelta(seconds=5))

    page = Page(join(friend))

    assert "You get 200\u00a0points as a welcome when we have checked the invitation." in page.text
    assert Flag.objects.get().kind == Flag.Kind.TOO_QUICK
    assert balance_of(member_of(), NOON + timedelta(hours=1)).available_points == 0


def test_a_browser_that_the_inviter_uses_is_noticed(ada, browser_of, clock):
    browser = browser_of(ada)
    path = path_of(browser)
    browser.post("/accounts/logout/")
    arrive(browser, path)
    clock.shift(timedelta(hours=1))

    join(browser)

    assert Flag.objects.get().kind == Flag.Kind.SAME_DEVICE
    assert Referral.objects.get().inviter == ada


def test_a_member_of_the_till_who_gets_a_login_is_nobodys_friend(ada, browser_of, visitor, clock):
    maria = MemberFactory(email="maria@example.com", email_verified_at=NOON, joined_at=NOON - timedelta(9))
    inviter, friend = browser_of(ada), visitor()
    arrive(friend, path_of(inviter))
    clock.shift(timedelta(hours=1))

    join(friend)

    assert member_of() == maria
    assert Referral.objects.count() == 0
    assert "This friend was in the programme already." in Page(inviter.get("/invite/")).text


def test_a_link_that_was_replaced_meanwhile_promises_nothing_more(ada, browser_of, visitor, clock):
    inviter, friend = browser_of(ada), visitor()
    path = path_of(inviter)
    arrive(friend, path)
    inviter.post("/invite/new-link/", {"code": path.split("/")[2]})
    clock.shift(timedelta(hours=1))

    assert "invites you" not in Page(friend.get("/accounts/signup/")).text
    join(friend)

    assert Referral.objects.count() == 0
    assert "You had replaced the link before this friend joined." in Page(inviter.get("/invite/")).text
