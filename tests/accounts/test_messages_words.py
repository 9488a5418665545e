"""What the letters of messages say, to whom, in which language."""

import re

import pytest
from django.core import mail

from accounts.models import Member
from accounts.services.waiting_letters import send_waiting_letters
from tests.accounts.telling import FACTS, told
from tests.clock import NOON


@pytest.mark.parametrize("kind", FACTS)
def test_letter_leads_to_the_site(ada, settings, kind):
    settings.SITE_URL = "https://club.example"
    told(ada, kind, wants_letter=True)

    send_waiting_letters(at=NOON)

    (letter,) = mail.outbox
    links = re.findall(r"\S+://\S+", letter.body)
    assert links
    assert all(link.startswith("https://club.example/") for link in links)
    assert "None" not in letter.body
    assert "{{" not in letter.body
    assert "<" not in letter.body
    assert settings.SUPPORT_EMAIL in letter.body


@pytest.mark.parametrize(
    ("kind", "facts", "subject", "sentence"),
    [
        ("points_earned", {}, "150 points for order A-1", "The points can be spent at once."),
        (
            "points_earned",
            {"points": 1, "available_at": "2026-03-23T21:30:00+00:00"},
            "1 point for order A-1",
            "The point can be spent from 24 March 2026.",
        ),
        (
            "share_earned",
            {},
            "1 point for a friend’s order",
            "Бен С., whom you invited, has paid for an order.",
        ),
        (
            "share_earned",
            {"friend": ""},
            "1 point for a friend’s order",
            "Somebody whom you invited has paid",
        ),
        (
            "tier_changed",
            {},
            "You have reached the tier “Gold”",
            "7% of every paid order comes back in points",
        ),
        (
            "tier_changed",
            {"is_higher": False},
            "Your tier is now “Gold”",
            "7% of every paid order comes back",
        ),
        (
            "inviter_noted",
            {},
            "An invitation was noted at the till",
            "Staff have noted that Ада И. invited you.",
        ),
        (
            "inviter_noted",
            {"inviter": "", "friend": "Бен С."},
            "An invitation was noted at the till",
            "Staff have noted that you invited Бен С. to the programme.",
        ),
        ("welcome_points", {}, "200 points as a welcome", "once we have looked at the invitation"),
        ("welcome_points", {"is_held": False}, "200 points as a welcome", "The points can be spent at once."),
    ],
)
def test_letter_says_what_happened(ada, kind, facts, subject, sentence):
    Member.objects.filter(pk=ada.pk).update(language="en")
    told(ada, kind, wants_letter=True, **facts)

    send_waiting_letters(at=NOON)

    (letter,) = mail.outbox
    assert letter.subject.replace("\u00a0", " ") == subject
    assert sentence in letter.body.replace("\u00a0", " ")


def test_letter_is_in_the_language_of_its_reader(ada, ben, in_english):
    Member.objects.filter(pk=ben.pk).update(language="en")
    told(ada, wants_letter=True)
    told(ben, wants_letter=True)

    send_waiting_letters(at=NOON)

    russian, english = (letter.body for letter in mail.outbox)
    assert "Вопросы" in russian
    assert "Questions" in english


def test_letter_names_what_was_typed_as_it_was(ada):
    told(ada, order="A&B <1>", wants_letter=True)

    send_waiting_letters(at=NOON)

    assert "A&B <1>" in mail.outbox[0].subject


@pytest.mark.parametrize("kind", FACTS)
def test_letter_has_no_gaps(ada, kind):
    told(ada, kind, wants_letter=True)

    send_waiting_letters(at=NOON)

    assert "\n\n\n" not in mail.outbox[0].body
