"""What a member may give: the edition's limits, what was given already, and what is available."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import chain

from django.db import connection
from django.utils import timezone

from accounts.models import Member
from loyalty.errors import (
    AccountBlocked,
    DayLimitReached,
    JoinedTooRecently,
    JustChanged,
    LoyaltyError,
    MonthLimitReached,
    NotEnoughPoints,
    TooFewToTransfer,
    TooManyAtOnce,
    TransfersOff,
)
from loyalty.models import RuleSet
from loyalty.queries.balance import Balance, Expiry, balance
from loyalty.queries.rules import rule_set_in_force

# For so long after a new password or e-mail no points leave: whoever took the login over waits, and
# the member has read the letter that tells of the change.
JUST_CHANGED = timedelta(hours=24)

GIVING = """
    select loyalty_is_active(user_id), joined_at, loyalty_changed_at(id, user_id),
           loyalty_given_points(id, %(is_limited)s, %(day_from)s, %(month_from)s, %(until)s)
      from accounts_member where id = %(sender_id)s
"""


@dataclass(frozen=True)
class Periods:
    """The day and the month of a moment, in the programme's zone."""

    day_from: datetime
    month_from: datetime
    until: datetime

    @classmethod
    def of(cls, at: datetime) -> "Periods":
        """Those in which that moment lies."""
        zone = timezone.get_default_timezone()
        today = timezone.localdate(at, zone)
        tomorrow = today + timedelta(days=1)
        return cls(*(datetime.combine(day, time(), zone) for day in (today, today.replace(day=1), tomorrow)))


@dataclass(frozen=True, kw_only=True)
class Giving:
    """What an edition and a member's own past let them give at a moment, whatever is available."""

    at: datetime
    rule_set: RuleSet
    is_active: bool  # the sender's login is not switched off
    joined_at: datetime
    changed_at: datetime | None
    given_day_points: int
    given_month_points: int

    @property
    def least_points(self) -> int:
        """The fewest that can be given."""
        return max(self.rule_set.transfer_minimum_points, 1)

    @property
    def day_left_points(self) -> int | None:
        """How many may still be given today; None without a limit."""
        return _left(self.rule_set.transfer_day_limit_points, self.given_day_points)

    @property
    def month_left_points(self) -> int | None:
        """How many may still be given this month; None without a limit."""
        return _left(self.rule_set.transfer_month_limit_points, self.given_month_points)

    def refusal(self) -> LoyaltyError | None:
        """Why the member may give nothing at that moment, however few; None when they may."""
        return next(self._refusals(), None)

    def refusal_of(self, points: int) -> LoyaltyError | None:
        """Why the member may not give that many; None when they may."""
        return next(chain(self._refusals(), self._refusals_of(points)), None)

    def limits(self) -> list[int]:
        """Every limit that there is on what is given now."""
        every = (self.rule_set.transfer_limit_points, self.day_left_points, self.month_left_points)
        return [limit for limit in every if limit is not None]

    def _refusals(self) -> Iterator[LoyaltyError]:
        if not self.rule_set.transfers_allowed:
            yield TransfersOff()
        joined_at = timezone.localtime(self.joined_at, timezone.get_default_timezone())
        allowed_at = joined_at + timedelta(days=self.rule_set.transfer_member_days)
        if self.rule_set.transfer_member_days and self.at < allowed_at:
            yield JoinedTooRecently(allowed_at)
        if self.changed_at is not None and self.at < self.changed_at + JUST_CHANGED:
            yield JustChanged(self.changed_at + JUST_CHANGED)
        if not self.is_active:
            yield AccountBlocked()

    def _refusals_of(self, points: int) -> Iterator[LoyaltyError]:
        rules = self.rule_set
        if points < self.least_points:
            yield TooFewToTransfer(self.least_points)
        if rules.transfer_limit_points is not None and points > rules.transfer_limit_points:
            yield TooManyAtOnce(rules.transfer_limit_points)
        day_left, month_left = self.day_left_points, self.month_left_points
        if rules.transfer_day_limit_points is not None and day_left is not None and points > day_left:
            yield DayLimitReached(rules.transfer_day_limit_points, day_left)
        if rules.transfer_month_limit_points is not None and month_left is not None and points > month_left:
            yield MonthLimitReached(rules.transfer_month_limit_points, month_left)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a member may give at `as_of`; None where the edition sets no limit.

    `most_points` is the least of all limits and of what is available, and 0 when nothing can be given:
    then `refusal` says why. `expiries` are the available points by their last day, soonest first.
    """

    as_of: datetime
    available_points: int
    least_points: int
    most_points: int
    limit_points: int | None
    day_limit_points: int | None
    day_left_points: int | None
    month_limit_points: int | None
    month_left_points: int | None
    step_up_points: int | None
    cooling_hours: int
    refusal: LoyaltyError | None
    expiries: Sequence[Expiry]


def giving(*, sender_id: int, at: datetime) -> Giving:
    """What stands in the way of a member's giving at a moment; two queries."""
    rule_set = rule_set_in_force(at)
    with connection.cursor() as cursor:
        limits = rule_set.transfer_day_limit_points, rule_set.transfer_month_limit_points
        is_limited = any(limit is not None for limit in limits)
        cursor.execute(GIVING, {"sender_id": sender_id, "is_limited": is_limited, **vars(Periods.of(at))})
        is_active, joined_at, changed_at, given_points = cursor.fetchone()
    return Giving(
        at=at,
        rule_set=rule_set,
        is_active=is_active,
        joined_at=joined_at,
        changed_at=changed_at,
        given_day_points=given_points[0],
        given_month_points=given_points[1],
    )


