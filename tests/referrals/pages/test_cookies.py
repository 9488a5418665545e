"""What a browser remembers of an invitation, and that nobody can write it themselves."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import RequestFactory

from referrals.cookies import COOKIE, SALT, read_click, remembered_click, set_click
from referrals.models import Referral
from referrals.services.attaching import CLICK_LIFE, Click
from tests.clock import NOON
from tests.pages import Page
from tests.referrals.pages.friends import arrive, join, member_of, path_of

SAID = {"token": str(uuid4()), "code": "ABCD2345", "clicked_at": NOON.isoformat()}


def request_with(cookie: str):
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = cookie
    return request


def test_the_cookie_says_what_was_put_into_it():
    click = Click(token=uuid4(), code="ABCD2345", clicked_at=NOON)
    response = HttpResponse()
    set_click(response, click)

    assert read_click(request_with(response.cookies[COOKIE].value)) == click


def test_the_cookie_is_kept_from_scripts_and_other_sites(ada, browser_of, visitor, settings):
    path = path_of(browser_of(ada))
    cookie = visitor().get(path).cookies[COOKIE]

    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 30 * 24 * 60 * 60
    assert cookie["path"] == "/"
    assert cookie["secure"] == ""
    settings.SESSION_COOKIE_SECURE = True
    assert visitor().get(path).cookies[COOKIE]["secure"] is True


def test_a_valid_cookie_stays_and_another_link_replaces_it(ada, ben, browser_of, visitor, clock):
    friend = visitor()
    friend.get(path_of(browser_of(ada)))
    first = friend.cookies[COOKIE].value
    clock.shift(timedelta(days=3))

    assert COOKIE not in friend.get(path_of(browser_of(ada))).cookies
    assert friend.cookies[COOKIE].value == first

    friend.get(path_of(browser_of(ben)))
    assert friend.cookies[COOKIE].value != first


def test_an_old_cookie_of_the_same_link_begins_anew(ada, browser_of, visitor, clock):
    friend = visitor()
    friend.get(path_of(browser_of(ada)))
    first = friend.cookies[COOKIE].value
    clock.shift(CLICK_LIFE + timedelta(seconds=1))

    friend.get(path_of(browser_of(ada)))

    assert friend.cookies[COOKIE].value != first


def test_its_life_is_that_of_its_own_moment(clock):
    cookie = signing.dumps(SAID, salt=SALT)

    clock.move_to(NOON + CLICK_LIFE)
    assert read_click(request_with(cookie)) is not None
    clock.move_to(NOON + CLICK_LIFE + timedelta(seconds=1))
    assert read_click(request_with(cookie)) is None
    assert remembered_click(request_with(cookie)) is not None


BROKEN = {
    "nothing": "",
    "no signature": "abc",
    "another signature": signing.dumps(SAID, salt="another"),
    "another key": signing.dumps(SAID, salt=SALT, key="another"),
    "a list": signing.dumps([1], salt=SALT),
    "a text": signing.dumps("token", salt=SALT),
    "no token": signing.dumps({**SAID, "token": None}, salt=SALT),
    "a wrong token": signing.dumps({**SAID, "token": "x"}, salt=SALT),
    "no code": signing.dumps({"token": SAID["token"], "clicked_at": SAID["clicked_at"]}, salt=SALT),
    "no moment": signing.dumps({**SAID, "clicked_at": "yesterday"}, salt=SALT),
    "strange bytes": "\x00:\x00:\x00",
    "very long": "a:" * 3000,
}


@pytest.mark.parametrize("cookie", BROKEN.values(), ids=BROKEN)
def test_a_broken_cookie_is_none_and_no_sign_up_breaks_of_it(visitor, cookie):
    assert read_click(request_with(cookie)) is None
    friend = visitor()
    friend.cookies[COOKIE] = cookie

    assert friend.get("/accounts/signup/").status_code == 200
    assert join(friend).status_code == 200

    assert member_of().joined_at == NOON
    assert Referral.objects.count() == 0


def test_a_cookie_that_was_changed_brings_nobody(ada, ben, browser_of, visitor):
    friend = visitor()
    arrive(friend, path_of(browser_of(ada)))
    signed = friend.cookies[COOKIE].value
    head, rest = signed[:8], signed[8:]
    friend.cookies[COOKIE] = head.swapcase() + rest

    assert "invites you" not in Page(friend.get("/accounts/signup/")).text
    join(friend)

    assert Referral.objects.count() == 0


def test_a_token_of_one_link_does_not_count_for_another(ada, ben, browser_of, visitor, clock):
    """Two tabs: the page of the first link reports its visit after the second has replaced the cookie."""
    friend = visitor()
    first, second = path_of(browser_of(ada)), path_of(browser_of(ben))
    friend.get(first)
    friend.get(second)

    friend.post(f"{first}visit/")

    assert ada.invitations.count() == ben.invitations.count() == 0
