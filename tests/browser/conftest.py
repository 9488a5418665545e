"""The system's Chromium, for what only a browser can show; where there is none these tests are skipped."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from accounts.models import Member
from dev.pictures import BROWSERS, FLAGS

Story = Callable[[Browser], Any]


@pytest.fixture
def in_chromium() -> Callable[[Story], Any]:
    """Plays a story in the browser, in a thread of its own: Playwright leaves an event loop behind."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("There is no Chromium here; install the package chromium.")

    def play(story: Story) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_play, found, story).result()

    return play


def _play(executable_path: str, story: Story) -> Any:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable_path, args=FLAGS)
        try:
            return story(browser)
        finally:
            browser.close()


@pytest.fixture
def cookies_of(live_server, client_of) -> Callable[[Member, str], list[dict[str, str]]]:
    """Gives the cookies of a browser in which that member is signed in and reads that language."""

    def cookies(member: Member, language: str) -> list[dict[str, str]]:
        client: Client = client_of(member)
        values = {
            settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
            settings.LANGUAGE_COOKIE_NAME: language,
        }
        return [{"name": name, "value": value, "url": live_server.url} for name, value in values.items()]

    return cookies
