"""What messages say, in the cabinet and by letter, to whom, in which language."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from accounts.letters import compose_letter
from accounts.models import Member, Message
from accounts.services.waiting_letters import send_waiting_letters
from accounts.topics import TOPIC_OF
from accounts.wording import template_name, words_of
from tests.accounts.telling import FACTS, told
from tests.clock import NOON

TEMPLATES = Path("templates/messages")
# So many points read so, in Russian and in English.
PLURALS = {
    1: ("1 балл", "1 point"),
    2: ("2 балла", "2 points"),
    5: ("5 баллов", "5 points"),
    11: ("11 баллов", "11 points"),
    21: ("21 балл", "21 points"),
    22: ("22 балла", "22 points"),
    25: ("25 баллов", "25 points"),
    101: ("101 балл", "101 points"),
    1_001: ("1 001 балл", "1,001 points"),
}
LONGEST_NAME = "Константинопольская-Преображенская К."
NAMES = ("friend", "inviter", "from", "to", "name")
# What a message is told when something else happened than usual.
OTHERWISE = [
    ("account_blocked", {"is_own": True}),
    ("friend_joined", {"friend": ""}),
    ("inviter_noted", {"inviter": "", "friend": "Бен С."}),
    ("points_adjusted", {"is_given": False, "expires_on": None}),
    ("points_available", {"purpose": "referral", "order": ""}),
    ("points_available", {"purpose": "welcome", "order": "", "expires_on": None}),
    ("points_available", {"purpose": "", "order": "", "debt_points": 5}),
    ("points_earned", {"spent_points": 200, **FACTS["tier_changed"]}),
    ("points_earned", {"available_at": "2026-03-24T12:00:00+03:00"}),
    ("points_expire", {"is_first": False, "credited_on": None}),
    ("points_expire", {"credited_on": None}),
    (
        "points_expire",
        {
            "points": 700,
            "expiries": [
                {"expires_on": "2026-04-09", "points": 500},
                {"expires_on": "2026-04-10", "points": 200},
            ],
        },
    ),
    ("points_returned", {"given_back_points": 0}),
    ("points_returned", {"taken_back_points": 0}),
    (
        "points_returned",
        {**FACTS["tier_changed"], "is_higher": False, "why": "return", "missing_sum": "3400.00"},
    ),
    ("points_spent", FACTS["tier_changed"]),
    ("second_factor_changed", {"what": "off"}),
    ("second_factor_changed", {"what": "codes"}),
    ("share_earned", {"friend": "", "is_held": True}),
    ("share_taken_back", {"is_welcome": True, "friend": ""}),
    ("share_taken_back", {"why": "one_person"}),
    ("share_taken_back", {"friend": ""}),
    ("tier_at_risk", {"why": "rules", "to_keep_sum": None}),
    ("tier_changed", {"is_higher": False, "why": "time", "missing_sum": "3400.00"}),
    ("tier_changed", {"is_higher": False, "why": "rules", "missing_sum": None}),
    ("tier_changed", {"is_higher": False, "why": "by_hand", "missing_sum": None}),
    ("transfer_received", {"first_expires_on": None}),
    ("transfer_sent", {"take_back_until_at": None}),
    ("transfer_taken_back", {"is_sender": False, "by": "staff", "reason": "A mistake"}),
    ("welcome_points", {"is_held": False}),
]
USUAL = [(kind, {}) for kind in FACTS]


def composed(kind: str, language: str, **facts: object) -> EmailMultiAlternatives:
    """The letter of a message as it is written, whether or not it would be sent now."""
    message = Message(kind=kind, key="tier_at_risk:edition:2", facts=FACTS[kind] | facts)
    member = Member(first_name="Ада", language=language)
    with translation.override(language):
        return compose_letter(
            template=template_name(message),
            to=["ada@example.com"],
            context=words_of(message, member, fresh={"available_points": 1_234}),
        )


def in_cabinet(kind: str, language: str, **facts: object) -> str:
    """The message's subject and text as the cabinet has them."""
    message = Message(kind=kind, facts=FACTS[kind] | facts)
    with translation.override(language):
        words = words_of(message, Member())
        return "".join(
            render_to_string(f"{template_name(message)}{ending}", words)
            for ending in ("_subject.txt", ".html")
        )


def points_of(kind: str, number: int) -> dict[str, object]:
    """Facts that speak of so many points wherever the kind speaks of any."""
    names = [name for name in FACTS[kind] if name == "available_after" or name.split("_")[-1] == "points"]
    facts: dict[str, object] = dict.fromkeys(names, number)
    if "expiries" in FACTS[kind]:
        facts["expiries"] = [{"expires_on": "2026-04-09", "points": number}]
    if "changes" in FACTS[kind]:
        facts["changes"] = dict.fromkeys(FACTS[kind]["changes"], number)
    return facts


