"""When a letter is sent, and when it is not: the hour, what is true by then, and the address."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import fresh_facts
from accounts.models import Member, Message
from accounts.quiet_hours import quiet_since
from accounts.services.preferences import refuse_addresses
from accounts.services.waiting_letters import LONGEST_WAIT, send_waiting_letters
from accounts.wording import letter_state
from tests.accounts.telling import told
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory

# With and without summer time, both hemispheres, half hours, and the ends of the earth.
ZONES = [
    "Europe/Moscow",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/St_Johns",
    "Africa/Casablanca",
]
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
GONE = SMTPRecipientsRefused({"ada@example.com": (550, b"5.1.1 nobody")})
DOUBTS = SMTPRecipientsRefused({"ada@example.com": (554, b"5.7.1 we do not know you")})
NEVER = [
    SMTPDataError(552, b"5.3.4 too big"),
    SMTPDataError(554, b"no"),
    SMTPSenderRefused(552, b"too big", "club@example.com"),
]
NOT_NOW = [
    DOUBTS,
    SMTPDataError(451, b"later"),
    SMTPDataError(550, b"5.7.1 we do not know you"),
    SMTPSenderRefused(530, b"5.7.0 sign in first", "club@example.com"),
]


def at(hour: int, minute: int = 0, *, day: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=MOSCOW)


def outcome(message: Message) -> str:
    message.refresh_from_db()
    return message.letter_outcome


class Refusing(EmailBackend):
    """A mail server that refuses whoever is named on the class."""

    refusals: dict[str, Exception] = {}

    def send_messages(self, messages):
        if refusal := self.refusals.get(messages[0].to[0]):
            raise refusal
        return super().send_messages(messages)


@pytest.fixture
def refusals(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    Refusing.refusals = {}
    yield Refusing.refusals
    Refusing.refusals = {}


# The hour


@given(MOMENTS, st.sampled_from(ZONES))
def test_quiet_hours_are_those_of_the_zones_clocks_on_every_day(moment, name):
    zone = ZoneInfo(name)
    hour = moment.astimezone(zone).hour
    since = quiet_since(moment, zone)

    assert (since is not None) == (hour >= 21 or hour < 9)
    if since is not None:
        assert since <= moment <= since + timedelta(hours=13)
        assert since.astimezone(zone).hour == 21


@pytest.mark.parametrize(
    ("moment", "is_sent"),
    [(at(8, 59), False), (at(9), True), (at(20, 59), True), (at(21), False), (at(3), False)],
)
def test_letters_wait_for_the_morning(ada, moment, is_sent):
    told(ada, at=moment, wants_letter=True)

    assert send_waiting_letters(at=moment) == is_sent


@pytest.mark.parametrize("kind", ["transfer_received", "password_changed"])
def test_what_cannot_wait_is_sent_at_night(ada, ben, kind):
    earlier, urgent = told(ben, at=at(2), wants_letter=True), told(ada, kind, at=at(3), wants_letter=True)

    assert send_waiting_letters(at=at(3)) == 1
    assert (outcome(earlier), outcome(urgent)) == ("", "sent")

    assert send_waiting_letters(at=at(9)) == 1
    assert outcome(earlier) == "sent"


def test_quiet_hours_are_those_of_the_programme(ada, settings):
    settings.TIME_ZONE = "Asia/Vladivostok"
    told(ada, at=NOON, wants_letter=True)

    # Noon in Moscow is seven in the evening there, and two hours later the day is over.
    assert send_waiting_letters(at=NOON + timedelta(hours=2)) == 0
    assert send_waiting_letters(at=NOON + timedelta(hours=1)) == 1


@pytest.mark.parametrize(
    ("happened", "tried", "is_late"),
    [
        (at(20), at(20, day=12), False),
        (at(20), at(20, 1, day=12), True),
        # It could first be sent at nine in the morning of the 11th, and has two days from then.
        (at(22), at(22, day=12), False),
        (at(22), at(9, day=13), False),
        (at(22), at(9, 1, day=13), True),
        (at(2), at(9, day=12), False),
        (at(2), at(9, 1, day=12), True),
    ],
)
def test_the_night_does_not_count_as_waiting(ada, happened, tried, is_late):
    message = told(ada, at=happened, wants_letter=True)

    send_waiting_letters(at=tried)

    assert (outcome(message) == "late") == is_late


def test_what_may_be_sent_at_night_waits_no_longer_for_it(ada):
    message = told(ada, "password_changed", at=at(22), wants_letter=True)

    send_waiting_letters(at=at(22) + LONGEST_WAIT + timedelta(minutes=1))

    assert outcome(message) == "late"


# What is true by then


def test_letter_says_what_is_true_when_it_is_sent(ada, monkeypatch):
    monkeypatch.setattr(
        fresh_facts, "every_fresh_facts", lambda: {"points_earned": lambda *_: {"points": 77}}
    )
    message = told(ada, points=150, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 1

    assert "77" in mail.outbox[0].subject
    message.refresh_from_db()
    assert message.facts["points"] == 150


def test_letter_that_is_no_longer_true_is_not_sent(ada, ben, monkeypatch):
    asked = []

    def unless_ada(message, member, moment):
        asked.append((message.kind, moment))
        return None if member == ada else {}

    monkeypatch.setattr(fresh_facts, "every_fresh_facts", lambda: {"points_earned": unless_ada})
    outdated, true = told(ada, wants_letter=True), told(ben, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 1

    assert (outcome(outdated), outcome(true)) == ("outdated", "sent")
    assert asked == [("points_earned", NOON)] * 2


def test_apps_tell_their_fresh_facts():
    assert all(callable(read) for read in fresh_facts.every_fresh_facts().values())


def test_letters_that_say_the_balance_of_now_read_it():
    folder = settings.BASE_DIR / "templates" / "messages"
    says = {
        path.name.removesuffix("_message.txt")
        for path in folder.glob("*_message.txt")
        if "balance_now" in path.read_text()
    }
    assert says
    assert says <= set(fresh_facts.every_fresh_facts())


# What is told once


def test_what_has_a_key_is_told_once_to_each(ada, ben):
    from accounts.services.messages import Telling, tell

    tellings = [
        Telling(member_id=member.pk, kind="points_earned", key=key, happened_at=NOON, wants_letter=True)
        for member in (ada, ben)
        for key in ("lot-1", "lot-1", "lot-2", "", "")
    ]
    tell(*tellings)
    tell(*tellings[:3])

    keys = Message.objects.order_by("member", "key").values_list("member", "key")
    assert list(keys) == [(member.pk, key) for member in (ada, ben) for key in ("", "", "lot-1", "lot-2")]


# The address


def test_address_that_is_gone_gets_no_more_letters_until_it_is_another_one(ada, refusals):
    refusals["ada@example.com"] = GONE
    first, second = told(ada, wants_letter=True), told(ada, wants_letter=True)

    send_waiting_letters(at=NOON)

    ada.refresh_from_db()
    assert (ada.refused_email, ada.is_letter_address_refused) == ("ada@example.com", True)
    assert outcome(first) == outcome(second) == "refused"

    Member.objects.filter(pk=ada.pk).update(email="new@example.com", email_verified_at=NOON)
    told(ada, wants_letter=True)
    assert send_waiting_letters(at=NOON) == 1
    assert mail.outbox[0].to == ["new@example.com"]


@pytest.mark.parametrize("refusal", NOT_NOW, ids=str)
def test_mail_server_that_has_its_doubts_about_us_costs_nobody_their_letters(ada, refusals, refusal):
    refusals["ada@example.com"] = refusal
    message = told(ada, wants_letter=True)

    send_waiting_letters(at=NOON)

    ada.refresh_from_db()
    assert (ada.refused_email, outcome(message)) == (None, "")


@pytest.mark.parametrize("refusal", NEVER, ids=str)
def test_letter_that_is_never_taken_costs_the_mailbox_no_others(ada, refusals, refusal):
    refusals["ada@example.com"] = refusal
    message = told(ada, wants_letter=True)

    assert send_waiting_letters(at=NOON) == 0

    ada.refresh_from_db()
    assert (ada.refused_email, outcome(message)) == (None, "refused")


def test_security_letter_goes_to_the_address_of_the_moment_it_tells_of(ada):
    told(ada, "new_sign_in", wants_letter=True)
    told(ada, wants_letter=True)
    Member.objects.filter(pk=ada.pk).update(email="new@example.com", email_verified_at=NOON)

    assert send_waiting_letters(at=NOON) == 2

    assert [letter.to for letter in mail.outbox] == [["ada@example.com"], ["new@example.com"]]
    assert "new@example.com" not in mail.outbox[0].body


def test_old_address_that_is_gone_says_nothing_of_the_new_one(ada, refusals):
    refusals["ada@example.com"] = GONE
    told(ada, "new_sign_in", wants_letter=True)
    Member.objects.filter(pk=ada.pk).update(email="new@example.com", email_verified_at=NOON)

    send_waiting_letters(at=NOON)

    ada.refresh_from_db()
    assert ada.refused_email is None


def test_cabinet_says_that_letters_do_not_come_and_what_to_do(ada, client, refusals):
    pages = [reverse(f"accounts:{name}") for name in ("messages", "letters", "profile")]
    assert not any("Letters do not reach you" in client.get(page).content.decode() for page in pages)

    refusals["ada@example.com"] = GONE
    told(ada, wants_letter=True)
    send_waiting_letters(at=NOON)

    for page in pages:
        shown = client.get(page).content.decode()
        assert "Letters do not reach you" in shown
        assert reverse("accounts:change_email") in shown

    refusals.clear()
    response = client.post(reverse("accounts:try_address_again"), follow=True)
    assert "Letters go to your address again." in response.content.decode()
    told(ada, wants_letter=True)
    assert send_waiting_letters(at=NOON) == 1


def test_mailboxes_that_send_letters_back_are_noted(ada, ben, monkeypatch, capsys):
    moved = MemberFactory(email="here@example.com", email_verified_at=NOON, has_login=True)
    lines = ["Ada@Example.com", "", "nobody@example.com", "no address", moved.user.email, ada.email]
    monkeypatch.setattr("sys.stdin", [f"{line}\n" for line in lines])

    call_command("note_bounces")

    refused = dict(Member.objects.values_list("pk", "refused_email"))
    assert refused == {ada.pk: "ada@example.com", ben.pk: None, moved.pk: None}
    assert "Addresses read: 5. Members who get no more letters: 1." in capsys.readouterr().out
    assert refuse_addresses(["ada@example.com"]) == []


# In words


@pytest.mark.parametrize(
    ("outcome", "wants_letter", "words"),
    [
        ("", False, ""),
        ("", True, "Letter waiting to be sent"),
        ("sent", True, "Letter sent by e-mail"),
        ("unwanted", True, "Letter not sent: letters about this are switched off"),
        ("refused", True, "Letter not sent: the mail server did not take it"),
    ],
)
def test_message_says_what_became_of_its_letter(in_english, outcome, wants_letter, words):
    assert letter_state(Message(wants_letter=wants_letter, letter_outcome=outcome)) == words


def test_inbox_says_what_became_of_each_letter(ada, client):
    told(ada, wants_letter=True)
    told(ada)
    send_waiting_letters(at=NOON)

    shown = client.get(reverse("accounts:messages")).content.decode()

    assert shown.count("Letter sent by e-mail") == 1
    assert shown.count("Letter ") == 1
    assert reverse("accounts:letters") in shown
