"""Many at once, by real threads over real connections, through the service (CASES 129)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import AuditRecord, Member, Message
from loyalty.errors import LoyaltyError
from loyalty.models import PointsAccount, Transfer, TransferIntent
from loyalty.services.transfers import reverse_transfer, take_back_transfer
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import balance, earn, fetch, spend
from tests.loyalty.transfers.giving import ask, broken_promises, confirm, proved_intent, recorded, transfer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("many_connections")]
MANY = 20
TIMES = 200

Job = Callable[[], object]


@contextmanager
def racers(count: int) -> Iterator[Callable[..., list[object]]]:
    """Threads with a connection each; what is given to them happens at the same moment."""
    start = Barrier(count)

    def run(job: Job) -> object:
        connection.ensure_connection()
        start.wait(timeout=30)
        try:
            return job()
        except LoyaltyError as refusal:
            return refusal.code

    def leave(_number: int) -> None:
        start.wait(timeout=30)
        connection.close()

    with ThreadPoolExecutor(count) as threads:
        yield lambda *jobs: list(threads.map(run, jobs))
        list(threads.map(leave, range(count)))


def all_points() -> int:
    return sum(PointsAccount.objects.filter(pk__gt=0).values_list("available_points", flat=True))


def deadlocks() -> list:
    return fetch("select deadlocks from pg_stat_database where datname = current_database()")


def test_case_129_of_twenty_transfers_of_the_whole_balance_one_is_made(ada):
    earn(ada, 100)
    others = [MemberFactory() for _ in range(MANY)]
    intents = [proved_intent(ada, other, 100) for other in others]

    with racers(MANY) as race:
        results = race(*[lambda intent=intent: confirm(intent) for intent in intents])

    assert sum(isinstance(result, Transfer) for result in results) == 1
    assert results.count("not_enough_points") == MANY - 1
    assert all_points() == 100
    assert balance(ada).available == 0
    assert broken_promises() == []


def test_one_intent_confirmed_twenty_times_at_once_is_one_transfer_and_told_once(ada, ben):
    earn(ada, 1000)
    intent = ask(ada, ben)

    with racers(MANY) as race:
        results = race(*[lambda: confirm(TransferIntent.objects.get(pk=intent.pk))] * MANY)

    assert len({result.number for result in results}) == 1
    assert balance(ben).available == 100
    assert Message.objects.count() == 2


def test_form_sent_twenty_times_at_once_is_one_intent(ada, ben):
    earn(ada, 1000)
    with racers(MANY) as race:
        results = race(*[lambda: ask(ada, ben)] * MANY)
    assert len({intent.key for intent in results}) == 1


def test_there_and_back_at_the_same_time_loses_nothing(ada, ben):
    earn(ada, 1000)
    earn(ben, 1000)
    before = deadlocks()
    there = [proved_intent(ada, ben, 3) for _ in range(TIMES)]
    back = [proved_intent(ben, ada, 2) for _ in range(TIMES)]

    with racers(4) as race:
        for turn in range(0, TIMES, 2):
            results = race(
                *[
                    lambda intent=intent: confirm(intent)
                    for intent in (*there[turn : turn + 2], *back[turn : turn + 2])
                ]
            )
            assert all(isinstance(result, Transfer) for result in results), results

    assert (balance(ada).available, balance(ben).available) == (1000 - TIMES, 1000 + TIMES)
    assert Transfer.objects.count() == 2 * TIMES
    assert deadlocks() == before
    assert broken_promises() == []


def test_day_limit_holds_for_transfers_that_meet(ada):
    publish_edition(transfer_day_limit_points=100)
    earn(ada, 1000)
    intents = [proved_intent(ada, MemberFactory(), 30) for _ in range(8)]

    with racers(8) as race:
        results = race(*[lambda intent=intent: confirm(intent) for intent in intents])

    assert results.count("day_limit_reached") == 5
    assert balance(ada).available == 910


def test_recipients_limit_holds_for_senders_that_meet(ben):
    publish_edition(transfer_received_day_limit_points=100)
    senders = [MemberFactory() for _ in range(8)]
    for sender in senders:
        earn(sender, 30)
    intents = [proved_intent(sender, ben, 30) for sender in senders]

    with racers(8) as race:
        results = race(*[lambda intent=intent: confirm(intent) for intent in intents])

    assert results.count("recipient_unavailable") == 5
    assert balance(ben).available == 90


def test_wrong_passwords_at_once_are_all_counted(ada, ben):
    earn(ada, 1000)
    intent = ask(ada, ben)

    with racers(MANY) as race:
        results = race(*[lambda: confirm(intent, password="wrong")] * MANY)

    assert results.count("wrong_proof") == 4
    assert results.count("check_over") == MANY - 4
    assert len(recorded(AuditRecord.Action.PROOF_FAILED)) == 5
    assert TransferIntent.objects.get().wrong_proofs == 5


def test_taken_back_reversed_and_spent_at_once_happens_once(ada, ben, stan):
    publish_edition(transfer_cooling_hours=1)
    earn(ada, 1000)
    with racers(4) as race:
        for turn in range(10):
            made = transfer(ada, ben, 50)
            taken, reversed_, again, spent = race(
                lambda made=made: take_back_transfer(transfer=made, at=NOON, actor_id=None),
                lambda made=made: reverse_transfer(transfer=made, reason="x", at=NOON, actor_id=stan.pk),
                lambda made=made: take_back_transfer(transfer=made, at=NOON, actor_id=None),
                lambda: spend(Member.objects.get(pk=ben.pk), 1),
            )
            outcomes = [taken, reversed_, again]
            if isinstance(spent, int):
                assert outcomes == ["points_moved_on"] * 3, turn
            else:
                assert spent == "not_enough_points"
                ended = [one for one in outcomes if isinstance(one, Transfer)]
                assert {one.reversal_id for one in ended} == {Transfer.objects.get(pk=made.pk).reversal_id}
            # What Ben has kept goes, so that the next turn begins with nothing of his.
            if kept := balance(ben).available:
                spend(ben, kept)
    assert broken_promises() == []
