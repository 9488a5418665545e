"""The second factor: set up, asked for when signing in, lost, and needed for the console."""

import re
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import segno
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.clock import NOON
from tests.factories import PASSWORD
from tests.pages import Page

LOGIN, INDEX = "/accounts/login/", "/accounts/2fa/"
SET_UP, SWITCH_OFF = "/accounts/2fa/totp/activate/", "/accounts/2fa/totp/deactivate/"
CODES, NEW_CODES = "/accounts/2fa/recovery-codes/", "/accounts/2fa/recovery-codes/generate/"
CODES_FILE = "/accounts/2fa/recovery-codes/download/"
ASK_CODE, ASK_AGAIN = "/accounts/2fa/authenticate/", "/accounts/reauthenticate/"
CONFIRM = "/accounts/2fa/reauthenticate/"
CONSOLE = "/console/transfers/"

HALF_A_MINUTE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def clock():
    """A code holds for half a minute: the clock moves only when it is moved."""
    with time_machine.travel(NOON, tick=False) as travelled:
        yield travelled


@pytest.fixture
def visitor():
    """Gives a browser, in English unless told otherwise."""

    def speaking(language="en"):
        client = Client()
        client.cookies["django_language"] = language
        return client

    return speaking


def sign_in(client, email, **more):
    return client.post(LOGIN, {"login": email, "password": PASSWORD, **more})


