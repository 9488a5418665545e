"""Signing up, in and out, and the forgotten password, as a person does it: page by page."""

import re
import time
from datetime import date
from threading import Event, Thread

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import CONSENT_TEXT_VERSION, Consent, User
from loyalty.queries.rules import rule_set_in_force
from loyalty.rules_wording import rules_in_short
from loyalty.templatetags.numbers import day_text
from tests.clock import NOON
from tests.factories import PASSWORD, UserFactory
from tests.pages import Page

LOGIN, LOGOUT, SIGNUP = "/accounts/login/", "/accounts/logout/", "/accounts/signup/"
CONFIRM, RESET = "/accounts/confirm-email/", "/accounts/password/reset/"
LANGUAGES = pytest.mark.parametrize("language", ["ru", "en"])


@pytest.fixture
def visitor(db):
    """Gives a browser whose person reads that language."""

    def speaking(language="en"):
        client = Client()
        client.cookies["django_language"] = language
        return client

    return speaking


def sign_up(client, **changes):
    filled_in = {
        "first_name": "Мария",
        "email": "Maria@example.com",
        "password1": PASSWORD,
        "agrees_to_programme": "on",
    }
    return client.post(SIGNUP, {**filled_in, **changes})


def sign_in(client, email, password=PASSWORD, **more):
    return client.post(LOGIN, {"login": email, "password": password, **more})


def form_errors(response):
    return response.context["form"].errors


def signed_in_user(client):
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


def code_in_mail(client):
    """The code of the last mail, made sure by the one that the session waits for."""
    code = client.session["account_email_verification_code"]["code"]
    assert code in mail.outbox[-1].body
    return code


def is_russian(text):
    return re.search("[а-я]{3}", text, re.IGNORECASE) is not None


@LANGUAGES
def test_sign_up_then_the_code_then_signed_in(visitor, language):
    client = visitor(language)
    assert client.get(SIGNUP).headers["Content-Language"] == language

    response = sign_up(client, agrees_to_advertising="on")
    assert response.headers["Location"] == CONFIRM
    assert signed_in_user(client) is None
    assert [message.to for message in mail.outbox] == [["maria@example.com"]]
    assert is_russian(mail.outbox[0].subject) == (language == "ru")

    assert client.get(CONFIRM).status_code == 200
    response = client.post(CONFIRM, {"code": code_in_mail(client)})
    assert response.headers["Location"] == "/"
    maria = signed_in_user(client)
    assert (maria.email, maria.first_name, maria.last_name) == ("maria@example.com", "Мария", "")
    assert EmailAddress.objects.get(user=maria).verified


def test_the_way_in_is_counted_from_the_form_to_the_first_page(visitor):
    client = visitor()
    assert "Step 1 of 3" in Page(client.get(SIGNUP)).text
    sign_up(client)
    assert "Step 2 of 3" in Page(client.get(CONFIRM)).text
    response = client.post(CONFIRM, {"code": code_in_mail(client)}, follow=True)
    assert "Step 3 of 3: maria@example.com is confirmed" in Page(response).text


def test_sign_up_says_the_rules_in_five_lines_and_which_text_one_agrees_to(visitor, in_english):
    page = Page(visitor().get(SIGNUP))
    assert page.text.count("You earn:") == 1
    for line in rules_in_short(rule_set_in_force(timezone.now()), at=timezone.now()):
        assert f"{line.subject}: {line.sentence}" in page.text
    assert day_text(date.fromisoformat(CONSENT_TEXT_VERSION)) in page.text
    assert "/rules/" in page.hrefs()
    assert "#in-short" in page.hrefs()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("first_name", "Enter your first name: it is what letters begin with and friends see."),
        ("email", "Enter your e-mail: you sign in with it."),
        ("password1", "Choose a password."),
    ],
)
def test_sign_up_says_what_to_enter(visitor, in_english, name, sentence):
    assert form_errors(sign_up(visitor(), **{name: ""}))[name] == [sentence]


def test_no_form_of_signing_in_jumps_over_the_skip_link(visitor, ada):
    signed_in, waiting = visitor(), visitor()
    signed_in.force_login(ada.user)
    sign_up(waiting)
    pages = [
        visitor().get(SIGNUP),
        visitor().get(LOGIN),
        visitor().get(RESET),
        waiting.get(CONFIRM),
        signed_in.get("/accounts/password/change/"),
        signed_in.get("/accounts/reauthenticate/"),
        signed_in.get("/profile/name/"),
        signed_in.get("/profile/email/"),
    ]
    for response in pages:
        assert response.status_code == 200
        assert not [tag for tag, attributes in Page(response).tags if "autofocus" in attributes]


