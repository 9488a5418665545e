"""What letters are made of: plain text and HTML that say the same, and what programs read of them."""

import re
from html import unescape

import pytest
from django.core import mail
from django.template import engines
from django.test import Client
from django.urls import reverse

from accounts.letter_blocks import letter_blocks, preheader
from accounts.models import Member, Topic
from accounts.services.preferences import choose_letters
from accounts.services.waiting_letters import send_waiting_letters
from accounts.topics import ABOUT, AT_ONCE, TOPIC_OF
from tests.accounts.telling import FACTS, told
from tests.clock import NOON

TEXT = """You have earned 150 points. The points can be spent at once.
Your operations:
https://club.example/operations/

Balance: 12 345 points
Worth: 12 345 ₽

- one <b>thing</b>
- another

Enter this code:

482913

Was it not you? On this page you can block your account, without signing in:
https://club.example/not-me/

https://club.example/alone/
"""


def sent() -> mail.EmailMultiAlternatives:
    (letter,) = mail.outbox
    return letter


def html_of(letter: mail.EmailMultiAlternatives) -> str:
    ((html, kind),) = letter.alternatives
    assert kind == "text/html"
    return html


def words(text: str) -> list[str]:
    """What there is to read, however it is laid out: without addresses of pages, and signs around names."""
    return re.sub(r"https?://\S+|[:\s-]", " ", text).split()


def shown(html: str) -> list[str]:
    body = re.sub(
        r"<style.*?</style>|<div style=\"display:none.*?</div>|<h1.*?</h1>", " ", html, flags=re.DOTALL
    )
    body = body[body.index("<body") :]
    brand = re.sub(r'<p class="brand".*?</p>', " ", body)
    return words(unescape(re.sub(r"<[^>]+>", " ", brand)))


# HTML from text


def test_text_is_taken_apart_by_its_signs():
    blocks = letter_blocks(TEXT)

    assert [block.kind for block in blocks] == [
        *("text", "button", "pairs", "list", "text", "code", "text", "link", "link")
    ]
    assert [(block.label, block.address, block.is_first) for block in blocks if block.address] == [
        ("Your operations", "https://club.example/operations/", True),
        (
            "On this page you can block your account, without signing in",
            "https://club.example/not-me/",
            False,
        ),
        ("https://club.example/alone/", "https://club.example/alone/", False),
    ]
    assert blocks[2].pairs == [("Balance", "12 345 points"), ("Worth", "12 345 ₽")]
    assert preheader(blocks) == "You have earned 150 points. The points can be spent at once."


def test_preheader_ends_with_a_word():
    blocks = letter_blocks("word " * 60)

    assert preheader(blocks).endswith("word…")
    assert len(preheader(blocks)) <= 141


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("kind", sorted(FACTS))
def test_both_parts_of_a_letter_say_the_same(ada, kind, language, monkeypatch):
    monkeypatch.setattr("accounts.services.waiting_letters.fresh_facts", lambda *_: {})
    Member.objects.update(language=language)
    choose_letters(member=ada, wanted=list(Topic), at=NOON)
    told(ada, kind, wants_letter=True)
    assert send_waiting_letters(at=NOON) == 1

    letter, html = sent(), html_of(sent())

    assert sorted(shown(html)) == sorted(words(letter.body))
    assert set(re.findall(r'href="([^"]+)"', unescape(html))) == set(re.findall(r"https?://\S+", letter.body))
    assert f'<html lang="{language}">' in html
    assert unescape(html).count(letter.subject) >= 2
    assert len(html.encode()) < 50_000


def test_html_fetches_nothing_and_shows_what_was_typed_as_text(ada):
    told(ada, order="<img src=x onerror=alert(1)>", wants_letter=True)
    send_waiting_letters(at=NOON)

    html = html_of(sent())

    assert "&lt;img src=x" in html
    for sign in ("<img", "<script", "<link", "url(", "@import", 'src="http'):
        assert sign not in html
    tables = re.findall(r"<table[^>]*>", html)
    assert tables
    assert all('role="presentation"' in table for table in tables)
    assert "prefers-color-scheme: dark" in html


