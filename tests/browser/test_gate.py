"""Every page of the site in a real browser: readable for everybody, light, quiet, and of one piece."""

import re

import html5lib
import pytest
from django.core import mail
from playwright.sync_api import Browser, expect

from tests.accounts.telling import FACTS
from tests.accounts.test_messages_words import composed
from tests.browser.addresses import (
    ERRORS,
    LEADS_ON,
    NO_PAGE,
    STATUSES,
    every_address,
    is_page,
    lookers,
    pages_of,
)
from tests.browser.conftest import cookies_in
from tests.browser.gate import PHONE, Finding, Traffic, equip, examine, examine_letter
from tests.browser.people import MORE, PEOPLE, details_of
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

LANGUAGES = ("ru", "en")
# The card alone, and an act that is reached from two places.
ONE_AND_THE_SAME = {"loyalty:full_card", "supervisor:block_account", "supervisor:unblock_account"}
# Whoever sees most pages is looked over the shoulder by several, so that no worker waits for the last.
SHARES = {"member": 2, "supervisor": 4}
LOOKS = [
    pytest.param(person, part, language, id=f"{person}{part + 1}-{language}")
    for person in PEOPLE
    for part in range(SHARES.get(person, 1))
    for language in LANGUAGES
]


def test_every_address_is_looked_at_or_has_no_page():
    known = every_address()

    assert NO_PAGE - set(known) == set()
    assert {name for name in known if is_page(name) and not set(lookers(name)) <= set(PEOPLE)} == set()


@pytest.mark.parametrize(("person", "part", "language"), LOOKS)
def test_every_page_is_for_everybody(person, part, language, site, in_chromium, paths, browser_of, ada):
    client = browser_of(person, language)
    asked = [(name, paths(name, person)) for name in pages_of(person)]
    asked += [(path, path) for path in MORE.get(person, ())]
    if person == "member":
        asked += [(path, path) for path in details_of(ada, client)]
    mine = asked[part :: SHARES.get(person, 1)]

    findings = look_at(in_chromium, site, mine, language, client)

    assert not findings, "\n" + "\n".join(sorted({str(one) for one in findings}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_valid_and_has_a_title_of_its_own(language, paths, browser_of):
    titled: dict[tuple[str, str], set[str]] = {}
    broken = []
    for person in PEOPLE:
        client = browser_of(person, language)
        for name in pages_of(person):
            page = client.get(paths(name, person), follow=True)
            html = page.content.decode()
            title = re.search(r"<title>(.*?)</title>", html, re.DOTALL).group(1)
            titled.setdefault((person, " ".join(title.split())), set()).add(page.resolver_match.view_name)
            broken += [f"{person} {name}: {words}" for words in what_a_parser_mends(html)]

    twins = [f"{key}: {sorted(names)}" for key, names in titled.items() if len(names - ONE_AND_THE_SAME) > 1]
    assert not twins, "\n" + "\n".join(twins)
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_a_page_for_everybody(language, db, site, settings, in_chromium, client):
    settings.ROOT_URLCONF = "tests.browser.urls"
    client.cookies["django_language"] = language

    errors = [(status, f"/shown/errors/{status}/") for status in ERRORS]
    findings = look_at(in_chromium, site, errors, language, client)

    assert not findings, "\n" + "\n".join(sorted({str(one) for one in findings}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_is_for_everybody(language, ada, site, settings, in_chromium, client):
    settings.ROOT_URLCONF = "tests.browser.urls"
    client.cookies["django_language"] = language
    for kind in FACTS:
        composed(kind, language).send()
    joining = {"first_name": "Ева", "password1": PASSWORD, "agrees_to_programme": "on"}
    for email in ("eve@example.com", ada.user.email):
        client.post("/accounts/signup/", {**joining, "email": email})
        client.post("/accounts/password/reset/", {"email": email})

    letters = [(letter.subject, f"/shown/letters/{index}/") for index, letter in enumerate(mail.outbox)]
    findings = look_at(in_chromium, site, letters, language, client, examine=examine_letter)

    assert len(letters) >= len(FACTS) + 3
    assert not findings, "\n" + "\n".join(sorted({str(one) for one in findings}))


def what_a_parser_mends(html: str) -> list[str]:
    """Where the page is no HTML as it is written down, and attributes that HTML does not know."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(html)
    foreign = {name for element in document.iter() for name in element.attrib if name.startswith("hx-")}
    return [f"{code} in line {line}" for (line, _), code, _ in parser.errors] + sorted(foreign)


def look_at(in_chromium, site, asked, language, client, examine=examine) -> list[Finding]:
    """Visit the pages, each by its name and path, and examine what is shown; the findings."""
    cookies = cookies_in(client, site)

    def story(browser: Browser) -> list[Finding]:
        context = browser.new_context(viewport=PHONE, reduced_motion="reduce")
        context.add_cookies(cookies)
        equip(context)
        page = context.new_page()
        traffic = Traffic(page, site)
        findings, seen = [], set()
        for name, path in asked:
            traffic.forget()
            page.set_viewport_size(PHONE)
            page.emulate_media(color_scheme="light")
            answer = page.goto(f"{site}{path}")
            # What the page asks for by itself has come.
            expect(page.locator(".htmx-request")).to_have_count(0)
            is_there = name in LEADS_ON or page.url == f"{site}{path}"
            if answer.status != STATUSES.get(name, 200) or not is_there:
                findings.append(Finding(name, language, f"{answer.status} {page.url}"))
            if page.url not in seen:
                findings += examine(page, traffic, name, language)
            seen.add(page.url)
        context.close()
        return findings

    return in_chromium(story)
