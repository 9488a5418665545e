"""A transfer in a real browser: by the keyboard alone, without JavaScript, and readable for everybody."""

from collections.abc import Iterator
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from loyalty.models import Transfer
from tests.browser.keys import fill, press, reach
from tests.factories import PASSWORD
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
BUTTON = "main form .button.first"
IS_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def points(db, ada):
    """Points that are there whatever day it is: a browser keeps its own clock."""
    publish_edition(transfer_cooling_hours=24)
    earn(ada, 2_000, until=None)


def test_a_transfer_needs_no_mouse_and_no_javascript(ada, ben, live_server, in_chromium, cookies_of):
    cookies, seen = cookies_of(ada, "en"), {}

    def story(browser: Browser) -> None:
        context = browser.new_context(viewport=PHONE, java_script_enabled=False)
        context.add_cookies(cookies)
        page = context.new_page()
        focus = page.locator(":focus")
        page.goto(live_server.url)
        page.keyboard.press("Tab")
        seen["first stop"] = focus.inner_text()
        actions = page.locator(".balance .actions a")
        boxes = [box for one in actions.all() if (box := one.bounding_box())]
        seen["lowest"] = max(box["y"] + box["height"] for box in boxes)
        press(page, "main a[href='/transfer/']")
        fill(page, "[name=recipient]", ben.number)
        fill(page, "[name=points]", "1,500")
        press(page, BUTTON)
        seen["refused"] = focus.get_attribute("role")
        reach(page, "[href='#id_points']")
        page.keyboard.press("Enter")
        seen["led to"] = focus.get_attribute("name")
        page.keyboard.press("Control+A")
        page.keyboard.type("1 500")
        press(page, BUTTON)
        seen["asked"] = page.locator("main").inner_text()
        fill(page, "[name=password]", PASSWORD)
        press(page, BUTTON)
        seen["given"] = page.locator("h1").inner_text()

    in_chromium(story)

    assert seen["first stop"] == "Skip to content"
    assert seen["lowest"] < PHONE["height"]
    assert (seen["refused"], seen["led to"]) == ("alert", "points")
    assert "Transfer 1,500\N{NO-BREAK SPACE}points" in seen["asked"]
    assert seen["given"] == "You gave 1,500\N{NO-BREAK SPACE}points to Бен С."
    assert Transfer.objects.get().points == 1_500


@pytest.mark.parametrize("language", ["en", "ru"])
def test_everybody_can_read_the_pages(ada, ben, live_server, in_chromium, cookies_of, language):
    cookies, found = cookies_of(ada, language), []

    def story(browser: Browser) -> None:
        for scheme, viewport in product(("light", "dark"), (PHONE, DESK)):
            context = browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True)
            context.add_cookies(cookies)
            page = context.new_page()
            for name in steps(page):
                wrong = [violation["id"] for violation in Axe().run(page).response["violations"]]
                found.append((name, scheme, viewport["width"], wrong, page.evaluate(IS_TOO_WIDE)))
            context.close()

    def steps(page: Page) -> Iterator[str]:
        page.goto(f"{live_server.url}/transfer/")
        yield "form"
        page.click(BUTTON)
        yield "refused form"
        page.fill("[name=recipient]", ben.number)
        page.fill("[name=points]", "100")
        page.click(BUTTON)
        yield "check"
        page.fill("[name=password]", "wrong")
        page.click(BUTTON)
        yield "wrong password"
        page.fill("[name=password]", PASSWORD)
        page.click(BUTTON)
        yield "receipt"
        page.goto(f"{page.url}take-back/")
        yield "take back"
        page.click(BUTTON)
        yield "taken back"

    in_chromium(story)

    assert len(found) == 4 * 7
    assert [one for one in found if one[-2:] != ([], False)] == []
