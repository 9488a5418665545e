"""The cabinet's pages for members with short and long histories: queries and time.

A time is the median of a whole request inside the process, from the session to the last byte of
HTML; the pages that are compared take turns.
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
# Histories of a hundred and of a hundred thousand operations, and the deepest page that is asked for.
SHORT, LONG = 100, 100_000
DEEP_PAGE = 2_000
GOAL_QUERIES = 8
ROWS_PER_CALL = 5_000
# A page of a long history takes the time of a short one's, give or take what else the machine does.
GOAL_RATIO = 1.5


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
        with CaptureQueriesContext(connection) as captured:
            self.client.get(self.address)
        self.queries = len(captured)

    @property
    def milliseconds(self) -> float:
        """The median."""
        return median(self.seconds) * 1000


def main(*, is_quick: bool = False) -> bool:
    """Print the figures; what comes back is whether queries stay the same and pages quick."""
    long = 5_000 if is_quick else LONG
    deep_page = 100 if is_quick else DEEP_PAGE
    with own_database("page"):
        few, many = member_with(FEW, lots=FEW), member_with(MANY, lots=OPEN_LOTS)
        short_one, long_one = member_with(SHORT, lots=SHORT), member_with(long, lots=OPEN_LOTS)
        this_year = f"since={timezone.localdate().year}-01-01"
        groups = [
            [
                balance_page(few, f"balance, {FEW} operations"),
                balance_page(many, f"balance, {MANY} operations"),
            ],
            [
                history_page(short_one, f"history of {SHORT}, page 1"),
                history_page(long_one, f"history of {long}, page 1"),
                history_page(long_one, f"history of {long}, page {deep_page}", number=deep_page),
            ],
            [
                history_page(short_one, f"filtered history of {SHORT}", query=f"kind=earned&{this_year}"),
                history_page(long_one, f"filtered history of {long}", query=f"kind=earned&{this_year}"),
                history_page(long_one, f"search in {long}, none found", query="search=nothing"),
            ],
        ]
        with connection.cursor() as cursor:
            cursor.execute("analyze")
        for group in groups:
            for page in group:
                page.ask()
                page.seconds.clear()
                page.count_queries()
            for _ in range(20 if is_quick else 100):
                for page in group:
                    page.ask()
    return report(groups)


def report(groups: list[list[Page]]) -> bool:
    """Print queries, times and ratios; what comes back is whether the goals are reached.

    Filtered pages have no goal for their time: what a filter finds is added up over the whole history.
    """
    print(f"{'':36}{'queries':>8}{'ms':>8}{'ratio':>8}")
    for first, *others in groups:
        for page in (first, *others):
            ratio = page.milliseconds / first.milliseconds
            print(f"{page.name:36}{page.queries:8}{page.milliseconds:8.1f}{ratio:8.2f}")
    is_few = all(page.queries == group[0].queries <= GOAL_QUERIES for group in groups for page in group)
    is_quick = all(
        page.milliseconds <= first.milliseconds * GOAL_RATIO
        for first, *others in groups[1:-1]
        for page in others
    )
    print(f"Goal: at most {GOAL_QUERIES} queries, the same in each group: {'yes' if is_few else 'NO'}")
    print(f"Goal: every page of a history at {GOAL_RATIO} of a short one's: {'yes' if is_quick else 'NO'}")
    return is_few and is_quick


def member_with(operations: int, *, lots: int) -> Member:
    """A member with that many credits, in that many lots, one a day."""
    now = timezone.now()
    user = User.objects.create_user(email=f"{operations}@example.com")
    member = Member.objects.create(user=user, number=f"{operations:012}", joined_at=now)
    begun_at = now - timedelta(minutes=operations)
    rows = [
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
    for first in range(0, operations, ROWS_PER_CALL):
        ledger.credit_many(rows=rows[first : first + ROWS_PER_CALL])
    return member


def balance_page(member: Member, name: str) -> Page:
    """The first page of that member."""
    return Page(name, signed_in(member), "/", [])


def history_page(member: Member, name: str, *, number: int = 1, query: str = "") -> Page:
    """The member's list of operations, opened at its page of that number or with a filter."""
    cursor = None
    for _ in range(number - 1):
        cursor = operations_page(account_id=member.pk, before=cursor, limit=OPERATIONS_PER_PAGE).older_cursor
    place = f"before={cursor}" if cursor else query
    return Page(name, signed_in(member), f"/operations/?{place}", [])


def signed_in(member: Member) -> Client:
    """A browser in which that member is signed in."""
    client = Client()
    client.force_login(member.user)
    return client
