"""The cabinet's pages for a member with 10 operations and for one with 10 000: queries and time.

A time is the median of a whole request inside the process, from the session to the last byte of
HTML; the two members take turns.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member, User
from bench.databases import own_database
from loyalty.queries.operations import OPERATIONS_PER_PAGE, operations_page
from loyalty.services import ledger

FEW, MANY = 10, 10_000
OPEN_LOTS = 300
FAR_PAGE = 300
GOAL_QUERIES = 8


@dataclass
class Page:
    """An address as a signed-in member asks for it, and what that took."""

    name: str
    client: Client
    address: str
    seconds: list[float]
    queries: int = 0

    def ask(self) -> None:
        """Ask once and note the time."""
        begun = time.perf_counter()
        response = self.client.get(self.address)
        self.seconds.append(time.perf_counter() - begun)
        if response.status_code != 200:
            raise RuntimeError(f"{self.address} answered {response.status_code}.")

    def count_queries(self) -> None:
        """Ask once and note the number of queries."""
        with CaptureQueriesContext(
            connection,
        ) as captured:
            self.client.get(self.address)
        self.queries = len(captured)

    @property
    def milliseconds(self) -> float:
        """The median."""
        return median(self.seconds) * 1000


def main(*, is_quick: bool = False) -> bool:
    """Print the figures; what comes back is whether the queries stay few and the same."""
    with own_database("page"):
        few, many = member_with(FEW, lots=FEW), member_with(MANY, lots=OPEN_LOTS)
        pairs = [
            (
                balance_page(few, f"balance, {FEW} operations"),
                balance_page(many, f"balance, {MANY} operations"),
            ),
            (operations_at(many, 1), operations_at(many, FAR_PAGE)),
        ]
        with connection.cursor() as cursor:
            cursor.execute("analyze")
        for pair in pairs:
            for page in pair:
                page.ask()
                page.seconds.clear()
                page.count_queries()
            for _ in range(20 if is_quick else 100):
                for page in pair:
                    page.ask()
    print(f"{'':36}{'queries':>8}{'ms':>8}{'ratio':>8}")
    for near, far in pairs:
        for page in (near, far):
            ratio = page.milliseconds / near.milliseconds
            print(f"{page.name:36}{page.queries:8}{page.milliseconds:8.1f}{ratio:8.2f}")
    is_reached = all(near.queries == far.queries <= GOAL_QUERIES for near, far in pairs)
    print(f"Goal: at most {GOAL_QUERIES} queries, the same for both: {'yes' if is_reached else 'NO'}")
    return is_reached


def member_with(operations: int, *, lots: int) -> Member:
    """A member with that many credits, in that many lots, one a day."""
    now = timezone.now()
    user = User.objects.create_user(email=f"{operations}@example.com")
    member = Member.objects.create(user=user, number=f"{operations:012}", joined_at=now)
    begun_at = now - timedelta(minutes=operations)
    ledger.credit_many(
        rows=[
            ledger.CreditRow(
                uuid4(),
                member.pk,
                10,
                begun_at + timedelta(minutes=turn),
                begun_at + timedelta(minutes=turn),
                timezone.localdate(now) + timedelta(days=1 + turn % lots),
                ledger.NO_NOTE,
            )
            for turn in range(operations)
        ]
    )
    return member


def balance_page(member: Member, name: str) -> Page:
    """The first page of that member."""
    return Page(name, signed_in(member), "/", [])


def operations_at(member: Member, number: int) -> Page:
    """The member's list of operations, opened at its page of that number."""
    address = "/operations/"
    cursor = None
    for _ in range(number - 1):
        cursor = operations_page(account_id=member.pk, before=cursor, limit=OPERATIONS_PER_PAGE).older_cursor
        address = f"/operations/?before={cursor}"
    return Page(f"operations, page {number}", signed_in(member), address, [])


def signed_in(member: Member) -> Client:
    """A browser in which that member is signed in."""
    client = Client()
    client.force_login(member.user)
    return client
