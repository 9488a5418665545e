"""Postings per second through the Python services, beside pgbench's TPC-B-like on the same server.

`transfer` is the kernel's own; `member to member` is the whole service behind the confirm button: every
limit looked at under the locks, the points moved, the receipt kept, both sides told, their letters asked
for. `… to one` is the same with all transfers going to one recipient.

Both sides work with four clients and the same durability, in turns of some seconds each, so that
whatever else the machine does meanwhile falls on both. A figure is the median of its turns, and a
turn's ratio is that to the turn of pgbench right before it.
"""

import multiprocessing
import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any
from uuid import uuid4

import django
from django.utils import timezone

from bench.databases import empty_database, lead_to, own_database, server

CLIENTS = 4
ACCOUNTS = 10_000
LOTS_PER_ACCOUNT = 3
POINTS_PER_LOT = 100_000
PGBENCH_SCALE = 50
GOAL_RATIO = 0.20
# With all transfers going to one recipient there is one lock for all: a third of what there is without.
GOAL_SHARE_TO_ONE = 1 / 3
# What each client could not use up: intents are filled in before the clock runs.
INTENTS_PER_SECOND = 500
ROWS_PER_CALL = 5_000


@dataclass(frozen=True)
class Turn:
    """What one client does during a turn: which operation, how long, with which dice."""

    operation: str
    seconds: float
    seed: int


@dataclass(frozen=True)
class Beside:
    """A turn's postings per second, and the transactions per second of TPC-B right before it."""

    rate: float
    tpcb_rate: float

    @property
    def ratio(self) -> float:
        return self.rate / self.tpcb_rate


def main(*, is_quick: bool = False) -> bool:
    """Print the figures; what comes back is whether all goals are reached."""
    rounds, seconds = (2, 3) if is_quick else (5, 6)
    turns: dict[str, list[Beside]] = {name: [] for name in OPERATIONS}
    with pgbench_database() as tpcb_name, own_database("ledger") as name:
        make_accounts()
        with ProcessPoolExecutor(
            CLIENTS, multiprocessing.get_context("spawn"), initializer=begin_client, initargs=(name,)
        ) as clients:
            for operation in OPERATIONS:  # connections, plans and pages in memory
                per_second(clients, operation, seconds=1, seed=0)
            for turn in range(rounds):
                for operation in OPERATIONS:
                    tpcb_rate = tpcb_per_second(tpcb_name, seconds)
                    rate = per_second(clients, operation, seconds=seconds, seed=turn + 1)
                    turns[operation].append(Beside(rate, tpcb_rate))
    return report(turns)


def report(turns: dict[str, list[Beside]]) -> bool:
    """Print medians and ratios; what comes back is whether all goals are reached."""
    ratios = {name: median(turn.ratio for turn in found) for name, found in turns.items()}
    print(f"{'':16}{'per second':>12}{'TPC-B':>8}{'ratio':>8}   ratio of each turn")
    for name, found in turns.items():
        rate, tpcb = median(turn.rate for turn in found), median(turn.tpcb_rate for turn in found)
        each = " ".join(f"{turn.ratio:.2f}" for turn in found)
        print(f"{name:16}{rate:12.0f}{tpcb:8.0f}{ratios[name]:8.2f}   {each}")
    share_to_one = ratios["members to one"] / ratios["member to member"]
    goals = {
        f"credit and spend at {GOAL_RATIO:.2f} of TPC-B or more": min(ratios["credit"], ratios["spend"])
        >= GOAL_RATIO,
        f"member to member at {GOAL_RATIO:.2f} of TPC-B or more": ratios["member to member"] >= GOAL_RATIO,
        f"members to one at a third of member to member or more ({share_to_one:.2f})": share_to_one
        >= GOAL_SHARE_TO_ONE,
    }
    for goal, is_reached in goals.items():
        print(f"Goal: {goal}: {'yes' if is_reached else 'NO'}")
    return all(goals.values())


def make_accounts() -> None:
    """Members with points in three lots each, who get letters, under an edition that limits transfers."""
    from accounts.models import Member
    from loyalty.queries.rules import rule_set_in_force
    from loyalty.services import ledger
    from loyalty.services.rules import create_draft, publish_rule_set

    now = timezone.now()
    draft = create_draft(
        copy_of=rule_set_in_force(now),
        transfer_day_limit_points=10**8,
        transfer_month_limit_points=10**9,
        transfer_cooling_hours=1,
    )
    publish_rule_set(rule_set=draft, effective_at=now, published_at=now, reason="A bench")
    members = (
        Member(
            pk=pk,
            number=f"{pk:012}",
            first_name="Anna",
            last_name=f"Number {pk}",
            email=f"member{pk}@example.com",
            email_verified_at=now,
            joined_at=now,
        )
        for pk in range(1, ACCOUNTS + 1)
    )
    Member.objects.bulk_create(members, batch_size=1000)
    rows = [
        ledger.CreditRow(uuid4(), pk, POINTS_PER_LOT, now, now, expires_on, ledger.NO_NOTE)
        for pk in range(1, ACCOUNTS + 1)
        for expires_on in lot_days()
    ]
    for first in range(0, len(rows), ROWS_PER_CALL):
        ledger.credit_many(rows=rows[first : first + ROWS_PER_CALL])