def test_a_code_can_be_filled_in_by_the_phone_that_got_it(visitor):
    client = visitor()
    sign_up(client)
    assert "one-time-code" in Page(client.get(CONFIRM)).values("autocomplete")


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, [Consent.Kind.PROGRAMME]),
        ({"agrees_to_advertising": "on"}, [Consent.Kind.ADVERTISING, Consent.Kind.PROGRAMME]),
    ],
)
def test_sign_up_records_the_consents_that_were_ticked(visitor, changes, kinds):
    sign_up(visitor(), **changes)

    records = Consent.objects.order_by("kind").values(
        "user__email", "kind", "is_given", "how", "text_version"
    )
    assert list(records) == [
        {
            "user__email": "maria@example.com",
            "kind": kind,
            "is_given": True,
            "how": Consent.How.SIGN_UP,
            "text_version": CONSENT_TEXT_VERSION,
        }
        for kind in kinds
    ]


def test_sign_up_asks_for_no_more_than_it_needs(visitor):
    form = visitor().get(SIGNUP).context["form"]

    assert list(form.fields) == [
        "first_name",
        "email",
        "password1",
        "agrees_to_programme",
        "agrees_to_advertising",
    ]
    asked = {name: field.widget.attrs.get("autocomplete") for name, field in form.fields.items()}
    assert asked == {
        "first_name": "given-name",
        "email": "email",
        "password1": "new-password",
        "agrees_to_programme": None,
        "agrees_to_advertising": None,
    }
    assert not any(form[name].value() for name in ("agrees_to_programme", "agrees_to_advertising"))
    assert not any("autofocus" in field.widget.attrs for field in form.fields.values())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"agrees_to_programme": ""}, "agrees_to_programme"),
        ({"first_name": "  "}, "first_name"),
        ({"first_name": "М" * 101}, "first_name"),
        ({"email": "maria"}, "email"),
        ({"password1": "12345678"}, "password1"),
        ({"password1": "maria@example.com"}, "password1"),
    ],
)
@LANGUAGES
def test_sign_up_says_what_is_wrong_and_makes_no_login(visitor, changes, field, language):
    response = sign_up(visitor(language), **changes)

    assert response.status_code == 200
    assert list(form_errors(response)) == [field]
    assert (User.objects.count(), Consent.objects.count(), mail.outbox) == (0, 0, [])


def test_sign_up_with_a_known_address_looks_the_same_and_tells_its_owner_by_mail(visitor, ada):
    client = visitor()

    response = sign_up(client, email="ADA@example.com")

    assert response.headers["Location"] == CONFIRM
    assert (User.objects.count(), Consent.objects.count()) == (1, 0)
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]
    assert not re.search(r"\b[A-Z]{4}-[A-Z]{4}\b|\b\d{6}\b", mail.outbox[0].body)


@pytest.mark.django_db(transaction=True)
def test_sign_up_twice_at_once_makes_one_login_and_no_error_page(visitor):
    is_inserted = Event()

    def sign_up_in_another_tab():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                UserFactory(email="maria@example.com")
                is_inserted.set()
                # Commit only when the sign-up below has passed its check and waits for this row.
                for _ in range(500):
                    cursor.execute(
                        "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)"
                        " WHERE NOT l.granted AND a.datname = current_database()"
                    )
                    if cursor.fetchone() != (0,):
                        return
                    time.sleep(0.01)
        finally:
            connection.close()

    tab = Thread(target=sign_up_in_another_tab)
    tab.start()
    is_inserted.wait(timeout=10)
    response = sign_up(visitor())
    tab.join()

    assert response.headers["Location"] == CONFIRM
    assert list(User.objects.values_list("email", flat=True)) == ["maria@example.com"]


@LANGUAGES
def test_sign_up_refuses_a_wrong_code_and_gives_up_after_three(visitor, language):
    client = visitor(language)
    sign_up(client)
    code = code_in_mail(client)
    wrong = "".join("B" if character != "B" else "C" for character in code)

    for _ in range(2):
        response = client.post(CONFIRM, {"code": wrong})
        assert list(form_errors(response)) == ["code"]
    assert client.post(CONFIRM, {"code": wrong}).status_code == 302
    client.post(CONFIRM, {"code": code})

    assert signed_in_user(client) is None
    assert not EmailAddress.objects.get().verified


def test_the_page_for_the_code_says_once_where_it_went_and_for_how_long(visitor):
    client = visitor("en")
    with time_machine.travel(NOON, tick=False) as clock:
        sign_up(client)
        page = Page(client.get(CONFIRM)).text
        clock.shift(300)
        again = Page(client.post(CONFIRM, {"action": "resend"}, follow=True)).text

    assert page.count("maria@example.com") == 1
    assert "It is valid for 15 minutes." in page
    assert "A new code is on its way to maria@example.com." in again


