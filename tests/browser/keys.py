"""Getting about by the keyboard alone."""

from playwright.sync_api import Page

MOST_TABS = 60


def reach(page: Page, what: str) -> None:
    """Press Tab until that has the focus; what Tab does not reach fails the test."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.locator(f":focus:is({what})").count():
            return
    raise AssertionError(f"Tab does not reach {what}")


def fill(page: Page, what: str, text: str) -> None:
    """Reach a field and type."""
    reach(page, what)
    page.keyboard.type(text)


def press(page: Page, what: str) -> None:
    """Reach a button or a link, press Enter, and wait for where it leads."""
    reach(page, what)
    with page.expect_navigation():
        page.keyboard.press("Enter")