def lot_days() -> list[date]:
    """The last days of each account's lots."""
    return [timezone.localdate() + timedelta(days=100 * turn) for turn in range(1, LOTS_PER_ACCOUNT + 1)]


def credit(dice: random.Random, days: list[date]) -> None:
    """Some points to anybody, into one of their lots."""
    from loyalty.services import ledger

    ledger.credit(
        key=uuid4(),
        account_id=dice.randint(1, ACCOUNTS),
        points=dice.randint(1, 10),
        at=timezone.now(),
        expires_on=dice.choice(days),
    )


def spend(dice: random.Random, days: list[date]) -> None:
    """Some points of anybody."""
    from loyalty.services import ledger

    ledger.spend(
        key=uuid4(), account_id=dice.randint(1, ACCOUNTS), points=dice.randint(1, 10), at=timezone.now()
    )


def transfer(dice: random.Random, days: list[date]) -> None:
    """Some points of anybody to anybody else."""
    from loyalty.services import ledger

    giver, receiver = dice.sample(range(1, ACCOUNTS + 1), 2)
    ledger.transfer(
        key=uuid4(),
        from_account_id=giver,
        to_account_id=receiver,
        points=dice.randint(1, 10),
        at=timezone.now(),
    )


def transfer_to_one(dice: random.Random, days: list[date]) -> None:
    """Some points of anybody, always to the same member, whose lock all of them need."""
    from loyalty.services import ledger

    ledger.transfer(
        key=uuid4(),
        from_account_id=dice.randint(2, ACCOUNTS),
        to_account_id=1,
        points=dice.randint(1, 10),
        at=timezone.now(),
    )


def confirm(dice: random.Random, days: list[date]) -> None:
    """Confirm a transfer between members that was filled in before."""
    from loyalty.models import Transfer
    from loyalty.services.transfers import make_transfer

    make_transfer(intent=filled_in.pop(), at=timezone.now(), how=Transfer.How.CABINET, actor_id=None)


OPERATIONS: dict[str, Callable[[random.Random, list[date]], None]] = {
    "credit": credit,
    "spend": spend,
    "transfer": transfer,
    "transfer to one": transfer_to_one,
    "member to member": confirm,
    "members to one": confirm,
}
# The transfers that this client is about to confirm.
filled_in: list[Any] = []


def fill_in(turn: Turn, dice: random.Random) -> None:
    """Fill in more transfers than the client will confirm in a turn: proved, as the password was right."""
    from accounts.models import Member
    from loyalty.models import TransferIntent

    members = Member.objects.in_bulk()
    now = timezone.now()
    filled_in[:] = [
        TransferIntent(
            key=uuid4(),
            sender=members[giver],
            recipient=members[1 if turn.operation == "members to one" else receiver],
            points=dice.randint(1, 10),
            asked_at=now,
            expires_at=now + timedelta(minutes=30),
            proof="password",
        )
        for giver, receiver in (
            dice.sample(range(2, ACCOUNTS + 1), 2) for _ in range(int(turn.seconds * INTENTS_PER_SECOND))
        )
    ]
    TransferIntent.objects.bulk_create(filled_in, batch_size=1000)


def per_second(clients: ProcessPoolExecutor, operation: str, *, seconds: float, seed: int) -> float:
    """How many of that operation all clients together did per second."""
    turns = [Turn(operation, seconds, seed * CLIENTS + client) for client in range(CLIENTS)]
    return sum(clients.map(take_turn, turns))


def take_turn(turn: Turn) -> float:
    """Repeat the operation for that long; what comes back is how often per second."""
    dice = random.Random(turn.seed)
    days = lot_days()
    operation = OPERATIONS[turn.operation]
    if operation is confirm:
        fill_in(turn, dice)
    count = 0
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < turn.seconds:
        operation(dice, days)
        count += 1
    return count / passed


def begin_client(name: str) -> None:
    """Prepare a client's process."""
    django.setup()
    lead_to(name)


@contextmanager
def pgbench_database() -> Iterator[str]:
    """Have a database with the tables of pgbench."""
    with empty_database("tpcb") as name:
        pgbench(name, "--initialize", "--quiet", f"--scale={PGBENCH_SCALE}")
        yield name


def tpcb_per_second(name: str, seconds: float) -> float:
    """Transactions per second of the built-in TPC-B-like script."""
    output = pgbench(name, "--no-vacuum", f"--client={CLIENTS}", f"--jobs={CLIENTS}", f"--time={seconds:.0f}")
    found = re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench did not say how many transactions it did:\n{output}")
    return float(found[1])


def pgbench(name: str, *arguments: str) -> str:
    """Run pgbench on that database; what comes back is what it printed."""
    from dev.postgres import binary

    done = subprocess.run(
        [str(binary("pgbench")), *arguments, name],
        env={**os.environ, **{f"PG{word.upper()}": value for word, value in server().items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed: {done.stderr}")
    return done.stdout