def test_sign_in_before_the_code_asks_for_a_new_one(visitor):
    user = UserFactory(email="maria@example.com")
    EmailAddress.objects.update(verified=False)
    client = visitor()

    response = sign_in(client, user.email)

    assert response.headers["Location"] == CONFIRM
    assert client.post(CONFIRM, {"code": code_in_mail(client)}).status_code == 302
    assert signed_in_user(client) == user


def test_sign_in_and_out(visitor, ada):
    client = visitor()
    form = client.get(LOGIN).context["form"]
    assert form.fields["login"].widget.attrs["autocomplete"] == "username"
    assert form.fields["password"].widget.attrs["autocomplete"] == "current-password"
    assert not any("autofocus" in field.widget.attrs for field in form.fields.values())

    assert sign_in(client, " ADA@example.com").headers["Location"] == "/"
    assert signed_in_user(client) == ada.user

    assert client.get(LOGOUT).status_code == 200
    assert signed_in_user(client) == ada.user
    assert client.post(LOGOUT).headers["Location"] == "/"
    assert signed_in_user(client) is None


@LANGUAGES
def test_sign_in_does_not_tell_a_wrong_password_from_an_unknown_person(visitor, ada, language):
    client = visitor(language)

    wrong_password = sign_in(client, "ada@example.com", "not her pass phrase")
    unknown_person = sign_in(client, "nobody@example.com", "not her pass phrase")

    assert form_errors(wrong_password) == form_errors(unknown_person)
    (sentence,) = form_errors(wrong_password)["__all__"]
    assert is_russian(sentence) == (language == "ru")
    assert wrong_password.context["form"]["login"].value() == "ada@example.com"


@LANGUAGES
def test_sign_in_stops_after_five_wrong_passwords_also_for_the_right_one(visitor, ada, language):
    client = visitor(language)
    for _ in range(5):
        sign_in(client, "ada@example.com", "not her pass phrase")

    for password in ("not her pass phrase", PASSWORD):
        response = sign_in(client, "ada@example.com", password)
        (sentence,) = form_errors(response)["__all__"]
        assert ("попыток" in sentence) if language == "ru" else ("too many attempts" in sentence)

    assert signed_in_user(client) is None
    assert signed_in_user(visitor()) is None


def test_sign_in_of_others_is_not_stopped_by_somebodys_wrong_passwords(visitor, ada, ben):
    for _ in range(6):
        sign_in(visitor(), "ada@example.com", "not her pass phrase")

    client = visitor()
    sign_in(client, "ben@example.com")

    assert signed_in_user(client) == ben.user


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/operations/?page=2", "/operations/?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        # Another name of this server is allowed for requests, but is not the site that the person is on.
        ("http://localhost/", "/"),
    ],
)
def test_sign_in_goes_on_only_to_a_page_of_this_site(visitor, ada, wanted, goes_to):
    assert sign_in(visitor(), "ada@example.com", next=wanted).headers["Location"] == goes_to


def test_sign_in_leads_members_to_the_cabinet_and_staff_to_the_console(visitor, ada, stan, sue):
    places = [sign_in(visitor(), person.email).headers["Location"] for person in (ada, stan, sue)]

    assert places == ["/", "/console/", "/console/"]


@LANGUAGES
def test_forgotten_password_is_set_anew_by_the_mailed_link(visitor, ada, language):
    client = visitor(language)
    assert client.post(RESET, {"email": "Ada@example.com"}).status_code == 302
    assert mail.outbox[0].to == ["ada@example.com"]
    assert is_russian(mail.outbox[0].subject) == (language == "ru")
    (link,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)

    page = client.get(link, follow=True)
    address = page.redirect_chain[-1][0]
    new = {"password1": "another pass phrase", "password2": "another pass phrase"}
    assert client.post(address, new).status_code == 302

    sign_in(client, "ada@example.com", "another pass phrase")
    assert signed_in_user(client) == ada.user
    again = visitor()
    again.post(again.get(link, follow=True).request["PATH_INFO"], new)
    assert signed_in_user(again) is None


def test_forgotten_password_of_a_stranger_looks_the_same(visitor, ada):
    known = visitor().post(RESET, {"email": "ada@example.com"})
    unknown = visitor().post(RESET, {"email": "nobody@example.com"})

    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert [message.to for message in mail.outbox] == [["ada@example.com"], ["nobody@example.com"]]
    assert "password/reset/key" not in mail.outbox[1].body
