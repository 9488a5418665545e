"""A transfer in a real browser: by the keyboard alone, without JavaScript, and readable for everybody."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from loyalty.models import Transfer
from tests.browser.gate import PHONE, Finding, equip, run_axe
from tests.browser.keys import fill, press, reach
from tests.factories import PASSWORD
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn

BUTTON = "main form .button.first"

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
    cookies = cookies_of(ada, language)
    found: list[Finding] = []
    seen: list[str] = []

    def story(browser: Browser) -> None:
        context = browser.new_context(viewport=PHONE, reduced_motion="reduce")
        context.add_cookies(cookies)
        equip(context)
        page = context.new_page()
        for name in steps(page):
            found.extend(run_axe(page, name))
            seen.append(name)
            page.set_viewport_size(PHONE)
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

    assert len(seen) == 7
    assert found == []
