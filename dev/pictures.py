"""Takes pictures of the demo's pages with the system's Chromium, into var/pictures.

`make pictures` while `make run` serves; `ARGS="--language en"` for the English ones, and an address where
it serves elsewhere. JavaScript is off, as the pages have to do without it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

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
NO_BROWSER = "There is no Chromium here; install the package chromium."
SIZES = ((360, 740), (1280, 900))
PAGES = {
    "ada@ballada.example": {
        "balance": "/",
        "why": "/why/",
        "operations": "/operations/",
        "orders": "/orders/",
        "transfer": "/transfer/",
        "invite": "/invite/",
        "card": "/card/",
        "full-card": "/card/full/",
        "messages": "/messages/",
        "letters": "/letters/",
        "mail": "/mail/",
        "profile": "/profile/",
        "rules": "/rules/",
        "till-code": "/till-code/",
        "not-found": "/nowhere/",
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
        "styleguide": "/styleguide/",
    },
}
# What the first link on a page opens: how its address begins, and the name of the picture.
CLICKS = {
    "operations": (("/operations/", "operation"),),
    "orders": (("/orders/", "order"),),
    "mail": (("/mail/", "letter"),),
    "members": (("/console/members/", "member-card"),),
}
LANGUAGES = ("ru", "en")


def find_browser() -> str | None:
    """Where the system's Chromium is, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def take_pictures(address: str, language: str) -> None:
    """A picture of every page in that language at each size, in light and in dark."""
    found = find_browser()
    if found is None:
        sys.exit(NO_BROWSER)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for scheme in ("light", "dark"):
            for width, height in SIZES:
                _take(browser, address, language, scheme, width, height)
        browser.close()
    print(f"The pictures are in {FOLDER.relative_to(PROJECT)}/.")


def _take(browser: Browser, address: str, language: str, scheme: str, width: int, height: int) -> None:
    for _, email, password in DEMO_LOGINS:
        if email not in PAGES:
            continue
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=language,
            java_script_enabled=False,
            base_url=address,
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": address}])
        page = context.new_page()
        look = f"{width}-{scheme}-{language}.png"
        page.goto("/accounts/login/")
        _take_one(page, f"sign-in-{look}")
        page.fill("#id_login", email)
        page.fill("#id_password", password)
        page.press("#id_password", "Enter")
        page.wait_for_load_state()
        for name, path in PAGES[email].items():
            page.goto(path)
            _take_one(page, f"{name}-{look}")
            for beginning, opened in CLICKS.get(name, ()):
                _open_first(page, path, beginning)
                _take_one(page, f"{opened}-{look}")
            if name == "mail":
                page.goto(f"{page.url}html/")
                _take_one(page, f"letter-html-{look}")
        context.close()


def _take_one(page: Page, name: str) -> None:
    """The whole page, on a screen that is high enough: what sticks to the screen's edge stays at the end."""
    usual = page.viewport_size
    height = page.evaluate("document.documentElement.scrollHeight")
    if usual:
        page.set_viewport_size({"width": usual["width"], "height": max(usual["height"], height)})
    page.screenshot(path=FOLDER / name)
    if usual:
        page.set_viewport_size(usual)


def _open_first(page: Page, path: str, beginning: str) -> None:
    """Go to the first page below that the list links to, past its own filters and files."""
    for link in page.locator(f"main a[href^='{beginning}']").all():
        target = link.get_attribute("href") or ""
        if target.endswith("/") and target != path:
            page.goto(target)
            return


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m dev.pictures", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "address", nargs="?", default="http://localhost:8000", help="where the demo is served"
    )
    parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="of the pages")
    asked = parser.parse_args(arguments)
    take_pictures(asked.address, asked.language)


if __name__ == "__main__":
    main()