def code_for(secret: str) -> str:
    """What the app on the phone shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def secret_of(user: User) -> str:
    return Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP).data["secret"]


def set_up(client) -> list[str]:
    """Set a second factor up page by page; the recovery codes come back."""
    asked = client.get(SET_UP)
    assert asked.headers["Location"] == f"{ASK_AGAIN}?{urlencode({'next': SET_UP})}"
    client.post(asked.headers["Location"], {"password": PASSWORD})
    secret = client.get(SET_UP).context["form"].secret
    done = client.post(SET_UP, {"code": code_for(secret)})
    assert done.headers["Location"] == CODES
    return client.get(CODES).context["unused_codes"]


@pytest.fixture
def stans_phone(stan, visitor, clock) -> list[str]:
    """Stan has a second factor; what comes back are his recovery codes."""
    client = visitor()
    sign_in(client, stan.email)
    codes = set_up(client)
    clock.shift(HALF_A_MINUTE)
    mail.outbox.clear()
    return codes


def is_signed_in(client) -> bool:
    return client.get("/profile/").status_code == 200


# Setting it up


def test_the_page_shows_the_code_to_scan_without_anything_foreign(stan, visitor):
    client = visitor()
    sign_in(client, stan.email)
    client.post(f"{ASK_AGAIN}?next={SET_UP}", {"password": PASSWORD})

    response = client.get(SET_UP)
    page, html = Page(response), response.content.decode()
    secret = response.context["form"].secret
    address = f"otpauth://totp/stan%40example.com?secret={secret}&issuer=Ballada"
    drawn = segno.make_qr(address, error="m", boost_error=False)
    (width,) = re.findall(r'<svg role="img"[^>]+viewBox="0 0 (\d+) \1"', html)

    assert int(width) == drawn.symbol_size(border=4)[0]
    (path,) = re.findall(r'<path[^>]+stroke="#000"[^>]+d="([^"]+)"|d="([^"]+)"[^>]+stroke="#000"', html)
    assert "".join(path) in drawn.svg_inline(border=4, dark="#000", light="#fff", lineclass=None)
    assert secret in page.text
    assert "data:" not in html
    assert "style=" not in html
    assert 'autocomplete="one-time-code"' in html


@pytest.mark.django_db(transaction=True)
def test_setting_it_up_gives_recovery_codes_and_tells_by_letter(stan, visitor):
    client = visitor()
    sign_in(client, stan.email)

    codes = set_up(client)

    assert len(codes) == 10
    text = Page(client.get(CODES)).text
    assert all(code in text for code in codes)
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([stan.email], "Your second factor is on")
    assert "was switched on" in letter.body
    assert "Second factor on" in Page(client.get(INDEX)).text
    saved = client.get(CODES_FILE)
    assert saved.content.decode().split() == codes
    assert "attachment" in saved.headers["Content-Disposition"]


def test_a_wrong_code_switches_nothing_on_and_keeps_the_key(stan, visitor):
    client = visitor()
    sign_in(client, stan.email)
    client.post(f"{ASK_AGAIN}?next={SET_UP}", {"password": PASSWORD})
    secret = client.get(SET_UP).context["form"].secret

    response = client.post(SET_UP, {"code": "000000"})

    assert "This code does not fit." in Page(response).text
    assert "Error: Set up the second factor" in Page(response).text
    assert response.context["form"].secret == secret
    assert not Authenticator.objects.exists()


def test_a_signed_in_browser_alone_changes_nothing(stan, visitor, stans_phone):
    client = visitor()
    sign_in(client, stan.email)
    client.post(ASK_CODE, {"code": code_for(secret_of(stan))})

    for address in (SWITCH_OFF, CODES, NEW_CODES, CODES_FILE):
        for send in (client.get, client.post):
            response = send(address)
            assert response.status_code in (302, 405), address
            if response.status_code == 302:
                assert response.headers["Location"].startswith(ASK_AGAIN), address
    assert Authenticator.objects.filter(user=stan).count() == 2


def test_a_member_may_have_one_and_the_profile_leads_there(ada, visitor):
    client = visitor()
    sign_in(client, "ada@example.com")
    assert INDEX in Page(client.get("/profile/")).hrefs()
    assert "Console" not in Page(client.get("/profile/")).text

    set_up(client)

    assert "/profile/" in Page(client.get(CODES)).hrefs()
    assert "Second factor on" in Page(client.get("/profile/")).text


# Signing in


def test_signing_in_asks_for_the_code_and_keeps_where_one_was_going(stan, visitor, stans_phone):
    client = visitor()

    assert sign_in(client, stan.email, next=CONSOLE).headers["Location"] == ASK_CODE
    assert not is_signed_in(client)
    assert client.get(CONSOLE).headers["Location"] == f"{LOGIN}?next={CONSOLE}"
    page = Page(client.get(ASK_CODE))
    assert "Enter the code that the app on your phone shows now" in page.text
    done = client.post(ASK_CODE, {"code": code_for(secret_of(stan))})
    assert done.headers["Location"] == CONSOLE
    assert is_signed_in(client)


def test_a_code_signs_in_once(stan, visitor, stans_phone):
    code = code_for(secret_of(stan))
    first, second = visitor(), visitor()
    for client in (first, second):
        sign_in(client, stan.email)
        client.post(ASK_CODE, {"code": code})

    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


def test_a_code_that_was_used_never_signs_in_again(stan, visitor, stans_phone, clock):
    code = code_for(secret_of(stan))
    first = visitor()
    sign_in(first, stan.email)
    first.post(ASK_CODE, {"code": code})
    for _ in range(4):
        clock.shift(HALF_A_MINUTE)
        again = visitor()
        sign_in(again, stan.email)
        again.post(ASK_CODE, {"code": code})
        assert not is_signed_in(again)


def test_a_recovery_code_signs_in_once(stan, visitor, stans_phone):
    code = stans_phone[3]
    first, second = visitor(), visitor()
    for client in (first, second):
        sign_in(client, stan.email)
        client.post(ASK_CODE, {"code": code})

    assert (is_signed_in(first), is_signed_in(second)) == (True, False)
    assert "9 recovery codes are left" in Page(first.get(INDEX)).text


def test_wrong_codes_say_so_and_end_after_five(stan, visitor, stans_phone):
    client = visitor()
    sign_in(client, stan.email)

    assert "This code does not fit." in Page(client.post(ASK_CODE, {"code": "000000"})).text
    for _ in range(5):
        client.post(ASK_CODE, {"code": "000000"})
    refused = client.post(ASK_CODE, {"code": code_for(secret_of(stan))})

    assert "too many attempts" in Page(refused).text
    assert not is_signed_in(client)


def test_a_new_password_by_letter_does_not_pass_the_second_factor(stan, visitor, stans_phone):
    client = visitor()
    client.post("/accounts/password/reset/", {"email": stan.email})
    (link,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    page = client.get(link, follow=True)
    new = {"password1": "another pass phrase", "password2": "another pass phrase"}
    client.post(page.redirect_chain[-1][0], new)
    assert not is_signed_in(client)

    client.post(LOGIN, {"login": stan.email, "password": "another pass phrase"})
    assert not is_signed_in(client)


def test_switching_it_off_takes_the_recovery_codes_too(stan, visitor, stans_phone, clock):
    client = visitor()
    sign_in(client, stan.email)
    client.post(ASK_CODE, {"code": code_for(secret_of(stan))})
    clock.shift(HALF_A_MINUTE)
    client.post(f"/accounts/2fa/reauthenticate/?next={SWITCH_OFF}", {"code": code_for(secret_of(stan))})
    assert "your recovery codes no longer work" in Page(client.get(SWITCH_OFF)).text

    client.post(SWITCH_OFF)

    assert not Authenticator.objects.exists()
    assert [letter.subject for letter in mail.outbox] == ["Your second factor is off"]


# The console


@pytest.fixture
def needed(settings):
    """As in production."""
    settings.NEEDS_SECOND_FACTOR = True


def test_the_console_opens_only_with_a_second_factor(needed, stan, sue, visitor, settings):
    for person, address in ((stan, CONSOLE), (sue, "/console/colleagues/")):
        client = visitor()
        sign_in(client, person.email)
        for send in (client.get, client.head):
            assert send(address).headers["Location"] == INDEX
        assert client.post("/console/invitations/attach/", {"invited": "x"}).headers["Location"] == INDEX
        page = Page(client.get(INDEX))
        assert "The console opens for you once the second factor is set up." in page.text
        assert SET_UP in page.hrefs()

        set_up(client)

        assert "/console/" in Page(client.get(CODES)).hrefs()
        assert client.get(address).status_code == 200
        assert "The console opens for you" not in Page(client.get(INDEX)).text


def test_setting_it_up_ends_every_other_session(needed, stan, visitor):
    earlier, client = visitor(), visitor()
    for browser in (earlier, client):
        sign_in(browser, stan.email)

    set_up(client)

    assert not is_signed_in(earlier)
    assert client.get(CONSOLE).status_code == 200


def test_a_session_that_never_gave_a_code_does_so_before_the_console_opens(
    needed, stan, visitor, stans_phone
):
    client = visitor()
    client.force_login(stan)

    led = client.get(f"{CONSOLE}?number=1").headers["Location"]

    assert led == f"{CONFIRM}?next={CONSOLE}%3Fnumber%3D1"
    page = Page(client.get(led))
    assert "Enter the code that the app on your phone shows now" in page.text
    # The password alone would lead back here.
    assert "Use your password" not in page.text
    back = client.post(led, {"code": code_for(secret_of(stan))})
    assert back.headers["Location"] == f"{CONSOLE}?number=1"
    assert client.get(CONSOLE).status_code == 200


def test_a_password_alone_does_not_switch_off_what_the_console_needs(needed, stan, visitor, stans_phone):
    client = visitor()
    client.force_login(stan)

    client.post(f"{ASK_AGAIN}?next={SWITCH_OFF}", {"password": PASSWORD})
    client.post(SWITCH_OFF)

    assert Authenticator.objects.filter(user=stan).count() == 2


def test_the_console_closes_again_without_it(needed, stan, visitor, stans_phone):
    client = visitor()
    sign_in(client, stan.email)
    client.post(ASK_CODE, {"code": code_for(secret_of(stan))})
    assert client.get(CONSOLE).status_code == 200

    Authenticator.objects.all().delete()

    assert client.get(CONSOLE).headers["Location"] == INDEX


def test_who_lacks_the_right_is_told_so_and_not_to_set_something_up(needed, ada, stan, visitor, caplog):
    client = visitor()
    sign_in(client, "ada@example.com")
    assert client.get(CONSOLE).status_code == 403
    client = visitor()
    sign_in(client, stan.email)
    refused = client.get("/console/keys/")
    assert refused.status_code == 403
    assert "This page is for supervisors. Ask one of them" in Page(refused).text

    lines = [record.getMessage() for record in caplog.records if record.name == "accounts.access"]
    assert lines == [
        f"No right: user {ada.user.pk}, page supervisor:transfers, which is for staff",
        f"No right: user {stan.pk}, page supervisor:keys, which is for supervisor",
    ]


def test_without_the_setting_the_console_asks_for_none(stan, visitor):
    client = visitor()
    sign_in(client, stan.email)

    assert client.get(CONSOLE).status_code == 200
    assert "The console opens for you once" not in Page(client.get(INDEX)).text


# Unused sessions


def test_a_colleague_who_does_nothing_is_signed_out_and_comes_back(stan, visitor, clock):
    client = visitor()
    sign_in(client, stan.email)
    for _ in range(4):
        clock.shift(timedelta(minutes=29))
        assert client.get(CONSOLE).status_code == 200
    clock.shift(timedelta(minutes=31))

    led = client.get(f"{CONSOLE}?number=1")

    assert led.headers["Location"] == f"{LOGIN}?next={CONSOLE}%3Fnumber%3D1"
    assert "The console signs you out after 30 minutes without use." in Page(client.get(led["Location"])).text
    back = sign_in(client, stan.email, next=f"{CONSOLE}?number=1")
    assert back.headers["Location"] == f"{CONSOLE}?number=1"


def test_a_form_that_is_sent_too_late_leads_back_to_its_page(stan, visitor, clock):
    client = visitor()
    sign_in(client, stan.email)
    client.get(CONSOLE)
    clock.shift(timedelta(minutes=31))
    revoke = "/console/colleagues/invitations/1/revoke/"

    for sent_from, back in (
        ("http://testserver/console/colleagues/?a=1", "/console/colleagues/%3Fa%3D1"),
        ("https://evil.example/console/", revoke),
        ("", revoke),
    ):
        led = client.post(revoke, headers={"referer": sent_from})
        assert led.headers["Location"] == f"{LOGIN}?next={back}"


def test_a_member_stays_signed_in(ada, visitor, clock):
    client = visitor()
    sign_in(client, "ada@example.com")
    clock.shift(timedelta(days=3))

    assert is_signed_in(client)
    assert "without use" not in Page(visitor().get(f"{LOGIN}?next=/operations/")).text


def test_how_long_is_a_setting(stan, visitor, clock, settings):
    settings.STAFF_IDLE_MINUTES = 5
    client = visitor()
    sign_in(client, stan.email)
    client.get(CONSOLE)
    clock.shift(timedelta(minutes=6))

    led = client.get(CONSOLE)
    assert led.status_code == 302
    assert "after 5 minutes without use" in Page(client.get(led["Location"])).text
