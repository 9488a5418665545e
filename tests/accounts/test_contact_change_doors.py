"""The library's own pages are no way around the two codes."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import get_resolver

from accounts.models import ContactChange
from tests.accounts.contact_changes import (
    NEW_EMAIL,
    OLD_EMAIL,
    ask_email,
    confirm,
)
from tests.clock import NOON
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("noon")

Outcome = ContactChange.Outcome


@pytest.mark.parametrize(
    "posted",
    [
        {"action_add": "", "email": NEW_EMAIL},
        {"action_send": "", "email": OLD_EMAIL},
        {"action_primary": "", "email": OLD_EMAIL},
        {"action_remove": "", "email": OLD_EMAIL},
    ],
)
def test_the_librarys_page_for_the_email_leads_to_the_profile(ada, client, posted):
    assert client.get("/accounts/email/").headers["Location"] == "/profile/"
    assert client.post("/accounts/email/", posted).headers["Location"] == "/profile/"

    assert list(EmailAddress.objects.filter(user=ada.user).values_list("email", flat=True)) == [OLD_EMAIL]
    assert mail.outbox == []


def test_the_librarys_code_for_a_new_address_alone_changes_nothing(ada, client):
    """As if the library's own change had been begun before its page was closed."""
    session = client.session
    session["account_email_verification_code"] = {
        "at": NOON.timestamp(),
        "failed_attempts": 0,
        "resend_count": 0,
        "change_count": 0,
        "email": NEW_EMAIL,
        "user_id": str(ada.user_id),
        "code": "123456",
    }
    session.save()

    assert client.post("/accounts/confirm-email/", {"code": "123456"}).status_code == 302

    ada.refresh_from_db()
    assert (ada.email, ada.user.email) == (OLD_EMAIL, OLD_EMAIL)
    assert list(EmailAddress.objects.filter(user=ada.user).values_list("email", "verified")) == [
        (OLD_EMAIL, True)
    ]


@pytest.mark.parametrize("action", ["change", "resend", "verify"])
def test_the_librarys_page_for_codes_changes_no_address_of_a_member(ada, client, action):
    client.post("/accounts/confirm-email/", {"action": action, "email": NEW_EMAIL, "code": "123456"})

    ada.refresh_from_db()
    assert (ada.email, ada.user.email, mail.outbox) == (OLD_EMAIL, OLD_EMAIL, [])


def test_a_link_for_a_new_password_dies_with_the_old_address(ada, client):
    Client().post("/accounts/password/reset/", {"email": OLD_EMAIL})
    (link,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    page, *codes = ask_email(client)
    confirm(client, page, *codes)

    thief = Client()
    reached = thief.get(link, follow=True)
    new = {"password1": "another pass phrase", "password2": "another pass phrase"}
    thief.post(reached.request["PATH_INFO"], new)

    ada.user.refresh_from_db()
    assert ada.user.check_password(PASSWORD)


def test_every_page_of_the_library_is_one_that_was_looked_at():
    """A newer release may bring a page that changes an address: then look at it, and name it here."""
    (library,) = [
        part
        for part in get_resolver().url_patterns
        if getattr(getattr(part, "urlconf_name", None), "__name__", "") == "allauth.urls"
    ]

    assert set(paths_of(library)) == {
        "2fa/",
        "2fa/authenticate/",
        "2fa/reauthenticate/",
        "2fa/totp/activate/",
        "2fa/totp/deactivate/",
        "2fa/recovery-codes/",
        "2fa/recovery-codes/generate/",
        "2fa/recovery-codes/download/",
        "login/",
        "logout/",
        "inactive/",
        "signup/",
        "reauthenticate/",
        "email/",
        "confirm-email/",
        "password/change/",
        "password/set/",
        "password/reset/",
        "login/code/confirm/",
        "password/reset/key/done/",
        "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        "password/reset/done/",
        "sessions/",
    }


def paths_of(part, prefix=""):
    for inner in part.url_patterns:
        if hasattr(inner, "url_patterns"):
            yield from paths_of(inner, prefix + str(inner.pattern))
        else:
            yield prefix + str(inner.pattern)
