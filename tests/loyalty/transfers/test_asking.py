"""Who is meant: by number, e-mail or phone in any spelling, and one answer for whoever cannot be given to."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from django.db import connection

from accounts.models import AuditRecord, Member
from accounts.numbers import format_member_number
from loyalty.errors import RecipientUnavailable, RecipientUnreadable, TransferToSelf
from loyalty.services.blocking import block_member
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn
from tests.loyalty.transfers.giving import ask, recorded, transfer

ASKED = AuditRecord.Action.RECIPIENT_ASKED


@pytest.fixture
def dora(db):
    """A member who has proved a phone as well."""
    return MemberFactory(
        email="dora@example.com", email_verified_at=NOON, phone="+79161234567", phone_verified_at=NOON
    )


@pytest.mark.parametrize(
    ("by", "spelling"),
    [
        ("email", "dora@example.com"),
        ("email", "  Dora@EXAMPLE.com "),
        ("phone", "+7 916 123-45-67"),
        ("phone", "8 (916) 123 45 67"),
        ("phone", "89161234567"),
        ("phone", "9161234567"),
    ],
)
def test_recipient_is_found_by_any_spelling_of_a_contact(ada, dora, by, spelling):
    earn(ada, 100)
    assert ask(ada, spelling).recipient == dora
    assert recorded(ASKED) == [{"by": by, "outcome": "found"}]


@pytest.mark.parametrize("spell", [str, format_member_number, lambda n: f" {n[:4]}-{n[4:8]} {n[8:]}"])
def test_recipient_is_found_by_any_spelling_of_the_number(ada, dora, spell):
    earn(ada, 100)
    assert ask(ada, spell(dora.number)).recipient == dora
    assert recorded(ASKED) == [{"by": "number", "outcome": "found"}]


@pytest.mark.parametrize("part", ["dora@example.co", "dora", "+7 916 123-45-6", "%", "dora@example.com.ru"])
def test_nothing_but_the_whole_contact_finds_anybody(ada, dora, part):
    earn(ada, 100)
    with pytest.raises((RecipientUnavailable, RecipientUnreadable)):
        ask(ada, part)


def test_contact_that_nobody_has_proved_finds_nobody(ada):
    earn(ada, 100)
    MemberFactory(email="erin@example.com", phone="+79161234568")
    for contact in ("erin@example.com", "+79161234568"):
        with pytest.raises(RecipientUnavailable):
            ask(ada, contact)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "This is not a member number, an e-mail or a phone."),
        ("Dora", "This is not a member number, an e-mail or a phone."),
        ("dora@", "This is not an e-mail address."),
        ("2481 9073 651", "A member number has 12 digits, and 11 digits were entered."),
        ("2481 9073 6515", "A digit of this member number is wrong"),
        ("916 123", "This is not a member number, an e-mail or a phone."),
    ],
)
def test_what_cannot_be_read_is_not_looked_up_and_not_counted(ada, text, sentence, in_english):
    earn(ada, 100)
    with pytest.raises(RecipientUnreadable) as refusal:
        ask(ada, text)
    assert str(refusal.value).startswith(sentence)
    assert recorded(ASKED) == []


def test_oneself_is_named_as_such(ada):
    earn(ada, 100)
    for spelling in (ada.number, "ADA@example.com"):
        with pytest.raises(TransferToSelf):
            ask(ada, spelling)
    assert [facts["outcome"] for facts in recorded(ASKED)] == ["self", "self"]


def test_record_names_no_contact_and_says_which_shop_asked(ada, dora):
    earn(ada, 100)
    ask(ada, "dora@example.com", source_code="shop")
    with pytest.raises(RecipientUnavailable):
        ask(ada, "nobody@example.com")

    assert recorded(ASKED) == [
        {"by": "email", "outcome": "found", "source": "shop"},
        {"by": "email", "outcome": "unavailable"},
    ]
    assert {record.member for record in AuditRecord.objects.all()} == {ada}


phones = count(79161230000)


def person(**fields) -> Member:
    """Somebody with a number, a proved e-mail and a proved phone."""
    contacts = {"phone": f"+{next(phones)}", "email_verified_at": NOON, "phone_verified_at": NOON}
    return MemberFactory(**{"has_login": True, **contacts, **fields})


def unknown(ada):
    return MemberFactory.build(email="nobody@example.com", phone=f"+{next(phones)}")


def blocked(ada):
    member = person()
    block_member(member=member, at=NOON, actor_id=None, reason="A test")
    return member


def switched_off(ada):
    member = person()
    member.user.is_active = False
    member.user.save()
    return member


def at_the_limit(ada):
    member = person()
    transfer(ada, member, 901)
    return member


def of_the_sandbox(ada):
    return person(is_sandbox=True, has_login=False, email="sandbox@example.com")


def unproved(ada):
    return person(email_verified_at=None, phone_verified_at=None)


UNAVAILABLE: list[Callable] = [unknown, blocked, switched_off, at_the_limit, of_the_sandbox]
# A member number needs no proof.
CAUSES = [
    *(("number", make) for make in UNAVAILABLE),
    *((by, make) for by in ("email", "phone") for make in (*UNAVAILABLE, unproved)),
]


@pytest.mark.parametrize(("by", "make"), CAUSES)
def test_whoever_cannot_be_given_to_is_answered_in_one_way(ada, by, make, in_english):
    publish_edition(transfer_received_day_limit_points=1000)
    earn(ada, 5000)
    with pytest.raises(RecipientUnavailable) as refusal:
        ask(ada, str(getattr(make(ada), by)))
    assert str(refusal.value) == (
        "Points cannot be given to this recipient. Check what you entered, or ask them."
    )
    assert recorded(ASKED)[-1] == {"by": by, "outcome": "unavailable"}


@pytest.mark.parametrize("by", ["number", "email", "phone"])
def test_the_database_is_asked_the_same_whatever_the_cause(ada, by):
    publish_edition(transfer_received_day_limit_points=1000)
    earn(ada, 5000)
    ask(ada, MemberFactory())  # the edition is read once by each process
    named = {make.__name__: str(getattr(make(ada), by)) for cause, make in CAUSES if cause == by}
    asked = {cause: statements(lambda name=name: ask(ada, name)) for cause, name in named.items()}

    first = asked.pop("unknown")
    assert len([sql for sql in first if "accounts_member recipient" in sql]) == 1
    for cause, statements_of_cause in asked.items():
        assert statements_of_cause == first, cause


def statements(attempt: Callable[[], object]) -> list[str]:
    """What is asked of the database meanwhile, without the values."""
    heard: list[str] = []

    def listen(execute, sql, parameters, many, context):
        heard.append(re.sub(r'"s\d+_x\d+"', "savepoint", sql))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(listen), pytest.raises(RecipientUnavailable):
        attempt()
    return heard
