"""The members as the console lists them: with tier and points, and with contacts masked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Member
from loyalty.models import PointsAccount, RuleSet, Standing, Tier
from loyalty.queries.rules import rule_set_in_force, same_tier, tiers_of
from supervisor.queries.pages import ListPage, Sorting, every_row, in_period, list_page
from supervisor.queries.people import contact_for_staff

POINTS = "select account_id, available_points, is_blocked from ledger.balances(%s, %s, %s)"


# What the index of names has.
NAME_KEYS = ("last_key", "first_key")


class Sort(StrEnum):
    """In which order members are listed; the words are those of the address."""

    LATEST = "-added"
    EARLIEST = "added"
    NAME = "name"
    NAME_DOWN = "-name"


SORTINGS = {
    Sort.LATEST: Sorting(is_descending=True),
    Sort.EARLIEST: Sorting(),
    Sort.NAME: Sorting(NAME_KEYS),
    Sort.NAME_DOWN: Sorting(NAME_KEYS, is_descending=True),
}


@dataclass(frozen=True)
class MemberFilter:
    """Which members are wanted: what is None or empty asks for nothing.

    `tier_position` is the place of a tier in the edition in force, `joined_until_on` the last day.
    """

    tier_position: int | None = None
    joined_since_on: date | None = None
    joined_until_on: date | None = None
    is_blocked: bool | None = None
    has_login: bool | None = None
    least_points: int | None = None


@dataclass(frozen=True)
class MemberRow:
    """One member of the list. `contacts` are masked, `tier` is the one of the last recount."""

    member: Member
    contacts: Sequence[str]
    tier: Tier
    available_points: int
    paid_sum: Decimal
    is_blocked: bool


def members(filters: MemberFilter, at: datetime) -> QuerySet[Member]:
    """The members that are wanted, in no order; those of sandboxes are none."""
    found = Member.objects.filter(is_sandbox=False)
    if filters.tier_position is not None:
        found = found.filter(_has_tier(filters.tier_position, rule_set_in_force(at)))
    found = in_period(found, "joined_at", since_on=filters.joined_since_on, until_on=filters.joined_until_on)
    if filters.has_login is not None:
        found = found.filter(user__isnull=not filters.has_login)
    account = PointsAccount.objects.filter(pk=OuterRef("pk"))
    if filters.is_blocked is not None:
        is_blocked = Exists(account.filter(is_blocked=True))
        found = found.filter(is_blocked if filters.is_blocked else ~is_blocked)
    if filters.least_points is not None:
        found = found.filter(Exists(account.filter(available_points__gte=filters.least_points)))
    return found


def members_page(
    *, filters: MemberFilter, sort: Sort, at: datetime, before: int | None = None, after: int | None = None
) -> ListPage[Member]:
    """A page of the members that are wanted."""
    found = members(filters, at).select_related("standing__tier")
    return list_page(found, sorting=SORTINGS[sort], before=before, after=after)


def every_member(*, filters: MemberFilter, sort: Sort, at: datetime) -> Iterator[list[MemberRow]]:
    """All members that are wanted, some at a time; two queries for each part."""
    found = members(filters, at).select_related("standing__tier")
    for some in every_row(found, sorting=SORTINGS[sort]):
        yield member_rows(some, at)


def member_rows(listed: Sequence[Member], at: datetime) -> list[MemberRow]:
    """What the list shows of members whose standings are loaded; one query for their points."""
    points = _points([member.pk for member in listed], at)
    lowest = tiers_of(rule_set_in_force(at))[0]
    rows = []
    for member in listed:
        standing: Standing | None = getattr(member, "standing", None)
        available_points, is_blocked = points.get(member.pk, (0, False))
        rows.append(
            MemberRow(
                member=member,
                contacts=[contact_for_staff(str(one)) for one in (member.email, member.phone) if one],
                tier=standing.tier if standing else lowest,
                available_points=available_points,
                paid_sum=standing.paid_sum if standing else Decimal(0),
                is_blocked=is_blocked,
            )
        )
    return rows


def _has_tier(position: int, rule_set: RuleSet) -> Q:
    """Whether a member has that tier, by whichever edition theirs was counted last."""
    published = Tier.objects.filter(rule_set__number__isnull=False).select_related("rule_set")
    alike = [tier.pk for tier in published if (now := same_tier(rule_set, tier)) and now.position == position]
    has_it = Q(standing__tier__in=alike)
    return has_it | Q(standing=None) if position == 0 else has_it


def _points(member_ids: Sequence[int], at: datetime) -> dict[int, tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(POINTS, [list(member_ids), at, timezone.get_current_timezone_name()])
        return {account_id: (points, is_blocked) for account_id, points, is_blocked in cursor.fetchall()}
