"""The cabinet's pages for members with short and long histories, few and many friends: queries and time.

A time is that of a whole request inside the process, from the session to the last byte of HTML: the
median, and what 95 of 100 requests stay below. The pages that are compared take turns.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member, User
from bench.databases import own_database
from loyalty.queries.operations import OPERATIONS_PER_PAGE, operations_page
from loyalty.queries.rules import rule_set_in_force
from loyalty.services import ledger
from referrals.models import How, Invitation, Referral, Reward

FEW, MANY = 10, 10_000
OPEN_LOTS = 300
# Histories of a hundred and of a hundred thousand operations, and the deepest page that is asked for.
SHORT, LONG = 100, 100_000
DEEP_PAGE = 2_000
FEW_FRIENDS, MANY_FRIENDS = 3, 5_000
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

    @property
    def p95_milliseconds(self) -> float:
        """What 95 of 100 requests stay below."""
        return quantiles(self.seconds, n=20, method="inclusive")[-1] * 1000


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
            [inviter_page(FEW_FRIENDS), inviter_page(MANY_FRIENDS)],
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

    Filtered pages have no goal for their time: what a filter finds is added up over the whole history,
    and so is what all friends of an inviter brought.
    """
    print(f"{'':36}{'queries':>8}{'ms':>8}{'p95':>8}{'ratio':>8}")
    for first, *others in groups:
        for page in (first, *others):
            ratio = page.milliseconds / first.milliseconds
            print(
                f"{page.name:36}{page.queries:8}{page.milliseconds:8.1f}{page.p95_milliseconds:8.1f}{ratio:8.2f}"
            )
    # A search that finds nothing has nothing to add up.
    is_no_more = all(page.queries <= group[0].queries for group in groups for page in group)
    *of_points, _inviters = groups
    is_few = is_no_more and all(group[0].queries <= GOAL_QUERIES for group in of_points)
    _balances, (short_one, *long_ones), *_others = groups
    is_quick = all(page.milliseconds <= short_one.milliseconds * GOAL_RATIO for page in long_ones)
    answer = "yes" if is_few else "NO"
    print(f"Goal: no more queries than the first of each group, at most {GOAL_QUERIES} for points: {answer}")
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


def inviter_page(friends: int) -> Page:
    """The page of an inviter with that many friends, of whom each brought a share twice."""
    now = timezone.now()
    user = User.objects.create_user(email=f"inviter-of-{friends}@example.com")
    inviter = Member.objects.create(user=user, number=f"9{friends:011}", joined_at=now)
    invited = Member.objects.bulk_create(
        Member(number=f"8{friends:05}{turn:06}", first_name="Мария", last_name="Петрова", joined_at=now)
        for turn in range(friends)
    )
    referrals = Referral.objects.bulk_create(
        Referral(inviter=inviter, invited=friend, since_at=now, orders_count=2, first_bought_at=now)
        for friend in invited
    )
    Invitation.objects.bulk_create(
        Invitation(
            inviter=inviter,
            token=uuid4(),
            how=How.LINK,
            visited_at=now,
            invited_id=referral.invited_id,
            answered_at=now,
            referral=referral,
        )
        for referral in referrals
    )
    rewarded = Reward.objects.count()
    rule_set = rule_set_in_force(now)
    Reward.objects.bulk_create(
        Reward(
            referral=referral,
            order_id=place,
            credit_id=place,
            rule_set=rule_set,
            points=10,
            rewarded_at=now,
            available_at=now,
        )
        for place, referral in enumerate(referrals * 2, start=rewarded)
    )
    return Page(f"inviter of {friends} friends", signed_in(inviter), "/invite/", [])


def signed_in(member: Member) -> Client:
    """A browser in which that member is signed in."""
    client = Client()
    client.force_login(member.user)
    return client