def allowance(*, member: Member, at: datetime) -> Allowance:
    """What a member may give at a moment, and what of it is left; three queries."""
    may_give = giving(sender_id=member.pk, at=at)
    has = balance(account_id=member.pk, at=at)
    rules = may_give.rule_set
    refusal = _refusal(may_give, has)
    return Allowance(
        as_of=at,
        available_points=has.available_points,
        least_points=may_give.least_points,
        most_points=0 if refusal else min([has.available_points, *may_give.limits()]),
        limit_points=rules.transfer_limit_points,
        day_limit_points=rules.transfer_day_limit_points,
        day_left_points=may_give.day_left_points,
        month_limit_points=rules.transfer_month_limit_points,
        month_left_points=may_give.month_left_points,
        step_up_points=rules.transfer_step_up_points,
        cooling_hours=rules.transfer_cooling_hours,
        refusal=refusal,
        expiries=has.expiries,
    )


def check_points(*, sender_id: int, points: int, at: datetime) -> Giving:
    """What the member may give, when that many are among it; three queries.

    Raises:
        TransferRefused, AccountBlocked, NotEnoughPoints: they are not.
    """
    may_give = giving(sender_id=sender_id, at=at)
    has = balance(account_id=sender_id, at=at)
    refusal = _refusal_whatever_the_points(may_give, has) or may_give.refusal_of(points)
    if refusal is None and points > has.available_points:
        refusal = NotEnoughPoints(has.available_points)
    if refusal is not None:
        raise refusal
    return may_give


def moved_lots(allowance: Allowance, points: int) -> list[Expiry]:
    """What would leave of that many points, by last day: soonest first, never-expiring last."""
    moved = []
    for expiry in allowance.expiries:
        part = min(expiry.points, points)
        if part:
            moved.append(Expiry(expiry.expires_on, part))
        points -= part
    return moved


def _left(limit_points: int | None, given_points: int) -> int | None:
    return None if limit_points is None else max(limit_points - given_points, 0)


def _refusal_whatever_the_points(may_give: Giving, has: Balance) -> LoyaltyError | None:
    return may_give.refusal() or (AccountBlocked() if has.is_blocked else None)


def _refusal(may_give: Giving, has: Balance) -> LoyaltyError | None:
    """Why nothing can be given at all: not even the fewest."""
    refusal = _refusal_whatever_the_points(may_give, has) or may_give.refusal_of(may_give.least_points)
    if refusal is None and has.available_points < may_give.least_points:
        refusal = NotEnoughPoints(has.available_points)
    return refusal
