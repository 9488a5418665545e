"""Guessing who is in the programme: twenty answers an hour, whoever asks from wherever, and all is kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import AuditRecord
from accounts.numbers import new_member_number
from loyalty.errors import RecipientUnavailable, TooManyQuestions
from loyalty.services.transfers import asking
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.loyalty.transfers.giving import ask, recorded

ASKED = AuditRecord.Action.RECIPIENT_ASKED
THREADS, ATTEMPTS = 50, 1000


def outcome(sender, named, *, at=NOON) -> str:
    try:
        ask(sender, named, 1, at=at)
    except (RecipientUnavailable, TooManyQuestions) as refusal:
        return refusal.code
    return "found"


def test_a_thousand_guesses_get_twenty_answers_and_are_all_written_down(ada, monkeypatch):
    earn(ada, 100)
    looked_for = []
    find = asking.find_recipient
    monkeypatch.setattr(
        asking, "find_recipient", lambda named, **fields: looked_for.append(named) or find(named, **fields)
    )

    outcomes = [outcome(ada, new_member_number()) for _ in range(ATTEMPTS)]

    assert outcomes == ["recipient_unavailable"] * 20 + ["too_many_questions"] * 980
    assert len(looked_for) == 20
    kept = recorded(ASKED)
    assert len(kept) == ATTEMPTS
    assert [facts["outcome"] for facts in kept].count("too_many") == 980


@pytest.mark.django_db(transaction=True)
def test_fifty_connections_together_get_twenty_answers(ada, many_connections):
    earn(ada, 100)
    friends = [MemberFactory().number for _ in range(20)]
    start = Barrier(THREADS)

    def guess(turn: int) -> list[str]:
        connection.ensure_connection()
        start.wait(timeout=30)
        try:
            # Each has a clock of its own, some of them late.
            at = NOON + timedelta(seconds=turn % 7)
            named = [friends[turn % 20] if number % 2 else new_member_number() for number in range(20)]
            return [outcome(ada, one, at=at) for one in named]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = [one for found in threads.map(guess, range(THREADS)) for one in found]

    assert len(outcomes) == ATTEMPTS
    assert len(outcomes) - outcomes.count("too_many_questions") == 20
    kept = recorded(ASKED)
    assert len(kept) == ATTEMPTS
    assert len(kept) - [facts["outcome"] for facts in kept].count("too_many") == 20


def test_next_answer_comes_an_hour_after_the_first_of_the_last_twenty(ada, in_english):
    earn(ada, 100)
    for minute in range(20):
        outcome(ada, new_member_number(), at=NOON + timedelta(minutes=minute))
    with pytest.raises(TooManyQuestions) as refusal:
        ask(ada, new_member_number(), 1, at=NOON + timedelta(minutes=59, seconds=59))

    assert refusal.value.allowed_at == NOON + timedelta(hours=1)
    assert "13:00" in str(refusal.value)
    # Neither does a refused question put the next answer off.
    answers = [outcome(ada, new_member_number(), at=NOON + timedelta(hours=1)) for _ in range(2)]
    assert answers == ["recipient_unavailable", "too_many_questions"]


def test_one_members_guesses_are_not_anothers(ada, ben):
    earn(ada, 100)
    earn(ben, 100)
    for _ in range(21):
        outcome(ada, new_member_number())
    assert outcome(ben, ada.number) == "found"
