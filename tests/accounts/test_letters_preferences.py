"""Which letters come: chosen in the cabinet or by a letter's link, and asked when a letter is sent."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import queries
from accounts.letter_links import letter_token
from accounts.models import Consent, LetterPreference, Member, Message, Topic
from accounts.services.members import change_consent
from accounts.services.preferences import choose_letters, stop_letters
from accounts.services.waiting_letters import send_waiting_letters
from accounts.topics import LETTER_BY_DEFAULT, TOPIC_OF
from tests.accounts.telling import told
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.loyalty.races import race
from tests.pages import Page

ENGLISH = {"headers": {"accept-language": "en"}}
OPTIONAL = [topic for topic in Topic if topic != Topic.SECURITY]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def token_of(member: Member, topic: Topic = Topic.EXPIRY) -> str:
    return letter_token(member_id=member.pk, address=member.letter_address, topic=topic)


def stop_page(member: Member, topic: Topic = Topic.EXPIRY) -> str:
    return reverse("accounts:stop_letters", args=[token_of(member, topic)])


def link_page(member: Member) -> str:
    return reverse("accounts:letters_by_link", args=[token_of(member)])


def wanted(member: Member) -> set[Topic]:
    return {topic for topic, is_wanted in queries.letter_preferences(member).items() if is_wanted}


def advertising(member: Member) -> list[bool]:
    records = queries.consents(member=member).filter(kind=Consent.Kind.ADVERTISING)
    return list(records.values_list("is_given", flat=True))


@pytest.fixture
def visitor() -> Client:
    """A browser in which nobody is signed in, in English."""
    browser = Client()
    browser.cookies["django_language"] = "en"
    return browser


# What is wanted


def test_everything_comes_but_what_would_be_too_much_and_advertising(ada):
    assert wanted(ada) == set(Topic) - {Topic.AVAILABLE, Topic.NEWS}
    assert all(queries.wants_letters(ada, topic) == (topic in wanted(ada)) for topic in Topic)


def test_choosing_records_only_what_changes(ada):
    chosen = wanted(ada) - {Topic.EXPIRY} | {Topic.AVAILABLE}

    assert choose_letters(member=ada, wanted=chosen, at=NOON) == [Topic.AVAILABLE, Topic.EXPIRY]
    assert choose_letters(member=ada, wanted=chosen, at=AN_HOUR_LATER) == []

    assert wanted(ada) == chosen
    rows = LetterPreference.objects.order_by("topic").values_list("topic", "is_wanted", "changed_at")
    assert list(rows) == [("available", True, NOON), ("expiry", False, NOON)]


def test_security_comes_whatever_is_chosen(ada):
    choose_letters(member=ada, wanted=[], at=NOON)

    assert wanted(ada) == {Topic.SECURITY}
    assert not LetterPreference.objects.filter(topic=Topic.SECURITY).exists()


def test_news_is_the_consent_to_advertising(ada):
    choose_letters(member=ada, wanted=[*wanted(ada), Topic.NEWS], at=NOON)
    assert (advertising(ada), Topic.NEWS in wanted(ada)) == ([True], True)

    change_consent(member=ada, kind=Consent.Kind.ADVERTISING, is_given=False, changed_at=AN_HOUR_LATER)
    assert (advertising(ada), Topic.NEWS in wanted(ada)) == ([False, True], False)
    assert not LetterPreference.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_stopping_at_the_same_moment_stops_once(ada):
    def stop() -> bool:
        return stop_letters(member=ada, topic=Topic.NEWS, at=NOON)

    change_consent(member=ada, kind=Consent.Kind.ADVERTISING, is_given=True, changed_at=NOON)

    assert sorted(race(*[stop] * 4)) == [False, False, False, True]
    assert len(advertising(ada)) == 2


@pytest.mark.parametrize("kind", ["points_expire", "password_changed", "points_available"])
def test_preference_is_asked_when_the_letter_is_sent(ada, ben, kind, monkeypatch):
    monkeypatch.setattr("accounts.services.waiting_letters.fresh_facts", lambda *_: {})
    topic, message = TOPIC_OF[kind], told(ada, kind, wants_letter=True)
    choose_letters(member=ada, wanted=[] if LETTER_BY_DEFAULT[topic] else [topic], at=NOON)

    send_waiting_letters(at=NOON)

    message.refresh_from_db()
    is_sent = topic in (Topic.SECURITY, Topic.AVAILABLE)
    assert message.letter_outcome == ("sent" if is_sent else "unwanted")
    assert len(mail.outbox) == is_sent


# The page in the cabinet


def test_page_shows_each_topic_and_saves_what_is_ticked(ada, client_of):
    client = client_of(ada)
    page = client.get(reverse("accounts:letters"), **ENGLISH).content.decode()
    assert page.count('type="checkbox"') == len(OPTIONAL) == page.count("For example:") - 1
    assert page.count("checked") == len(wanted(ada)) - 1
    assert "These cannot be switched off" in page

    response = client.post(reverse("accounts:letters"), {"topics": ["tier", "news"]}, follow=True, **ENGLISH)

    assert response.redirect_chain == [(reverse("accounts:letters"), 302)]
    assert "Your choice is saved." in response.content.decode()
    assert wanted(ada) == {Topic.TIER, Topic.NEWS, Topic.SECURITY}
    again = client.post(reverse("accounts:letters"), {"topics": ["tier", "news"]}, follow=True, **ENGLISH)
    assert "Nothing was changed" in again.content.decode()


@pytest.mark.parametrize("topic", ["security", "lottery"])
def test_page_refuses_what_nobody_decides_about(ada, client_of, topic):
    response = client_of(ada).post(reverse("accounts:letters"), {"topics": [topic]}, **ENGLISH)

    assert response.status_code == 422
    assert "The page was out of date" in response.content.decode()
    assert wanted(ada) == set(Topic) - {Topic.AVAILABLE, Topic.NEWS}


def test_page_is_for_members_who_are_signed_in(stan, visitor, client_of):
    assert visitor.get(reverse("accounts:letters")).status_code == 302
    assert client_of(stan).get(reverse("accounts:letters")).status_code == 404


# By the link of a letter


def test_link_opens_the_choice_and_nothing_else(ada, visitor):
    page = visitor.get(link_page(ada), **ENGLISH)

    shown = page.content.decode()
    assert "a•••@example.com" in shown
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]
    for secret in (ada.email, ada.first_name, ada.last_name, ada.number):
        assert not secret or secret not in shown
    assert not visitor.session.get("_auth_user_id")
    assert visitor.get(reverse("loyalty:balance")).status_code == 302


def test_link_saves_the_choice_of_its_member_whoever_is_signed_in(ada, ben, client_of):
    response = client_of(ben).post(link_page(ada), {"topics": ["tier"]})

    assert response.headers["Location"] == link_page(ada)
    assert wanted(ada) == {Topic.TIER, Topic.SECURITY}
    assert wanted(ben) == set(Topic) - {Topic.AVAILABLE, Topic.NEWS}


def test_link_takes_back_the_consent_to_advertising(ada, visitor):
    change_consent(member=ada, kind=Consent.Kind.ADVERTISING, is_given=True, changed_at=NOON)

    visitor.post(link_page(ada), {"topics": ["tier"]})

    assert advertising(ada) == [False, True]


def test_link_gives_no_consent_to_advertising(ada, visitor):
    shown = Page(visitor.get(link_page(ada), **ENGLISH))
    news = next(field for tag, field in shown.tags if tag == "input" and field.get("value") == "news")
    assert "disabled" in news
    assert "Sign in to agree" in shown.text

    visitor.post(link_page(ada), {"topics": [*wanted(ada) - {Topic.SECURITY}, "news"]})

    assert (advertising(ada), Topic.NEWS in wanted(ada)) == ([], False)


def test_what_a_link_takes_back_is_recorded_as_such(ada, visitor):
    for page, posted in ((link_page(ada), {"topics": ["tier"]}), (stop_page(ada, Topic.NEWS), ONE_CLICK)):
        change_consent(member=ada, kind=Consent.Kind.ADVERTISING, is_given=True, changed_at=NOON)
        visitor.post(page, posted)
        latest = queries.consents(member=ada).filter(is_given=False).latest("pk")
        assert latest.how == Consent.How.LETTER


def test_link_comes_in_the_language_of_its_letter(ada):
    visitor = Client()
    Member.objects.update(language="en")
    assert '<html lang="en"' in visitor.get(link_page(ada)).content.decode()

    visitor.cookies["django_language"] = "ru"
    assert '<html lang="ru"' in visitor.get(link_page(ada)).content.decode()


# One click


def test_one_click_ends_letters_without_cookies_or_a_token_of_a_form(ada):
    program = Client(enforce_csrf_checks=True)

    for _ in range(2):
        response = program.post(stop_page(ada), ONE_CLICK)
        assert (response.status_code, response.headers.get("Location")) == (200, None)

    assert wanted(ada) == set(Topic) - {Topic.AVAILABLE, Topic.NEWS, Topic.EXPIRY}
    assert LetterPreference.objects.count() == 1


def test_looking_at_the_link_changes_nothing_and_its_button_does(ada, visitor):
    page = visitor.get(stop_page(ada), **ENGLISH).content.decode()
    assert "Stop these letters?" in page
    assert Topic.EXPIRY in wanted(ada)

    done = visitor.post(stop_page(ada), follow=True, **ENGLISH)

    assert done.redirect_chain == [(stop_page(ada), 302)]
    assert "These letters are switched off" in done.content.decode()
    assert Topic.EXPIRY not in wanted(ada)


def test_one_click_on_news_takes_the_consent_back(ada, visitor):
    change_consent(member=ada, kind=Consent.Kind.ADVERTISING, is_given=True, changed_at=NOON)

    visitor.post(stop_page(ada, Topic.NEWS), ONE_CLICK)

    assert advertising(ada) == [False, True]


def test_security_cannot_be_stopped(ada, visitor):
    response = visitor.post(stop_page(ada, Topic.SECURITY), ONE_CLICK, **ENGLISH)

    assert response.status_code == 409
    assert "always come" in response.content.decode()
    assert Topic.SECURITY in wanted(ada)


# Links that are none


def bad_tokens(member: Member) -> dict[str, str]:
    good = token_of(member)
    said, signature = good.split(".")
    other = token_of(MemberFactory(email="eve@example.com", email_verified_at=NOON))
    return {
        "cut off": good[:-3],
        "somebody else's signature": f"{said}.{other.split('.')[1]}",
        "somebody else's member": f"{other.split('.')[0]}.{signature}",
        "no token": "hello",
        "not a number": "eC5leHBpcnk.abc",
        "a huge number": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuZXhwaXJ5.abc",
        "a zero byte": "MQAuZXhwaXJ5.abc",
        "another address": letter_token(member_id=member.pk, address="old@example.com", topic=Topic.EXPIRY),
    }


@pytest.mark.parametrize(
    "fault",
    [
        "cut off",
        "somebody else's signature",
        "somebody else's member",
        "no token",
        "not a number",
        "a huge number",
        "a zero byte",
        "another address",
    ],
)
@pytest.mark.parametrize("name", ["accounts:letters_by_link", "accounts:stop_letters"])
def test_link_that_is_none_of_ours_says_what_to_do(ada, visitor, name, fault):
    page = reverse(name, args=[bad_tokens(ada)[fault]])

    for response in (
        visitor.get(page, **ENGLISH),
        visitor.post(page, {**ONE_CLICK, "topics": []}, **ENGLISH),
    ):
        assert response.status_code == 404
        assert "The link no longer works" in response.content.decode()
        assert reverse("accounts:letters") in response.content.decode()
    assert not LetterPreference.objects.exists()


def test_link_opens_nothing_once_the_address_has_changed(ada, visitor):
    page = link_page(ada)
    assert visitor.get(page).status_code == 200

    Member.objects.filter(pk=ada.pk).update(email="new@example.com", email_verified_at=NOON)

    assert visitor.get(page).status_code == 404


def test_token_says_nothing_that_anybody_could_read_of_a_person(ada):
    assert "example" not in token_of(ada)
    assert not Message.objects.exists()
