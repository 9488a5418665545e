"""The console's keys: who may make them, what is shown and how often, and what becomes of them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditRecord
from orders.errors import KeyRevoked
from orders.models import ApiKey, Scope, Source
from orders.services.api_keys import admit, create_key, revoke_key, rotate_key
from tests.pages import Page

KEYS = "/console/keys/"
NEW_KEY = "/console/keys/new/"
KEY_TEXT = re.compile(r"ballada_(?:live|test)_[a-z2-9]{12}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def desk(sue, client_of) -> Client:
    """The supervisor's browser, in English."""
    client = client_of(sue)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def key(shop) -> ApiKey:
    """A key that the shop has."""
    return create_key(source=shop, name="Checkout", scopes=["orders:read"], at=timezone.now()).key


def asked(shop=None, **more) -> dict[str, object]:
    """What a filled in form sends."""
    return {
        "public_id": "k7w2m9x4h3qd",
        "source": shop.code if shop else "+",
        "name": "Checkout",
        "scopes": ["orders:read", "orders:write"],
        "requests_a_minute": "120",
        **more,
    }


# Who may


@pytest.mark.parametrize("part", ["", "new/", "{}/replace/", "{}/revoke/"])
def test_keys_are_for_supervisors_only(ada, stan, sue, key, client_of, part):
    address = KEYS + part.format(key.public_id)

    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
    for person in (ada, stan):
        client = client_of(person)
        client.cookies["django_language"] = "en"
        refused = client.get(address)
        assert refused.status_code == 403
        assert client.post(address).status_code in (403, 405)
        assert "This page is for supervisors." in Page(refused).text
    assert client_of(sue).get(address).status_code == 200
    assert ApiKey.objects.get().revoked_at is None


def test_the_console_leads_supervisors_to_the_keys(stan, desk, client_of):
    assert KEYS in Page(desk.get("/console/colleagues/")).hrefs()
    assert KEYS not in Page(client_of(stan).get("/console/transfers/")).hrefs()


def test_a_key_that_is_not_there_is_not_found(desk):
    assert desk.get(f"{KEYS}k7w2m9x4h3qd/replace/").status_code == 404
    assert desk.post(f"{KEYS}k7w2m9x4h3qd/revoke/").status_code == 404
    for part in ("replace/", "revoke/"):
        assert desk.get(f"{KEYS}%00/{part}").status_code == 404


# A new key


def test_a_supervisor_makes_a_key_and_sees_it_once(desk, sue, shop):
    sent = desk.post(NEW_KEY, asked(shop))
    assert (sent.status_code, sent.headers["Location"]) == (302, KEYS)

    shown = desk.get(KEYS)
    (text,) = KEY_TEXT.findall(Page(shown).text)

    assert "The new key of Полдень: Checkout" in Page(shown).text
    assert "no-store" in shown.headers["Cache-Control"]
    key = admit(text=text, at=timezone.now())
    assert (key.source, key.name, key.created_by) == (shop, "Checkout", sue)
    assert (key.scopes, key.requests_a_minute) == (["orders:read", "orders:write"], 120)
    again = desk.get(KEYS)
    assert KEY_TEXT.findall(again.content.decode()) == []
    assert "Checkout" in Page(again).text


def test_looking_ahead_does_not_use_up_the_only_look(desk, shop):
    desk.post(NEW_KEY, asked(shop))
    desk.head(KEYS)

    assert KEY_TEXT.search(Page(desk.get(KEYS)).text)


def test_the_secret_stands_nowhere_but_on_the_page(desk, shop, caplog):
    with CaptureQueriesContext(connection) as queries:
        sent = desk.post(NEW_KEY, asked(shop))
    waiting = everything_kept(desk)
    (text,) = KEY_TEXT.findall(Page(desk.get(KEYS)).text)
    secret = text.split("_", 3)[3]

    for place in (waiting, everything_kept(desk), str(queries.captured_queries), caplog.text):
        assert secret not in place
        assert secret.encode().hex() not in place
    assert secret not in str(sent.headers) + str(desk.cookies)
    assert "shown_once" not in desk.session


def everything_kept(client: Client) -> str:
    """The keys and the session as the database has them, the session also as it is read."""
    with connection.cursor() as cursor:
        cursor.execute("select string_agg(kept::text, ' ') from orders_api_key as kept")
        keys = cursor.fetchone()[0]
        cursor.execute("select string_agg(kept::text, ' ') from django_session as kept")
        return keys + cursor.fetchone()[0] + str(dict(client.session.items()))


def test_a_key_can_be_for_a_new_source(desk):
    desk.post(
        NEW_KEY, asked(source_name="Try-out", source_code="try-out", is_sandbox="on", scopes=Scope.values)
    )

    source = Source.objects.get()
    assert (source.code, source.name, source.is_sandbox) == ("try-out", "Try-out", True)
    page = Page(desk.get(KEYS))
    assert KEY_TEXT.search(page.text)[0].startswith("ballada_test_k7w2m9x4h3qd_")
    assert "Try-out · try-out sandbox" in page.text
    assert "for everything" in page.text


