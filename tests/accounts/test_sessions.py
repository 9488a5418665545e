"""Where somebody is signed in: the list, ending one, ending the others, and noting when each was used."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.devices import device_name
from accounts.middleware import NOTED_EVERY_SECONDS
from accounts.services import sessions
from tests.clock import NOON
from tests.factories import PASSWORD
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("noon")

PROFILE, END_OTHERS = "/profile/", "/profile/sessions/end-others/"
WINDOWS_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
IPHONE_SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


def sign_in(email: str = "ada@example.com", *, user_agent: str = WINDOWS_FIREFOX, ip: str = "203.0.113.7"):
    browser = Client(headers={"user-agent": user_agent}, REMOTE_ADDR=ip)
    browser.cookies["django_language"] = "en"
    signed_in = browser.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert signed_in.status_code == 302
    return browser


def text_of(browser) -> str:
    response = browser.get(PROFILE)
    assert response.status_code == 200
    return Page(response).text


def is_signed_in(browser) -> bool:
    return browser.get(PROFILE).status_code == 200


def session_of(browser) -> UserSession:
    return UserSession.objects.get(session_key=browser.session.session_key)


def end_page(session: UserSession) -> str:
    return f"/profile/sessions/{session.pk}/end/"


def test_the_list_says_what_where_and_when(ada, noon):
    sign_in(user_agent=IPHONE_SAFARI, ip="198.51.100.3")
    noon.move_to(NOON + timedelta(hours=3))
    here = sign_in()

    text = text_of(here)

    assert "Firefox on Windows this device" in text
    assert "Last used on 10 March 2026, 15:00, from 203.0.113.7" in text
    assert "Safari on iPhone" in text
    assert "Last used on 10 March 2026, 12:00, from 198.51.100.3" in text
    assert text.count("this device") == 1
    assert text.index("Firefox on Windows") < text.index("Safari on iPhone")


def test_one_device_alone_has_nothing_to_end(ada):
    here = sign_in()

    assert END_OTHERS not in Page(here.get(PROFILE)).values("action")


def test_one_session_is_ended_and_the_others_stay(ada):
    here, phone, till = sign_in(), sign_in(user_agent=IPHONE_SAFARI), sign_in()

    response = here.post(end_page(session_of(phone)))

    assert response.headers["Location"] == PROFILE
    assert "Signed out: Safari on iPhone." in text_of(here)
    assert [is_signed_in(browser) for browser in (here, phone, till)] == [True, False, True]
    assert "Safari on iPhone" not in text_of(here)


def test_all_others_are_ended_and_this_one_stays(ada, ben):
    here, *others = [sign_in() for _ in range(3)]
    bens = sign_in("ben@example.com")

    here.post(END_OTHERS)

    assert "Signed out on 2 devices." in text_of(here)
    assert [is_signed_in(browser) for browser in (here, *others, bens)] == [True, False, False, True]
    assert UserSession.objects.filter(user=ada.user).count() == 1


def test_a_session_of_somebody_else_is_not_found(ada, ben):
    adas, bens = sign_in(), sign_in("ben@example.com")

    assert bens.post(end_page(session_of(adas))).status_code == 404
    assert bens.post("/profile/sessions/0/end/").status_code == 404

    assert is_signed_in(adas)
    assert "203.0.113.7" in text_of(adas)


def test_ending_this_very_session_leads_to_signing_out(ada):
    here = sign_in()

    assert here.post(end_page(session_of(here))).headers["Location"] == "/accounts/logout/"
    assert is_signed_in(here)


def test_ending_twice_is_not_found_and_harms_nobody(ada):
    here, phone = sign_in(), sign_in()
    page = end_page(session_of(phone))

    assert [here.post(page).status_code for _ in range(2)] == [302, 404]
    assert is_signed_in(here)


def test_staff_have_the_list_too(stan):
    assert "Firefox on Windows this device" in text_of(sign_in("stan@example.com"))


@pytest.mark.parametrize("how", ["signed out", "ran out", "was cleared away", "the password was changed"])
def test_sessions_that_are_gone_are_not_listed(ada, how):
    phone = sign_in(user_agent=IPHONE_SAFARI)
    here = sign_in()
    assert "Safari on iPhone" in text_of(here)

    key = phone.session.session_key
    if how == "signed out":
        phone.post("/accounts/logout/")
    elif how == "ran out":
        Session.objects.filter(session_key=key).update(expire_date=NOON)
    elif how == "was cleared away":
        Session.objects.filter(session_key=key).delete()
    else:
        ada.user.set_password(PASSWORD)
        ada.user.save()
        here = sign_in()

    assert "Safari on iPhone" not in text_of(here)


def test_the_list_takes_the_same_queries_for_one_session_and_for_thirty(ada, ben):
    counts = []
    for email, others in (("ada@example.com", 0), ("ben@example.com", 29)):
        here = sign_in(email)
        for _ in range(others):
            browser = Client()
            browser.force_login(ben.user)
            browser.get("/accounts/password/change/")
        here.get(PROFILE)
        with CaptureQueriesContext(connection) as captured:
            response = here.get(PROFILE)
        assert len(response.context["sessions"]) == others + 1
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 8


def test_the_last_use_is_noted_every_five_minutes_without_a_query_in_between(ada, noon):
    here = sign_in()
    here.get("/accounts/password/change/")
    seen_at = session_of(here).last_seen_at

    def page_at(seconds: int) -> int:
        noon.move_to(NOON + timedelta(seconds=seconds))
        with CaptureQueriesContext(connection) as captured:
            here.get("/accounts/password/change/")
        return len(captured)

    quiet = page_at(NOTED_EVERY_SECONDS - 1)
    assert session_of(here).last_seen_at == seen_at == NOON
    noted = page_at(NOTED_EVERY_SECONDS)
    assert session_of(here).last_seen_at == NOON + timedelta(seconds=NOTED_EVERY_SECONDS)
    assert page_at(2 * NOTED_EVERY_SECONDS - 1) == quiet < noted


def test_the_last_use_notes_from_where_it_was(ada, noon):
    here = sign_in()
    noon.shift(timedelta(minutes=6))

    here.get(PROFILE, REMOTE_ADDR="198.51.100.9", headers={"user-agent": IPHONE_SAFARI})

    session = session_of(here)
    assert (session.ip, device_name(session.user_agent)) == ("198.51.100.9", "Safari on iPhone")
    assert session.created_at == NOON


def test_a_session_from_before_the_list_was_kept_joins_it(ada, client_of):
    here = client_of(ada)
    assert UserSession.objects.count() == 0

    here.get(PROFILE)

    assert session_of(here).user == ada.user
    assert here.get(PROFILE).context["sessions"] == [session_of(here)]


def test_visitors_leave_no_trace(db):
    with CaptureQueriesContext(connection) as captured:
        Client().get("/accounts/login/")

    assert UserSession.objects.count() == 0
    assert Session.objects.count() == 0
    assert not any("usersessions" in query["sql"] for query in captured)


def test_the_librarys_list_leads_to_ours_and_ends_nothing(ada):
    here, phone = sign_in(), sign_in()

    assert here.get("/accounts/sessions/").headers["Location"] == PROFILE
    assert here.post("/accounts/sessions/").headers["Location"] == PROFILE

    assert is_signed_in(phone)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (WINDOWS_FIREFOX, "Firefox on Windows"),
        (IPHONE_SAFARI, "Safari on iPhone"),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
            "Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36",
            "Yandex Browser on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.1 Safari/605.1.15",
            "Safari on Mac",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
            "Safari/537.36 OPR/116.0.0.0",
            "Opera on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/131.0.0.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        ("Mozilla/5.0 (Android 15; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0", "Firefox on Android"),
        ("curl/8.5.0", "An unknown device"),
        ("", "An unknown device"),
    ],
)
def test_device_name(user_agent, name, in_english):
    assert device_name(user_agent) == name


def test_what_a_browser_says_of_itself_is_no_html(ada):
    here = sign_in(user_agent='<script>alert("1")</script> Firefox/1.0' + "x" * 1000)

    page = here.get(PROFILE)

    assert b"<script>alert" not in page.content
    assert "Firefox" in Page(page).text


def test_end_sessions_ends_only_ones_own(ada, ben):
    adas, bens = sign_in(), sign_in("ben@example.com")
    keys = [adas.session.session_key, bens.session.session_key]

    assert sessions.end_sessions(user=ada.user, session_keys=keys) == 1

    assert [is_signed_in(adas), is_signed_in(bens)] == [False, True]
