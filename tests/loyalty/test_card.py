"""The member's card: what its code holds, what browsers may keep of it, and when they have to drop it."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from accounts.numbers import format_member_number
from loyalty.middleware import COOKIE
from loyalty.qr import qr_code, qr_inline
from tests.factories import PASSWORD
from tests.loyalty.points import earn
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("in_english")

SESSION_COOKIE = "sessionid"
CLEARED = '"cache", "storage"'


@pytest.fixture
def keeping(ada, client_of) -> Client:
    """Ada's keeping, which keeps her card."""
    client = client_of(ada)
    client.cookies["django_language"] = "en"
    client.get("/card/full/")
    return client


@pytest.mark.parametrize("address", ["/card/", "/card/full/"])
def test_the_code_holds_the_number_and_nothing_else(ada, keeping, address):
    page = keeping.get(address).content.decode()

    title = f"QR code of your number, {format_member_number(ada.number)}"
    assert qr_inline(ada.number, title=title) in page
    code = qr_code(ada.number)
    # Digits alone fit into the smallest code that there is, with the largest squares.
    assert (code.version, code.mode) == (1, "numeric")
    assert format_member_number(ada.number) in page


def test_what_is_kept_says_nothing_that_changes(ada, keeping):
    earn(ada, 4_321)

    page = Page(keeping.get("/card/full/"))

    shown = set(re.findall(r"\d+", page.text))
    assert shown == set(format_member_number(ada.number).split("\N{NO-BREAK SPACE}"))
    assert "Ада" in page.text
    assert "Иванова" not in page.text
    # No button can be pressed on it later, in another session.
    assert page.count("form") == 0
    assert "/till-code/" in page.hrefs()


def test_the_card_with_a_connection_says_what_there_is_to_spend(ada, keeping):
    earn(ada, 4_321)

    page = Page(keeping.get("/card/"))

    assert "4,321\N{NO-BREAK SPACE}points to spend" in page.text
    assert "/till-code/" in page.hrefs()


@pytest.mark.parametrize("address", ["/card/", "/card/full/"])
def test_no_cache_keeps_the_card_but_the_workers_own(keeping, address):
    response = keeping.get(address)

    assert "no-store" in response["Cache-Control"]
    assert not response.has_header("Clear-Site-Data")


@pytest.mark.parametrize("address", ["/card/", "/card/full/"])
def test_the_card_is_for_members_who_are_signed_in(client, client_of, sue, address):
    assert client.get(address).status_code == 302
    assert client_of(sue).get(address).status_code == 404


def test_signing_out_clears_what_is_kept(keeping):
    response = keeping.post("/accounts/logout/")

    assert response["Clear-Site-Data"] == CLEARED
    assert COOKIE not in {name for name, morsel in keeping.cookies.items() if morsel.value}
    assert not keeping.get("/accounts/login/").has_header("Clear-Site-Data")


def test_a_session_that_ended_by_itself_clears_what_is_kept(keeping):
    keeping.session.flush()

    response = keeping.get("/operations/")

    assert response.status_code == 302
    assert response["Clear-Site-Data"] == CLEARED


def test_another_members_sign_in_clears_what_is_kept(keeping, ben):
    keeping.session.flush()
    del keeping.cookies[SESSION_COOKIE]

    response = keeping.post("/accounts/login/", {"login": ben.user.email, "password": PASSWORD})

    assert response.status_code == 302
    assert response["Clear-Site-Data"] == CLEARED


def test_another_members_card_is_kept_from_its_first_answer_on(keeping, ben, client_of):
    browser = client_of(ben)
    browser.cookies[COOKIE] = keeping.cookies[COOKIE].value

    response = browser.get("/card/full/")

    assert response["Clear-Site-Data"] == CLEARED
    assert browser.cookies[COOKIE].value not in ("", keeping.cookies[COOKIE].value)
    assert not browser.get("/card/full/").has_header("Clear-Site-Data")


def test_pages_of_the_same_member_clear_nothing(keeping):
    for address in ("/", "/card/", "/operations/", "/service-worker.js", "/card.webmanifest"):
        response = keeping.get(address)
        assert response.status_code == 200
        assert not response.has_header("Clear-Site-Data"), address


def test_a_browser_that_keeps_no_card_is_told_nothing(ada, client_of):
    response = client_of(ada).post("/accounts/logout/")

    assert not response.has_header("Clear-Site-Data")


def test_whose_card_is_kept_is_not_told_by_the_mark(ada, keeping):
    mark = keeping.cookies[COOKIE]

    assert re.fullmatch("[0-9a-f]{16}", mark.value)
    assert mark["httponly"]


def kept_by(response) -> dict[str, object]:
    """The addresses in a worker's script."""
    return json.loads(re.search(r"const KEPT = (\{.+?\});", response.content.decode())[1])


@pytest.mark.parametrize("accent", ["", "#0a7d54"])
def test_the_worker_keeps_what_the_card_is_drawn_with(keeping, settings, accent):
    settings.ACCENT = accent
    response = keeping.get("/service-worker.js")
    kept = kept_by(response)

    page = Page(keeping.get(kept["page"]))
    linked = {
        attributes.get("href") or attributes.get("src")
        for tag, attributes in page.tags
        if tag == "script" or (tag == "link" and attributes["rel"] in ("stylesheet", "icon"))
    }
    assert set(kept["files"]) == linked
    assert any("brand.css" in file for file in kept["files"]) == bool(accent)
    assert response["Service-Worker-Allowed"] == "/card/"
    assert response["Content-Type"].startswith("text/javascript")
    assert "no-cache" in response["Cache-Control"]
    assert len(response.content) <= 2_500


def test_the_worker_changes_with_the_files_it_keeps(client, monkeypatch):
    before = client.get("/service-worker.js").content
    assert client.get("/service-worker.js").content == before

    monkeypatch.setattr("loyalty.views.card.static", lambda path: f"/static/{path}?next")

    after = client.get("/service-worker.js").content
    name = re.compile(rb'const NAME = "(card-[0-9a-f]{12})"')
    assert name.search(after)[1] != name.search(before)[1]


def test_phones_can_install_the_card(client):
    response = client.get("/card.webmanifest", headers={"Accept-Language": "en"})
    manifest = response.json()

    assert response["Content-Type"] == "application/manifest+json"
    assert (manifest["id"], manifest["start_url"], manifest["display"]) == ("/card/", "/card/", "standalone")
    assert manifest["lang"] == "en"
    assert manifest["name"] == "Ballada: my card"
    for icon in manifest["icons"]:
        file = Path(finders.find(icon["src"].removeprefix("/static/")))
        content = file.read_bytes()
        # The width and the height stand in a PNG's first chunk.
        size = (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big"))
        assert content.startswith(b"\x89PNG")
        assert icon["sizes"] == f"{size[0]}x{size[1]}"
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


def test_the_installed_card_wears_the_brand(client, settings):
    settings.ACCENT = "#0a7d54"

    manifest = client.get("/card.webmanifest").json()

    [icon] = manifest["icons"]
    assert icon["src"].startswith("/brand/mark.svg?v=")
    assert client.get(icon["src"]).status_code == 200


def test_the_scanner_at_the_till_opens_the_members_card(ada, stan, client_of):
    response = client_of(stan).post("/console/find/", {"text": ada.number})

    assert response.status_code == 302
    assert response["Location"] == f"/console/members/{ada.number}/"
