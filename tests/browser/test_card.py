"""The member's card in a real browser: it opens without a connection, for its own member alone."""

from collections.abc import Callable
from threading import Event

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Error, Page

from accounts.models import Member
from accounts.numbers import format_member_number
from tests.browser.conftest import cookies_in

PHONE = {"width": 320, "height": 640}
CARD = "/card/"
# The worker is there as soon as it has kept the card.
IS_KEPT = "navigator.serviceWorker.ready.then(() => true)"
KEPT_NAMES = "caches.keys()"

Cookies = list[dict[str, str]]


@pytest.fixture
def signed_in(site, client_of) -> Callable[[Member], Cookies]:
    """Gives what a browser holds in which that member has signed in."""

    def cookies(member: Member) -> Cookies:
        client: Client = client_of(member)
        client.cookies["django_language"] = "en"
        return cookies_in(client, site)

    return cookies


def visit_card(context: BrowserContext, site: str) -> Page:
    """The card's page, with the card kept."""
    page = context.new_page()
    page.goto(site + CARD)
    assert page.evaluate(IS_KEPT)
    return page


def holds_card(browser: Browser, cookies: Cookies, site: str) -> BrowserContext:
    """What remains open of a browser in which the card was kept."""
    context = browser.new_context()
    context.add_cookies(cookies)
    visit_card(context, site)
    return context


def card_without_connection(context: BrowserContext, site: str) -> str | None:
    """What a browser without a connection shows as the card; None where it shows none."""
    context.set_offline(True)
    page = context.new_page()
    try:
        page.goto(site + CARD)
        return page.locator("main").inner_text()
    except Error as refusal:
        if "ERR_INTERNET_DISCONNECTED" not in refusal.message:
            raise
        return None
    finally:
        page.close()
        context.set_offline(False)


def test_the_card_opens_without_a_connection(ada, site, signed_in, in_chromium):
    cookies, seen = signed_in(ada), {}

    def story(browser: Browser) -> None:
        context = browser.new_context(viewport=PHONE, color_scheme="dark")
        context.add_cookies(cookies)
        page = visit_card(context, site)
        seen["on its page"] = page.locator(".qr").bounding_box()
        context.set_offline(True)
        page.goto(site + CARD)
        seen["text"] = page.locator("main").inner_text()
        seen["code"] = page.locator(".qr").bounding_box()
        seen["ground"] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        seen["too wide"] = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        context.close()

    in_chromium(story)

    assert format_member_number(ada.number) in seen["text"]
    assert "Ада" in seen["text"]
    assert "points to spend" not in seen["text"]
    assert seen["on its page"]["width"] >= 240
    assert seen["code"]["width"] >= 240
    # The whole code is on the screen, and the styles are there, too.
    assert seen["code"]["y"] + seen["code"]["height"] <= PHONE["height"]
    assert seen["ground"] == "rgb(255, 255, 255)"
    assert not seen["too wide"]


@pytest.mark.parametrize("is_silent", [False, True], ids=["broken", "silent"])
def test_a_till_does_not_wait_for_a_server_in_trouble(
    ada, site, signed_in, in_chromium, monkeypatch, is_silent
):
    cookies, seen, looked = signed_in(ada), {}, Event()

    def trouble(*_arguments: object) -> None:
        if is_silent:
            looked.wait()
        raise RuntimeError("Nobody answers.")

    def next_visit(context: BrowserContext) -> None:
        page = context.new_page()
        try:
            page.goto(site + CARD, wait_until="commit")
            seen["text"] = page.locator("main").inner_text()
        finally:
            looked.set()
            context.close()

    context = in_chromium(lambda browser: holds_card(browser, cookies, site))
    monkeypatch.setattr("loyalty.views.card.standing_card", trouble)
    in_chromium(lambda _browser: next_visit(context))

    assert format_member_number(ada.number) in seen["text"]


def test_signing_out_takes_the_card_away(ada, site, signed_in, in_chromium):
    cookies, seen = signed_in(ada), {}

    def story(browser: Browser) -> None:
        context = browser.new_context()
        context.add_cookies(cookies)
        page = visit_card(context, site)
        seen["before"] = card_without_connection(context, site)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/accounts/login/**")
        seen["kept"] = page.evaluate(KEPT_NAMES)
        seen["after"] = card_without_connection(context, site)
        context.close()

    in_chromium(story)

    assert format_member_number(ada.number) in seen["before"]
    assert (seen["kept"], seen["after"]) == ([], None)


def test_the_card_goes_when_the_session_was_ended_elsewhere(ada, site, signed_in, in_chromium):
    cookies, seen = signed_in(ada), {}

    def next_visit(context: BrowserContext) -> None:
        page = context.new_page()
        page.goto(site + CARD)
        seen["led to"] = page.url
        seen["after"] = card_without_connection(context, site)
        context.close()

    context = in_chromium(lambda browser: holds_card(browser, cookies, site))
    Session.objects.all().delete()
    in_chromium(lambda _browser: next_visit(context))

    assert "/accounts/login/" in seen["led to"]
    assert seen["after"] is None


def test_the_next_member_never_sees_the_card_of_the_one_before(ada, ben, site, signed_in, in_chromium):
    of_ada, of_ben, seen = signed_in(ada), signed_in(ben), {}

    def story(browser: Browser) -> None:
        context = browser.new_context()
        context.add_cookies(of_ada)
        page = visit_card(context, site)
        context.add_cookies(of_ben)
        page.goto(site)
        seen["before his visit"] = card_without_connection(context, site)
        page = visit_card(context, site)
        seen["with a connection"] = page.locator("main").inner_text()
        seen["without one"] = card_without_connection(context, site)
        context.close()

    in_chromium(story)

    assert seen["before his visit"] is None
    for text in (seen["with a connection"], seen["without one"]):
        assert format_member_number(ben.number) in text
        assert format_member_number(ada.number) not in text


def test_the_worker_keeps_the_card_and_nothing_else(ada, site, signed_in, in_chromium):
    cookies, seen = signed_in(ada), {}

    def story(browser: Browser) -> None:
        context = browser.new_context()
        context.add_cookies(cookies)
        page = visit_card(context, site)
        seen["kept"] = page.evaluate(
            "caches.keys().then((names) => caches.open(names[0])).then((box) => box.keys())"
            ".then((kept) => kept.map((one) => new URL(one.url).pathname))"
        )
        seen["scope"] = page.evaluate("navigator.serviceWorker.ready.then((one) => one.scope)")
        page.goto(f"{site}/operations/")
        seen["controlled"] = page.evaluate("Boolean(navigator.serviceWorker.controller)")
        context.close()

    in_chromium(story)

    assert seen["scope"] == site + CARD
    assert not seen["controlled"]
    pages = [path for path in seen["kept"] if not path.startswith("/static/")]
    assert pages == ["/card/full/"]
    assert len(seen["kept"]) <= 8