def test_letters_of_signing_in_have_both_parts(ada):
    Client().post(reverse("account_reset_password"), {"email": ada.user.email})

    letter = sent()

    assert sorted(shown(html_of(letter))) == sorted(words(letter.body))
    assert "/accounts/password/reset/key/" in html_of(letter)
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in letter.extra_headers


# What programs read


def test_letter_can_be_stopped_by_the_mail_program(ada, settings):
    told(ada, wants_letter=True)
    send_waiting_letters(at=NOON)

    headers, body = sent().extra_headers, sent().body

    address = headers["List-Unsubscribe"].strip("<>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Content-Language"] == ada.language
    assert address.startswith(f"{settings.SITE_URL}/letters/")
    assert address.endswith("/stop/")
    assert address in body
    assert address.removesuffix("stop/") in body.split()
    for secret in ("ada", ada.number, str(Member.objects.get().user_id)):
        assert f"/{secret}" not in address
        assert f"={secret}" not in address


def test_letter_about_security_cannot_be_stopped_and_leads_to_the_choice(ada):
    told(ada, "password_changed", wants_letter=True)
    send_waiting_letters(at=NOON)

    assert "List-Unsubscribe" not in sent().extra_headers
    assert "/stop/" not in sent().body
    assert "/letters/" in sent().body


# Kinds and topics


def test_every_kind_with_words_has_a_topic_and_the_other_way_round():
    (folder,) = (path for path in engines["django"].engine.dirs)
    kinds = {path.name.removesuffix("_subject.txt") for path in (folder / "messages").glob("*_subject.txt")}

    assert kinds - {"unknown"} == set(TOPIC_OF)
    assert all((folder / "messages" / f"{kind}_message.txt").exists() for kind in TOPIC_OF)
    assert set(ABOUT) == set(Topic)
    assert {TOPIC_OF[kind] for kind in AT_ONCE} == {Topic.TRANSFERS, Topic.SECURITY}


# Letters on this machine


@pytest.fixture
def local_mail(settings, tmp_path):
    settings.EMAIL_BACKEND = "accounts.local_mail.LocalMailBackend"
    settings.LOCAL_MAIL = str(tmp_path / "mail")
    return tmp_path / "mail"


def test_letters_can_be_read_on_this_machine(ada, client, local_mail):
    told(ada, order="A-1", wants_letter=True)
    told(ada, order="A-2", wants_letter=True)
    send_waiting_letters(at=NOON)

    names = sorted((path.stem for path in local_mail.glob("*.eml")), reverse=True)
    listed = client.get(reverse("accounts:mail"), headers={"host": "localhost"}).content.decode()
    assert re.findall(r"/mail/([\w-]+)/", listed) == names
    assert {path.stat().st_mode & 0o777 for path in local_mail.iterdir()} == {0o600}

    page = client.get(reverse("accounts:mail_letter", args=[names[0]]), headers={"host": "localhost"})
    assert "A-2" in page.content.decode()
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]

    html = client.get(reverse("accounts:mail_html", args=[names[0]]), headers={"host": "localhost"})
    policy = html.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert html.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    "case", ["production", "a mail server", "another host", "another machine", "no letter", "another file"]
)
def test_letters_of_others_are_shown_to_nobody(ada, client, local_mail, settings, case):
    told(ada, wants_letter=True)
    send_waiting_letters(at=NOON)
    (name,) = (path.stem for path in local_mail.glob("*.eml"))
    page, extra, host = reverse("accounts:mail_letter", args=[name]), {}, "localhost"
    match case:
        case "production":
            settings.IS_PRODUCTION = True
        case "a mail server":
            settings.LOCAL_MAIL = ""
        case "another host":
            host = "testserver"
        case "another machine":
            extra = {"REMOTE_ADDR": "192.0.2.7"}
        case "no letter":
            page = reverse("accounts:mail_letter", args=["20260310T120000000000-1-1"])
        case "another file":
            page = reverse("accounts:mail_letter", args=["settings"])

    assert client.get(page, headers={"host": host}, **extra).status_code == 404


def test_only_the_latest_letters_are_kept(ada, local_mail, monkeypatch):
    monkeypatch.setattr("accounts.local_mail.MOST_KEPT", 2)
    for _ in range(4):
        told(ada, wants_letter=True)
    send_waiting_letters(at=NOON)

    assert len(list(local_mail.iterdir())) == 2