@pytest.mark.parametrize("is_new_source", [False, True])
def test_a_form_sent_twice_makes_one_key_and_shows_it(desk, shop, is_new_source):
    form = asked(source_name="Till", source_code="till") if is_new_source else asked(shop)
    desk.post(NEW_KEY, form)
    desk.post(NEW_KEY, form)

    page = Page(desk.get(KEYS))

    assert ApiKey.objects.count() == 1
    assert KEY_TEXT.search(page.text)
    assert "This form was sent before, and made one key." in page.text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"source": ""}, "Choose the source that the key is for."),
        ({"source": "elsewhere"}, "Select a valid choice."),
        ({"source": "+", "source_name": ""}, "Give the new source a name."),
        ({"source": "+"}, "Give the new source a code."),
        ({"source": "+", "source_name": "Noon", "source_code": "noon"}, "code “noon” already"),
        (
            {"source": "+", "source_name": "Noon", "source_code": "no on"},
            "Make the code of Latin letters, digits and hyphens",
        ),
        ({"name": " "}, "Say where the key is used"),
        ({"scopes": []}, "Choose at least one thing that the key may be used for."),
        ({"requests_a_minute": "0"}, "requests a minute from 1 to 60000."),
        ({"requests_a_minute": "60001"}, "requests a minute from 1 to 60000."),
        ({"public_id": "ill0gical"}, "Enter a valid value."),
    ],
)
def test_a_form_with_an_error_says_where_and_keeps_what_was_entered(desk, shop, wrong, sentence):
    refused = desk.post(NEW_KEY, asked(shop, **{"source_name": "Kept", **wrong}))
    page = Page(refused)

    assert refused.status_code == 422
    assert page.text.startswith("Error: A new key")
    assert sentence in page.text
    assert "120" in page.values("value") or "requests_a_minute" in wrong
    assert wrong.get("source_name", "Kept") in page.values("value")
    ids = page.values("id")
    assert all(href.removeprefix("#") in ids for href in page.hrefs() if href.startswith("#"))
    assert (ApiKey.objects.count(), Source.objects.count()) == (0, 1)


def test_each_empty_form_is_for_another_key(desk):
    hidden = [
        attributes["value"]
        for _form in range(2)
        for tag, attributes in Page(desk.get(NEW_KEY)).tags
        if attributes.get("name") == "public_id"
    ]

    assert len(set(hidden)) == 2


# The list


def test_the_list_says_what_has_become_of_each_key(desk, sue, shop, key):
    now = timezone.now()
    used = create_key(source=shop, name="Used", scopes=Scope.values, at=now, created_by=sue)
    admit(text=used.text, at=now)
    replaced = create_key(source=shop, name="Replaced", scopes=Scope.values, at=now).key
    rotate_key(key=replaced, at=now)
    expired = create_key(source=shop, name="Expired", scopes=Scope.values, at=now).key
    rotate_key(key=expired, at=now - timedelta(days=2))
    revoked = create_key(source=shop, name="Revoked", scopes=Scope.values, at=now).key
    revoke_key(key=revoked, at=now)

    text = Page(desk.get(KEYS)).text

    assert re.search(
        r"Checkout \w{12} · read and quote orders · 600 requests a minute never used not yet", text
    )
    assert re.search(r"Used \w{12} · for everything · 600 requests a minute works \d+ \w+", text)
    assert re.search(r"Replaced \w{12} · [^·]+ · 600 requests a minute replaced works until \d", text)
    working, ended = text.split("Keys that no longer work", 1)
    assert re.search(r"Expired \w{12} · [^·]+ · 600 requests a minute expired \d", ended)
    assert re.search(r"Revoked \w{12} · [^·]+ · 600 requests a minute revoked \d", ended)
    assert "Revoked" not in working
    assert "sue@example.com" in working
    assert "by a command on the server" in working


def test_an_empty_list_says_what_to_do_next(desk, db):
    page = Page(desk.get(KEYS))

    assert "No keys yet" in page.text
    assert NEW_KEY in page.hrefs()


def test_the_list_takes_the_same_queries_for_one_key_and_for_thirty(desk, sue, shop, key):
    desk.get(KEYS)
    with CaptureQueriesContext(connection) as with_one:
        desk.get(KEYS)
    for number in range(30):
        source = Source.objects.create(code=f"till-{number}", name=f"Till {number}")
        made = create_key(source=source, name="Till", scopes=Scope.values, at=timezone.now(), created_by=sue)
        if number % 2:
            revoke_key(key=made.key, at=timezone.now())

    with CaptureQueriesContext(connection) as with_many:
        desk.get(KEYS)

    assert len(with_one) == len(with_many) <= 6


