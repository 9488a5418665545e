"""The browsers that members use: each has a token, whoever signs in there."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.devices import COOKIE, COOKIE_AGE, COOKIE_SALT, device_token_of
from accounts.middleware import NOTED_EVERY_SECONDS
from accounts.models import Device
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("noon")

PAGE = "/accounts/password/change/"


def devices() -> list[tuple[int, UUID]]:
    return list(Device.objects.order_by("pk").values_list("member_id", "token"))


def token_in(browser: Client) -> UUID | None:
    """What another request of this browser would be known by."""
    request = RequestFactory().get("/")
    request.COOKIES.update({name: morsel.value for name, morsel in browser.cookies.items()})
    return device_token_of(request)


def sign_in(browser: Client, member) -> Client:
    answer = browser.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    assert answer.status_code == 302
    browser.get(PAGE)
    return browser


def test_browser_of_a_member_is_given_a_token_and_noted(ada):
    browser = sign_in(Client(), ada)

    assert devices() == [(ada.pk, token_in(browser))]
    assert Device.objects.get().seen_at == NOON


def test_cookie_is_kept_from_scripts_and_other_sites(ada, settings):
    settings.SESSION_COOKIE_SECURE = True

    cookie = sign_in(Client(), ada).cookies[COOKIE]

    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == COOKIE_AGE.total_seconds()
    assert str(devices()[0][1]) in cookie.value


def test_browser_keeps_its_token_when_another_member_signs_in(ada, ben):
    browser = sign_in(Client(), ada)
    token = token_in(browser)
    browser.post("/accounts/logout/")
    assert token_in(browser) == token

    sign_in(browser, ben)

    assert devices() == [(ada.pk, token), (ben.pk, token)]


def test_two_browsers_of_a_member_are_two(ada):
    first, second = sign_in(Client(), ada), sign_in(Client(), ada)

    assert devices() == [(ada.pk, token_in(first)), (ada.pk, token_in(second))]
    assert token_in(first) != token_in(second)


def test_device_is_noted_once_and_when_it_was_seen_last(ada, noon):
    browser = sign_in(Client(), ada)
    token = token_in(browser)
    noon.move_to(AN_HOUR_LATER)

    browser.get(PAGE)

    assert devices() == [(ada.pk, token)]
    assert Device.objects.get().seen_at == AN_HOUR_LATER


def test_cookie_lives_a_year_from_the_last_use(ada, noon):
    browser = sign_in(Client(), ada)
    token = token_in(browser)
    noon.shift(COOKIE_AGE - timedelta(days=1))
    sign_in(browser, ada)
    noon.shift(timedelta(days=2))

    assert token_in(browser) == token

    noon.shift(COOKIE_AGE)
    assert token_in(browser) is None


def test_ordinary_pages_neither_ask_nor_write_about_devices(ada, noon):
    browser = sign_in(Client(), ada)
    noon.shift(timedelta(seconds=NOTED_EVERY_SECONDS - 1))

    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(PAGE)

    assert not any("device" in query["sql"] for query in captured)
    assert COOKIE not in answer.cookies


def test_visitors_and_staff_without_a_member_get_none(stan, client_of):
    visitor, staff = Client(), client_of(stan)
    visitor.get("/accounts/login/")
    assert staff.get(PAGE).status_code == 200

    assert token_in(visitor) is None
    assert token_in(staff) is None
    assert Device.objects.count() == 0
    assert Session.objects.count() == 1


def signed(text: str, salt: str) -> str:
    return signing.get_cookie_signer(salt=COOKIE + salt).sign(text)


TOKEN = "2f1a7c9e-3b64-4d1e-9a5b-0c8d7e6f5a43"
FALSE_COOKIES = {
    "empty": lambda: "",
    "no signature": lambda: TOKEN,
    "forged": lambda: f"{TOKEN}:1xV4kX:forged",
    "signed for something else": lambda: signed(TOKEN, "another"),
    "another token under a signature": lambda: signed(TOKEN, COOKIE_SALT).replace("2f1a", "2f1b"),
    "no token": lambda: signed("no token", COOKIE_SALT),
}


def test_signed_cookie_is_taken(ada):
    browser = Client()
    browser.cookies[COOKIE] = signed(TOKEN, COOKIE_SALT)

    sign_in(browser, ada)

    assert devices() == [(ada.pk, UUID(TOKEN))]


@pytest.mark.parametrize("value", FALSE_COOKIES.values(), ids=FALSE_COOKIES)
def test_forged_or_broken_cookie_is_none_and_is_replaced(ada, value):
    browser = Client()
    browser.cookies[COOKIE] = value()
    assert token_in(browser) is None

    sign_in(browser, ada)

    assert devices() == [(ada.pk, token_in(browser))]
    assert token_in(browser) not in (None, UUID(TOKEN))
