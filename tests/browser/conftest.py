"""The system's Chromium, for what only a browser can show; where there is none these tests are skipped."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, sync_playwright

from accounts.models import Member, User
from dev.pictures import FLAGS, NO_BROWSER, find_browser
from tests.browser.people import (  # noqa: F401  (fixtures)
    arguments,
    asks_to_adjust,
    browser_of,
    files,
    given,
    noon,
    of_ada,
    paths,
    sign_in,
    sold,
    token,
    upload,
    uploaded,
)
from tests.browser.visitor import WAYS, Visitor, Way

Story = Callable[[Browser], Any]
Play = Callable[[Story], Any]

MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"


@pytest.fixture(scope="session")
def in_chromium() -> Iterator[Play]:
    """Plays a story in the browser, in a thread of its own: Playwright leaves an event loop behind.

    The browser is started once; whatever opens a context in it closes that.
    """
    found = find_browser()
    if found is None:
        if "CI" in os.environ:
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with ThreadPoolExecutor(1) as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result()
        browser = thread.submit(playwright.chromium.launch, executable_path=found, args=FLAGS).result()
        try:
            yield lambda story: thread.submit(story, browser).result()
        finally:
            thread.submit(browser.close).result()
            thread.submit(playwright.stop).result()


@pytest.fixture(scope="session")
def production_static(tmp_path_factory) -> override_settings:
    """Static files as production serves them: collected once, compressed, named by their hash."""
    folder = tmp_path_factory.mktemp("static")
    production = override_settings(
        STATIC_ROOT=str(folder),
        STORAGES=django_settings.STORAGES | {"staticfiles": {"BACKEND": MANIFEST}},
        WHITENOISE_USE_FINDERS=False,
        WHITENOISE_AUTOREFRESH=False,
    )
    with production:
        # What draws the API's document is not ours, and takes half a minute to compress.
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["ninja"])
    return production


@pytest.fixture(scope="session")
def production_server(django_db_setup, production_static) -> Iterator[LiveServerThread]:
    """A server that hands static files out as production does: by WhiteNoise, brotli and all."""
    with production_static:
        server = LiveServerThread("localhost", static_handler=lambda application: application)
        server.daemon = True
        server.start()
        server.is_ready.wait()
    if server.error:
        raise server.error
    yield server
    server.terminate()


@pytest.fixture
def site(transactional_db, production_server, production_static) -> Iterator[str]:
    """The address of a server that serves as production does."""
    with production_static:
        yield f"http://{production_server.host}:{production_server.port}"


@pytest.fixture(params=WAYS, ids=str)
def way(request) -> Way:
    """Each way to come: on a phone, at a desk, and on a phone where no script runs."""
    return request.param


@pytest.fixture
def visitor(in_chromium, site, way, settings) -> Iterator[Callable[..., Visitor]]:
    """Gives a browser that reads English, in which that person is signed in, or nobody."""
    # What letters and invitations link to.
    settings.SITE_URL = site
    visitors = []

    def arrived(person: Member | User | None = None) -> Visitor:
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        if person is not None:
            sign_in(client, person.user if isinstance(person, Member) else person)
        visitors.append(Visitor(in_chromium, site, way, cookies_in(client, site)))
        return visitors[-1]

    yield arrived
    for one in visitors:
        one.close()


@pytest.fixture
def cookies_of(live_server, client_of) -> Callable[[Member, str], list[dict[str, str]]]:
    """Gives the cookies of a browser in which that member is signed in and reads that language."""

    def cookies(member: Member, language: str) -> list[dict[str, str]]:
        client: Client = client_of(member)
        client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
        return cookies_in(client, live_server.url)

    return cookies


def cookies_in(client: Client, address: str) -> list[dict[str, str]]:
    """The cookies of that client, for a browser that visits that address."""
    return [{"name": name, "value": morsel.value, "url": address} for name, morsel in client.cookies.items()]
