"""Where a link leads: what each visitor finds there, and what no visit does by itself."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client

from accounts.models import Member
from referrals.models import Invitation, Referral
from tests.pages import Page
from tests.referrals.pages.friends import arrive, edition, join, member_of, path_of


def rows() -> dict[str, int]:
    """How many rows every table has, sessions apart: who is signed in has one."""
    return {
        model._meta.db_table: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label != "sessions"
    }


@pytest.fixture
def path(ada, browser_of) -> str:
    """Where Ada's link leads."""
    return path_of(browser_of(ada))


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "TelegramBot"}])
def test_opening_the_page_changes_nothing(path, visitor, method, headers):
    before = rows()

    for _again in range(2):
        response = getattr(visitor(), method)(path, headers=headers)
        assert response.status_code == 200

    assert rows() == before


def test_the_page_reports_the_visit_once_for_each_browser(path, visitor):
    first, second = visitor(), visitor()
    for browser in (first, first, second):
        page = Page(arrive(browser, path))
    (form,) = [attributes for tag, attributes in page.tags if "data-hx-post" in attributes]

    assert (form["data-hx-post"], form["data-hx-trigger"]) == (f"{path}visit/", "load")
    assert Invitation.objects.count() == 2


def test_the_button_counts_the_visit_too_and_leads_to_sign_up(path, visitor):
    friend = visitor()
    friend.get(path)

    for _again in range(2):
        response = friend.post(path)
        assert (response.status_code, response.headers["Location"]) == (302, "/accounts/signup/")

    assert Invitation.objects.count() == 1


def test_a_visit_is_not_counted_by_a_mere_address(path, visitor):
    """Neither without the cookie that the page has set, nor by a GET, nor from another site."""
    assert visitor().post(f"{path}visit/").status_code == 204
    assert visitor().get(f"{path}visit/").status_code == 405
    stranger = Client(enforce_csrf_checks=True)
    stranger.get(path)
    assert stranger.post(f"{path}visit/").status_code == 403
    assert stranger.post(path).status_code == 403

    assert Invitation.objects.count() == 0


def test_a_flood_of_visits_is_not_counted_and_keeps_nobody_from_joining(path, visitor, settings, clock):
    settings.ACCOUNT_RATE_LIMITS = {"invitation_visit": "2/h/ip"}
    for _visit in range(3):
        arrive(visitor(), path)
    friend = visitor()
    friend.get(path)
    assert friend.post(path).headers["Location"] == "/accounts/signup/"
    assert Invitation.objects.count() == 2

    clock.shift(timedelta(minutes=1))
    join(friend)

    assert Referral.objects.get().invited == member_of()


def test_the_link_is_read_in_any_case_and_names_its_own_spelling(path, visitor, ada):
    small = path.lower()
    response = visitor().get(small)

    page = Page(response)
    assert small != path
    assert "Ада invites you" in page.text
    links = [attributes["href"] for tag, attributes in page.tags if attributes.get("rel") == "canonical"]
    assert links == [f"http://localhost:8000{path}"]


@pytest.mark.parametrize("code", ["ZZZZ9999", "0OIL", "%00", "a" * 3000, "✓✓✓✓✓✓✓✓", "<b>"])
def test_an_unknown_code_is_a_page_like_others(visitor, code, db):
    response = visitor().get(f"/r/{code}/")

    page = Page(response)
    assert response.status_code == 200
    assert "We do not know this invitation" in page.text
    assert "/accounts/signup/" in page.hrefs()
    assert "invitation" not in response.cookies
    assert visitor().post(f"/r/{code}/visit/").status_code == 204


def test_a_link_that_was_replaced_says_so(path, ada, browser_of, visitor):
    browser = browser_of(ada)
    browser.post("/invite/new-link/", {"code": path.split("/")[2]})

    response = visitor().get(path)

    assert response.status_code == 200
    assert "This link is no longer valid" in Page(response).text
    assert "Ада" not in Page(response).text
    assert "invitation" not in response.cookies
    assert path_of(browser) != path
    assert "Ада invites you" in Page(visitor().get(path_of(browser))).text


def test_ones_own_link_says_so_and_brings_nothing(path, ada, browser_of):
    browser = browser_of(ada)

    response = browser.get(path)
    browser.post(path)
    browser.post(f"{path}visit/")

    assert "This is your link" in Page(response).text
    assert "invitation" not in browser.cookies
    assert Invitation.objects.count() == 0


def test_ones_own_link_that_was_replaced_says_so(path, ada, browser_of):
    browser = browser_of(ada)
    browser.post("/invite/new-link/", {"code": path.split("/")[2]})

    assert "It is no longer valid: you have a new one." in Page(browser.get(path)).text


def test_another_member_is_in_the_programme_already(path, ben, browser_of):
    browser = browser_of(ben)

    response = browser.get(path)
    browser.post(path)
    browser.post(f"{path}visit/")

    assert "You are in the programme already" in Page(response).text
    assert "invitation" not in browser.cookies
    assert Invitation.objects.count() == 0


def test_colleagues_have_nothing_to_join(path, stan, sue, browser_of):
    for person in (stan, sue):
        browser = browser_of(person)
        assert "This is a customer’s invitation" in Page(browser.get(path)).text
        assert "invitation" not in browser.cookies


def test_an_inviter_who_hides_their_name_is_a_friend(path, ada, browser_of, visitor):
    browser_of(ada).post("/invite/name/", {"shows_name": "false"})
    friend = visitor()

    page = Page(friend.get(path))

    assert "A friend invites you to Ballada" in page.text
    assert "Ада" not in page.text
    assert "A friend invites you." in Page(friend.get("/accounts/signup/")).text
    assert "Ада" not in Page(join(friend)).text


def test_of_the_inviter_a_friend_sees_the_first_name_alone(path, ada, visitor):
    text = visitor().get(path).content.decode()

    assert "Ада" in text
    assert not any(more in text for more in (ada.last_name, ada.email, ada.number))


def test_messengers_show_who_invites_before_anybody_opens_the_link(path, visitor):
    edition()
    page = Page(visitor().get(path))

    shown = {a["property"]: a["content"] for tag, a in page.tags if tag == "meta" and "property" in a}
    assert shown == {
        "og:title": "Ада invites you to Ballada",
        "og:description": "You get 200\u00a0points as soon as you have joined.",
        "og:url": f"http://localhost:8000{path}",
    }


def test_no_search_engine_and_no_cache_keeps_the_page(path, visitor):
    for address in (path, "/r/ZZZZ9999/"):
        response = visitor().get(address)
        page = Page(response)
        assert response.headers["X-Robots-Tag"] == "noindex"
        assert "no-store" in response.headers["Cache-Control"]
        assert [a["content"] for _tag, a in page.tags if a.get("name") == "robots"] == ["noindex"]


@pytest.mark.parametrize(
    ("rules", "sentences"),
    [
        ({"welcome_when": "sign_up"}, ["200\u00a0points for you, as soon as you have joined."]),
        ({"welcome_when": "first_order"}, ["200\u00a0points for you, with your first paid order."]),
        ({"welcome_points": 0}, ["You earn 5% of every paid order in points"]),
    ],
)
def test_the_page_promises_what_the_edition_gives(db, ada, browser_of, visitor, rules, sentences):
    edition(**rules)

    text = Page(visitor().get(path_of(browser_of(ada)))).text

    assert all(sentence in text for sentence in sentences)
    assert ("200" in text) == (rules != {"welcome_points": 0})
    assert Member.objects.count() == 1
