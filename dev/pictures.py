"""Takes pictures of the demo's pages with the system's Chromium, into var/pictures.

`make pictures` while `make run` serves. JavaScript is off, as the pages have to do without it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from config.demo import DEMO_LOGINS

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "var" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = ((360, 740), (1280, 900))
PAGES = {
    "ada@ballada.example": {
        "balance": "/",
        "operations": "/operations/",
        "orders": "/orders/",
        "transfer": "/transfer/",
        "invite": "/invite/",
        "messages": "/messages/",
        "profile": "/profile/",
        "rules": "/rules/",
        "till-code": "/till-code/",
    },
    "stan@ballada.example": {"find": "/console/find/"},
    "sue@ballada.example": {
        "console": "/console/",
        "editions": "/console/editions/",
        "members": "/console/members/",
        "console-orders": "/console/orders/",
        "approvals": "/console/approvals/",
        "journal": "/console/journal/",
        "transfers": "/console/transfers/",
        "invitations": "/console/invitations/",
        "keys": "/console/keys/",
    },
}
# What a click on a page opens: the words of the link, and the name of the picture, one after another.
CLICKS = {
    "operations": (("1-", "operation"),),
    "orders": (("W-", "order"), ("баллы", "points")),
}


def take_pictures(address: str) -> None:
    """A picture of every page at each size, in light and in dark."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("There is no Chromium here; install the package chromium.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for scheme in ("light", "dark"):
            for width, height in SIZES:
                _take(browser, address, scheme, width, height)
        browser.close()
    print(f"The pictures are in {FOLDER.relative_to(PROJECT)}/.")


def _take(browser: Browser, address: str, scheme: str, width: int, height: int) -> None:
    for _, email, password in DEMO_LOGINS:
        if email not in PAGES:
            continue
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="ru-RU",
            java_script_enabled=False,
            base_url=address,
        )
        page = context.new_page()
        page.goto("/accounts/login/")
        page.screenshot(path=FOLDER / f"sign-in-{width}-{scheme}.png", full_page=True)
        page.fill("#id_login", email)
        page.fill("#id_password", password)
        page.press("#id_password", "Enter")
        page.wait_for_load_state()
        for name, path in PAGES[email].items():
            page.goto(path)
            page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", full_page=True)
            for words, opened in CLICKS.get(name, ()):
                page.locator("main a", has_text=words).first.click()
                page.wait_for_load_state()
                page.screenshot(path=FOLDER / f"{opened}-{width}-{scheme}.png", full_page=True)
        context.close()


if __name__ == "__main__":
    take_pictures(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
