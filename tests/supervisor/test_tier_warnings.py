"""Members are told that they fall by an edition, some days ahead or as soon as it is scheduled."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Message
from accounts.services.waiting_letters import send_waiting_letters
from accounts.wording import message_cards
from loyalty.models import RuleSet
from loyalty.services.rules import withdraw_rule_set
from supervisor.services.editions import ask_publication
from supervisor.services.tier_warnings import TELL_FALLS_TASK, tell_falls
from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.standings import count
from tests.supervisor.publishing import previewed

IN_20_DAYS = NOON + timedelta(days=20)
IN_50_DAYS = NOON + timedelta(days=50)
HIGHER = (("Bronze", 0), ("Silver", 15_000), ("Gold", 20_000))


@pytest.fixture
def live(db) -> RuleSet:
    return publish_edition()


def told(member):
    return [
        (message.facts["tier"], message.facts["to_tier"], message.facts["to_keep_sum"], message.key)
        for message in Message.objects.filter(member=member, kind="tier_at_risk").order_by("pk")
    ]


def test_who_falls_is_told_once_for_the_edition(ada, ben, live):
    count(ada, 12_000)
    count(ben, 25_000, order_id=2)
    edition = publish_edition(*HIGHER, effective_at=IN_20_DAYS)

    assert tell_falls(at=NOON) == 1
    tell_falls(at=NOON + timedelta(days=1))

    assert told(ada) == [("Silver", "Bronze", "3000.00", f"tier_at_risk:edition:{edition.number}")]
    assert told(ben) == []
    message = Message.objects.get(kind="tier_at_risk")
    assert datetime.fromisoformat(message.facts["until_at"]) == IN_20_DAYS
    assert (message.facts["why"], message.wants_letter) == ("rules", True)


def test_an_edition_far_away_is_told_of_when_it_is_near(ada, live):
    count(ada, 12_000)
    publish_edition(*HIGHER, effective_at=IN_50_DAYS)

    assert tell_falls(at=NOON) == 0
    assert tell_falls(at=IN_50_DAYS - timedelta(days=30)) == 1


def test_tier_that_is_left_out_cannot_be_kept(ada, live):
    count(ada, 12_000)
    publish_edition(("Bronze", 0), ("Gold", 20_000), effective_at=IN_20_DAYS)

    tell_falls(at=NOON)

    assert [row[2] for row in told(ada)] == [None]


@pytest.mark.parametrize("keeps", [False, True])
def test_letter_is_not_sent_to_who_keeps_the_tier_by_now(ada, live, keeps):
    count(ada, 12_000)
    publish_edition(*HIGHER, effective_at=IN_20_DAYS)
    tell_falls(at=NOON)
    count(ada, 4_000 if keeps else 1_000, order_id=2)

    send_waiting_letters(at=NOON)

    bodies = [letter.body for letter in mail.outbox if "Silver" in letter.subject]
    assert len(bodies) == (not keeps)
    assert all("2\u00a0000" in body for body in bodies)


def test_letter_is_not_sent_once_the_edition_is_withdrawn(ada, live, sue):
    count(ada, 12_000)
    edition = publish_edition(*HIGHER, effective_at=IN_20_DAYS)
    tell_falls(at=NOON)
    withdraw_rule_set(rule_set=edition, at=NOON, by=sue)

    send_waiting_letters(at=NOON)

    assert Message.objects.get(kind="tier_at_risk").letter_outcome == "outdated"


def test_cabinet_says_so_once_the_edition_is_withdrawn(ada, live, sue, in_english):
    count(ada, 12_000)
    edition = publish_edition(*HIGHER, effective_at=IN_20_DAYS)
    tell_falls(at=NOON)
    told_of_it = Message.objects.filter(kind="tier_at_risk")

    [card] = message_cards(told_of_it, ada)
    assert card.title == "The tier “Silver” is yours until 30 March 2026"
    assert "By them your tier becomes “Bronze”." in card.text

    withdraw_rule_set(rule_set=edition, at=NOON, by=sue)

    [card] = message_cards(told_of_it, ada)
    assert card.title == "The tier “Silver”: the new rules were withdrawn"
    assert "Your tier does not change by them." in card.text
    assert "becomes" not in card.text
    assert "more before that day" not in card.text


@pytest.mark.parametrize(("effective_at", "jobs"), [(None, 0), (IN_20_DAYS, 1)])
def test_publishing_for_later_has_the_worker_tell_at_once(live, sue, effective_at, jobs):
    preview = previewed(sue)

    ask_publication(preview=preview, effective_at=effective_at, reason="A test", at=NOON, by=sue)

    assert ProcrastinateJob.objects.filter(task_name=TELL_FALLS_TASK).count() == jobs
