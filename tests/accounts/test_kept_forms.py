"""What was typed when a session had ended or a form was out of date: kept where it is safe."""

import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.kept_forms import KEPT_FIELDS, KEPT_FOR
from tests.clock import NOON
from tests.factories import PASSWORD
from tests.pages import Page

TRANSFER = reverse("loyalty:transfer")
KEPT = reverse("accounts:kept_form")
TYPED = {"recipient": "ben@example.com", "points": "1 500"}


def english(**more) -> Client:
    client = Client(**more)
    client.cookies["django_language"] = "en"
    return client


def signed_out(member) -> Client:
    """A browser that the member has used, and whose session has ended."""
    client = english()
    client.force_login(member.user)
    client.get("/")
    del client.cookies[settings.SESSION_COOKIE_NAME]
    return client


def sign_in(client, member, next_page):
    return client.post(
        "/accounts/login/", {"login": member.user.email, "password": PASSWORD, "next": next_page}
    )


def page_of(response) -> Page:
    assert response.status_code == 200
    return Page(response)


def hidden(page: Page) -> dict[str, str]:
    """The hidden fields of a page's forms, without the token."""
    return {
        attributes["name"]: attributes["value"]
        for tag, attributes in page.tags
        if tag == "input" and attributes.get("type") == "hidden" and attributes["name"] in TYPED
    }


def test_a_form_after_the_end_of_a_session_is_offered_again_after_signing_in(ada, ben):
    client = signed_out(ada)
    response = client.post(TRANSFER, TYPED)
    assert response.headers["Location"] == f"/accounts/login/?next={KEPT}"
    assert "You were signed out meanwhile." in page_of(client.get(response.headers["Location"])).text

    assert sign_in(client, ada, KEPT).headers["Location"] == KEPT
    page = page_of(client.get(KEPT))
    assert hidden(page) == TYPED
    assert "ben@example.com" in page.text
    assert TRANSFER in page.values("action")
    assert client.get(KEPT).headers["Location"] == "/"


def test_a_form_is_kept_for_ten_minutes(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_out(ada)
        client.post(TRANSFER, TYPED)
        sign_in(client, ada, KEPT)
        clock.shift(KEPT_FOR.total_seconds() + 1)
        assert client.get(KEPT).headers["Location"] == "/"


def test_nobody_else_sees_what_was_typed(ada, ben, client_of):
    signed_out(ada).post(TRANSFER, TYPED)
    assert client_of(ben).get(KEPT).headers["Location"] == "/"
    assert english().get(KEPT).headers["Location"].startswith("/accounts/login/")


def test_whoever_signs_in_next_in_the_same_browser_does_not_see_it(ada, ben):
    client = signed_out(ada)
    client.post(TRANSFER, TYPED)

    sign_in(client, ben, KEPT)
    assert client.get(KEPT).headers["Location"] == "/"
    assert "kept_form" not in client.session


def test_nothing_is_kept_in_a_browser_that_nobody_has_used(ada):
    client = english()
    assert client.post(TRANSFER, TYPED).headers["Location"] == f"/accounts/login/?next={TRANSFER}"
    assert "kept_form" not in client.session


def test_a_button_after_the_end_of_a_session_leads_back_to_its_page(ada):
    client = english()
    response = client.post(
        reverse("accounts:hide_steps"), headers={"referer": "http://testserver/operations/?kind=spent"}
    )
    assert response.headers["Location"] == "/accounts/login/?next=/operations/%3Fkind%3Dspent"
    ada.refresh_from_db()
    assert ada.steps_hidden_at is None

    foreign = client.post(reverse("accounts:hide_steps"), headers={"referer": "https://evil.example/x"})
    assert "evil" not in foreign.headers["Location"]


def test_no_form_that_is_kept_holds_a_secret():
    secrets = ("password", "code", "token", "secret")
    fields = [field for names in KEPT_FIELDS.values() for field in names]
    assert not [field for field in fields if any(secret in field for secret in secrets)]
    for name in KEPT_FIELDS:
        assert reverse(name)


def test_a_form_out_of_date_is_offered_again_to_who_sent_it_from_our_page(ada):
    client = english(enforce_csrf_checks=True)
    client.force_login(ada.user)
    response = client.post(TRANSFER, TYPED, headers={"sec-fetch-site": "same-origin"})
    assert response.status_code == 403
    page = Page(response)
    assert "The form is out of date" in page.text
    assert hidden(page) == TYPED

    token = next(a["value"] for _tag, a in page.tags if a.get("name") == "csrfmiddlewaretoken")
    response = client.post(TRANSFER, {**TYPED, "csrfmiddlewaretoken": token})
    assert "The form is out of date" not in Page(response).text


def test_a_form_that_a_foreign_page_sent_is_not_offered_again(ada):
    client = english(enforce_csrf_checks=True)
    client.force_login(ada.user)
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/"},
        {},
    ):
        response = client.post(TRANSFER, TYPED, headers=headers)
        assert response.status_code == 403
        page = Page(response)
        assert hidden(page) == {}
        assert "Open the page again" in page.text


def test_a_password_is_never_sent_back(ada):
    client = english(enforce_csrf_checks=True)
    response = client.post(
        "/accounts/signup/",
        {"first_name": "Ада", "email": "ada@example.com", "password1": PASSWORD},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert response.status_code == 403
    assert "ada@example.com" in response.content.decode()
    assert PASSWORD not in response.content.decode()