def plain(text: str) -> str:
    """The text with spaces that break."""
    return text.replace("\u00a0", " ")


def test_every_kind_has_its_words_and_is_tried_here():
    subjects = {path.name.removesuffix("_subject.txt") for path in TEMPLATES.glob("*_subject.txt")}
    messages = {path.name.removesuffix("_message.txt") for path in TEMPLATES.glob("*_message.txt")}
    pages = {path.stem for path in TEMPLATES.glob("*.html")}

    # One that this version does not know has no letter.
    assert subjects - {"unknown"} == pages - {"unknown"} == messages == set(FACTS) == set(TOPIC_OF)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize(("kind", "facts"), [*USUAL, *OTHERWISE])
def test_words_have_no_gaps(kind, facts, language, settings):
    settings.SITE_URL = "https://club.example"
    letter = composed(kind, language, **facts)

    for text in (letter.subject, letter.body, in_cabinet(kind, language, **facts)):
        assert text.strip()
        assert "None" not in text
        assert "{{" not in text
        assert "{%" not in text
        assert "г.." not in text
        assert not re.search(r" [.,;]|  \S", re.sub(r"\n *", "\n", plain(text)))
    assert "\n" not in letter.subject
    assert "\n\n\n" not in letter.body
    assert "<" not in letter.body
    links = re.findall(r"\S+://\S+", letter.body)
    assert all(link.startswith("https://club.example/") for link in links)


@pytest.mark.parametrize("number", PLURALS)
@pytest.mark.parametrize("kind", [kind for kind in FACTS if points_of(kind, 1)])
def test_points_stand_in_the_right_form(kind, number):
    facts = points_of(kind, number)
    for language, phrase in zip(("ru", "en"), PLURALS[number], strict=True):
        letter = composed(kind, language, **facts)
        said = plain(f"{letter.subject}\n{letter.body}\n{in_cabinet(kind, language, **facts)}")

        assert phrase in plain(letter.subject)
        for found in re.findall(r"([\d ,]*\d) (балл(?:а|ов)?|points?)\b", said):
            assert " ".join(found).strip(" ,") in {*PLURALS[number], "1 234 балла", "1,234 points"}
    assert "\u00a0балл" in composed(kind, "ru", **facts).subject


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("kind", [kind for kind in FACTS if {*NAMES} & {*FACTS[kind]}])
def test_the_longest_name_stands_whole(kind, language):
    names = {name: LONGEST_NAME for name in NAMES if name in FACTS[kind]}
    letter = composed(kind, language, **names)

    assert LONGEST_NAME in f"{letter.subject}\n{letter.body}"
    html, _type = letter.alternatives[0]
    assert LONGEST_NAME in unescape(html)


@pytest.mark.parametrize("kind", FACTS)
def test_two_languages_say_two_things(kind):
    assert composed(kind, "ru").subject != composed(kind, "en").subject


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
            "tier_changed",
            {
                "tier": "Silver",
                "from_tier": "Gold",
                "is_higher": False,
                "why": "time",
                "missing_sum": "3400.00",
            },
            "Your tier is now “Silver”",
            "Orders for 3,400 ₽ more bring the tier “Gold” back.",
        ),
        (
            "points_earned",
            {"spent_points": 200, **FACTS["tier_changed"]},
            "150 points for order A-1, and the tier “Gold”",
            "You used 200 points to pay for it.",
        ),
        (
            "points_returned",
            {},
            "Return of order A-1: +200 points, −15 points",
            "The points you had paid with are yours again: 200 points.",
        ),
        (
            "points_expire",
            {"points": 1},
            "1 point can be spent until the end of 9 April 2026, then it expires",
            "Those that expire on 9 April 2026 were credited on 9 April 2025.",
        ),
        (
            "points_available",
            {"points": 1, "purpose": "welcome"},
            "1 point is available now",
            "The welcome gift can be spent from now on: 1 point.",
        ),
        (
            "tier_at_risk",
            {},
            "The tier “Gold” is yours until 1 April 2026",
            "Orders for 3,400 ₽ more before that day keep the tier you have.",
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
def test_letter_says_what_happened(kind, facts, subject, sentence):
    letter = composed(kind, "en", **facts)

    assert plain(letter.subject) == subject
    assert sentence in plain(letter.body)


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
