"""A new contact that is somebody else's: who asks learns nothing, and the owner is told."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ContactChange, Language, Member
from tests.accounts.contact_changes import (
    EMAIL_PAGE,
    NEW_EMAIL,
    NEW_PHONE,
    OLD_EMAIL,
    PHONE_PAGE,
    ask,
    ask_email,
    code_in,
    codes_in,
    confirm,
    give_phone,
    letters_to,
    outcomes,
    text_of,
)
from tests.clock import NOON
from tests.factories import MemberFactory, UserFactory

pytestmark = pytest.mark.usefixtures("noon")

Outcome = ContactChange.Outcome


@pytest.fixture(params=["a member", "a member without a login", "a login without a member"])
def owner_of_new_email(request, db):
    if request.param == "a member":
        return MemberFactory(has_login=True, user__email=NEW_EMAIL)
    if request.param == "a member without a login":
        return MemberFactory(email=NEW_EMAIL)
    return UserFactory(email=NEW_EMAIL)


def pages_after_asking(client, page, contact):
    """What somebody sees who asks for that contact and enters one wrong code and two."""
    with CaptureQueriesContext(connection) as captured:
        asked = ask(client, page, contact)
    place = asked.headers["Location"]
    seen = [asked.status_code, re.sub(r"\d+", "N", place), len(captured)]
    for codes in (("000000", "000001"), ("000002", "000003")):
        with CaptureQueriesContext(connection) as captured:
            response = confirm(client, place, *codes)
        seen += [response.status_code, text_of(response), len(captured)]
    seen.append(text_of(client.get("/profile/")))
    return seen


def test_an_email_of_somebody_else_looks_like_one_that_is_free(ada, ben, client_of, owner_of_new_email):
    asking = client_of(ada), client_of(ben)
    for browser in asking:
        browser.cookies["django_language"] = "en"
        browser.get("/profile/")
    Member.objects.filter(pk=ben.pk).update(first_name=ada.first_name, last_name=ada.last_name)

    taken = pages_after_asking(asking[0], EMAIL_PAGE, NEW_EMAIL)
    free = pages_after_asking(asking[1], EMAIL_PAGE, "free.one@example.com")

    def alike(seen, email):
        """The same with what each member typed and has as an address and a number taken out."""
        swap = {email: "OLD", NEW_EMAIL: "NEW", "free.one@example.com": "NEW"}
        for part in seen:
            if isinstance(part, str):
                for word, other in swap.items():
                    part = part.replace(word, other)
                part = re.sub(r"\d{4}\u00a0\d{4}\u00a0\d{4}", "NUMBER", part)
            yield part

    assert list(alike(taken, ada.email)) == list(alike(free, ben.email))


def test_the_owner_is_told_and_gets_no_code(ada, client, owner_of_new_email):
    ask(client, EMAIL_PAGE, NEW_EMAIL)

    assert len(letters_to(OLD_EMAIL)) == 1
    (letter,) = letters_to(NEW_EMAIL)
    assert codes_in(letter) == set()
    assert OLD_EMAIL not in letter
    change = ContactChange.objects.get()
    assert change.new_code_hash is None
    page = f"/profile/changes/{change.pk}/"
    for guess in ("000000", "", code_in(letters_to(OLD_EMAIL)[0])):
        confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), guess)
    ada.refresh_from_db()
    assert ada.email == OLD_EMAIL


def test_the_owner_of_a_phone_is_told_and_gets_no_code(ada, ben, client, phones):
    give_phone(ben, NEW_PHONE, verified_at=NOON)

    response = ask(client, PHONE_PAGE, NEW_PHONE)

    assert response.status_code == 302
    assert [codes_in(text) for text in phones.to(NEW_PHONE)] == [set()]
    assert ContactChange.objects.get().new_code_hash is None


def test_the_owner_is_told_in_their_own_language(ada, ben, client):
    Member.objects.filter(pk=ben.pk).update(language=Language.ENGLISH)

    ask(client, EMAIL_PAGE, "ben@example.com")

    (letter,) = letters_to("ben@example.com")
    assert letter.startswith("Somebody wanted to use your e-mail address\n")


def test_members_of_the_sandbox_take_nobodys_contact(ada, client):
    MemberFactory(email=NEW_EMAIL, is_sandbox=True)

    page, *codes = ask_email(client)
    confirm(client, page, *codes)

    ada.refresh_from_db()
    assert ada.email == NEW_EMAIL


def test_an_email_that_somebody_gets_meanwhile_is_refused_with_the_reason(ada, client):
    page, *codes = ask_email(client)
    MemberFactory(email=NEW_EMAIL)
    mail.outbox.clear()

    assert confirm(client, page, *codes).headers["Location"] == "/profile/"

    assert "Another member already has this e-mail address." in text_of(client.get("/profile/"))
    ada.refresh_from_db()
    assert (ada.email, ada.user.email) == (OLD_EMAIL, OLD_EMAIL)
    assert EmailAddress.objects.get(user=ada.user).email == OLD_EMAIL
    assert (outcomes(), mail.outbox) == ([Outcome.TAKEN], [])


def test_an_email_that_became_a_login_meanwhile_is_refused_too(ada, client):
    page, *codes = ask_email(client)
    UserFactory(email=NEW_EMAIL)

    confirm(client, page, *codes)

    ada.refresh_from_db()
    assert (ada.email, ada.user.email, outcomes()) == (OLD_EMAIL, OLD_EMAIL, [Outcome.TAKEN])


def test_a_phone_that_somebody_gets_meanwhile_is_refused_with_the_reason(ada, ben, client, phones):
    page = ask(client, PHONE_PAGE, NEW_PHONE).headers["Location"]
    give_phone(ben, NEW_PHONE, verified_at=None)

    confirm(client, page, code_in(letters_to(OLD_EMAIL)[0]), code_in(phones.to(NEW_PHONE)[0]))

    assert "Another member already has this phone number." in text_of(client.get("/profile/"))
    ada.refresh_from_db()
    assert (ada.phone, outcomes()) == (None, [Outcome.TAKEN])