# What becomes of a key


def test_a_key_is_replaced_after_a_word_about_what_happens(desk, sue, shop, key):
    address = f"{KEYS}{key.public_id}/replace/"
    assert address in Page(desk.get(KEYS)).hrefs()
    question = Page(desk.get(address))
    assert "Replace the key “Checkout”?" in question.text
    assert "The old key works on for the time you choose" in question.text
    assert ApiKey.objects.count() == 1

    for _press in range(2):
        assert desk.post(address, {"overlap": "1"}).headers["Location"] == KEYS
    page = Page(desk.get(KEYS))

    old, new = ApiKey.objects.order_by("pk")
    assert (new.replaces, new.created_by) == (old, sue)
    assert old.expires_at - new.created_at == timedelta(hours=1)
    assert new.public_id in KEY_TEXT.search(page.text)[0]
    assert "This key was replaced before." in page.text
    assert address not in page.hrefs()
    assert f"{KEYS}{new.public_id}/replace/" in page.hrefs()


def test_a_key_without_a_chosen_time_is_not_replaced(desk, key):
    refused = desk.post(f"{KEYS}{key.public_id}/replace/", {"overlap": "1000000"})

    assert refused.status_code == 422
    assert Page(refused).text.startswith("Error: Replace a key")
    assert ApiKey.objects.count() == 1


def test_an_ended_key_is_not_replaced(desk, key):
    revoke_key(key=key, at=timezone.now())
    address = f"{KEYS}{key.public_id}/replace/"

    for send in (desk.get, desk.post):
        assert send(address, {"overlap": "1"}).headers["Location"] == KEYS
        assert "This key no longer works" in Page(desk.get(KEYS)).text
    assert ApiKey.objects.count() == 1


def test_a_key_is_revoked_after_a_word_about_what_happens(desk, shop):
    made = create_key(source=shop, name="Checkout", scopes=Scope.values, at=timezone.now())
    address = f"{KEYS}{made.key.public_id}/revoke/"
    question = Page(desk.get(address))
    assert "Revoke the key “Checkout”?" in question.text
    assert "This cannot be undone." in question.text
    assert admit(text=made.text, at=timezone.now())

    for _press in range(2):
        assert desk.post(address).headers["Location"] == KEYS
    page = Page(desk.get(KEYS))

    with pytest.raises(KeyRevoked):
        admit(text=made.text, at=timezone.now())
    assert "The key “Checkout” is revoked." in page.text
    assert "No key works" in page.text
    assert address not in page.hrefs()


def test_each_change_of_a_key_is_in_the_journal(desk, sue, shop):
    desk.post(NEW_KEY, asked(shop))
    desk.post(f"{KEYS}k7w2m9x4h3qd/replace/", {"overlap": "24"})
    desk.post(f"{KEYS}k7w2m9x4h3qd/revoke/")
    # It is revoked by now: this changes nothing, and is no change in the journal either.
    desk.post(f"{KEYS}k7w2m9x4h3qd/revoke/")

    records = list(AuditRecord.objects.order_by("pk"))

    assert [one.facts["change"] for one in records] == ["created", "replaced", "revoked"]
    assert {(one.action, one.actor_id, one.actor_role) for one in records} == {
        (AuditRecord.Action.KEY_CHANGED, sue.pk, "supervisor")
    }
    assert {one.facts["key"] for one in records} == {"k7w2m9x4h3qd"}
    assert records[1].facts["new_key"] == ApiKey.objects.get(replaces__isnull=False).public_id
    secrets = [key.secret_hash for key in ApiKey.objects.all()]
    assert not any(secret in str(one.facts) for secret in secrets for one in records)


def test_pages_change_nothing_by_being_looked_at(desk, key):
    before = ApiKey.objects.values().get()
    for address in (KEYS, NEW_KEY, f"{KEYS}{key.public_id}/replace/", f"{KEYS}{key.public_id}/revoke/"):
        for look in (desk.get, desk.head):
            assert look(address).status_code == 200
    assert desk.post(KEYS).status_code == 405
    assert ApiKey.objects.values().get() == before


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("part", ["", "new/", "{}/replace/", "{}/revoke/"])
def test_pages_are_sound_html(desk, shop, key, language, part):
    create_key(source=shop, name="Busy", scopes=Scope.values, at=timezone.now(), requests_a_minute=12_000)
    desk.cookies["django_language"] = language

    page = Page(desk.get(KEYS + part.format(key.public_id)))

    assert page.count("h1") == 1
    assert page.values("style") == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    read_by_programs = page.values("href", "id", "name", "value", "max", "action", "datetime")
    assert [value for value in read_by_programs if re.search(r"\d[\u00a0\u202f ,]\d", value)] == []
    assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)
