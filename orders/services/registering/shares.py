"""What invitations bring for many orders: what `earn` asks of them for one, worked out in memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts.models import ContactChange
from loyalty.models import UNDECIDED_AT, Fund, Request, RuleSet, Tier
from loyalty.services.ledger import CreditRow, event_key
from orders.services.registering.counters import Counters
from orders.services.sets.counting import Counted, Counter
from orders.services.sets.purchase import Purchase, stored_phone
from orders.services.sets.writing import Written
from referrals.models import Referral, Reward
from referrals.queries.rewards import doubted, month_points_of, rewarded_orders_of, welcomed
from referrals.queries.shares import (
    brings_share,
    brings_welcome,
    counts_order,
    gives_welcome_with_order,
    month_of,
    reward_available_at,
    share_points,
)
from referrals.services.rewards import share_note, welcome_note


@dataclass(frozen=True, slots=True)
class Brought:
    """A reward of an order, not yet credited; `tier` is the inviter's, for a share."""

    reward: Reward
    account_id: int
    tier: Tier | None = None

    @property
    def fund(self) -> Fund:
        """Whose money stands behind its points."""
        return Fund.PURCHASES if self.tier else Fund.PROMOTIONS


@dataclass(slots=True)
class Course:
    """What has become of a referral while its orders are counted."""

    referral: Referral
    rewarded_orders: int
    has_welcome: bool
    is_doubted: bool
    new_orders: int = 0
    first_paid_at: datetime | None = None


@dataclass(slots=True)
class Shares:
    """Finds what an order brings by an invitation; asked in the order of time."""

    courses: dict[int, Course] = field(default_factory=dict)
    month_points: dict[tuple[int, datetime], int] = field(default_factory=dict)

    def brought_by(self, purchase: Purchase, counted: Counted, counters: Counters) -> list[Brought]:
        """What an order brings that has just been counted; the inviter's tier may move with it."""
        course = self.courses.get(purchase.person) if purchase.person else None
        if course is None:
            return []
        if counts_order(course.referral, purchase.paid_at):
            course.new_orders += 1
            course.first_paid_at = min(course.first_paid_at or purchase.paid_at, purchase.paid_at)
        share = self._share(course, purchase, counted, counters)
        welcome = self._welcome(course, purchase, counted)
        return [brought for brought in (share, welcome) if brought]

    def _share(
        self, course: Course, purchase: Purchase, counted: Counted, counters: Counters
    ) -> Brought | None:
        """The inviter's share, as `reward_inviter` gives it."""
        referral, rule_set, base_sum = course.referral, counted.rule_set, counted.sums.base_sum
        if not brings_share(
            referral,
            rule_set,
            base_sum=base_sum,
            paid_at=purchase.paid_at,
            rewarded_orders=course.rewarded_orders,
        ):
            return None
        inviter_id = referral.inviter_id
        counter = counters.counter_of(inviter_id, rule_set)
        tier = counter.tier_of(inviter_id, purchase.paid_at, counted.changes)
        month = (inviter_id, month_of(purchase.paid_at))
        points = share_points(
            rule_set,
            base_sum=base_sum,
            referral_rate=tier.referral_rate,
            month_points=self.month_points.get(month, 0),
        )
        if not points:
            return None
        course.rewarded_orders += 1
        self.month_points[month] = self.month_points.get(month, 0) + points
        reward = Reward(
            kind=Reward.Kind.SHARE,
            base_sum=base_sum,
            referral_rate=tier.referral_rate,
            points=points,
            **_common(course, rule_set, purchase.paid_at),
        )
        return Brought(reward, inviter_id, tier)

    def _welcome(self, course: Course, purchase: Purchase, counted: Counted) -> Brought | None:
        """The friend's welcome points, as `give_welcome` gives them."""
        if not brings_welcome(
            course.referral,
            counted.rule_set,
            base_sum=counted.sums.base_sum,
            paid_at=purchase.paid_at,
            has_welcome=course.has_welcome,
        ):
            return None
        course.has_welcome = True
        reward = Reward(
            kind=Reward.Kind.WELCOME,
            points=counted.rule_set.welcome_points,
            **_common(course, counted.rule_set, purchase.paid_at),
        )
        return Brought(reward, course.referral.invited_id)


def shares_of(
    referrals: Mapping[int, Referral], rule_sets: Iterable[RuleSet], *, since_at: datetime
) -> Shares:
    """How things stand with these referrals, as far as these editions ask for it.

    `since_at` is when the first order was paid.
    """
    if not referrals:
        return Shares()
    editions = list(rule_sets)
    rewarded: dict[int, int] = {}
    welcomed_ids: set[int] = set()
    months: dict[tuple[int, datetime], int] = {}
    if any(rule_set.referral_orders is not None for rule_set in editions):
        rewarded = rewarded_orders_of(referrals.values())
    if any(gives_welcome_with_order(rule_set) for rule_set in editions):
        welcomed_ids = welcomed(referrals.values())
    if any(rule_set.referral_month_limit_points is not None for rule_set in editions):
        inviter_ids = {referral.inviter_id for referral in referrals.values()}
        months = month_points_of(inviter_ids, since_at=since_at)
    doubted_ids = doubted(referrals.values())
    courses = {
        invited_id: Course(
            referral,
            rewarded_orders=rewarded.get(referral.pk, 0),
            has_welcome=referral.pk in welcomed_ids,
            is_doubted=referral.pk in doubted_ids,
        )
        for invited_id, referral in referrals.items()
    }
    return Shares(courses, months)


def inviters_phones(referrals: Collection[Referral]) -> dict[int, set[str]]:
    """The phones that each inviter has or had, as `phones_of` finds them; one query beside the inviters."""
    phones: dict[int, set[str]] = {}
    for referral in referrals:
        inviter = referral.inviter
        phones[inviter.pk] = {str(inviter.phone)} if inviter.phone else set()
    changes = ContactChange.objects.filter(
        Q(member__in=phones), kind=ContactChange.Kind.PHONE, outcome=ContactChange.Outcome.CONFIRMED
    )
    for member_id, *contacts in changes.values_list("member_id", "current_contact", "new_contact"):
        phones[member_id].update(contacts)
    return phones


def has_inviters_phone(
    purchase: Purchase, referrals: Mapping[int, Referral], phones: Mapping[int, Collection[str]]
) -> bool:
    """Whether an order was sent with the phone of its member's inviter."""
    referral = referrals.get(purchase.person) if purchase.person else None
    return bool(
        referral
        and purchase.customer_phone
        and stored_phone(purchase.customer_phone) in phones[referral.inviter_id]
    )


def reward_row(counter: Counter, row: Written, counted: Counted, brought: Brought) -> CreditRow:
    """The credit of a reward, said as the services say it."""
    reward, paid_at = brought.reward, row.purchase.paid_at
    if brought.tier is None:
        note = welcome_note(order_id=row.order_id, rule_set=counted.rule_set)
    else:
        note = share_note(
            invited=reward.referral.invited,
            order_id=row.order_id,
            rule_set=counted.rule_set,
            tier=brought.tier,
            base_sum=reward.base_sum,
            points=reward.points,
        )
    return CreditRow(
        key=_key(row, reward),
        account_id=brought.account_id,
        points=reward.points,
        at=paid_at,
        available_at=UNDECIDED_AT if reward.is_held else reward.available_at,
        expires_on=counter.expires_on(paid_at),
        note=note,
    )


def keep_rewards(brought: Sequence[tuple[Written, Brought]]) -> None:
    """Keep what each reward followed from, once its points are credited."""
    if not brought:
        return
    keys = [_key(row, found.reward) for row, found in brought]
    requests = Request.objects.filter(key__in=keys).values_list("key", "posting_id")
    credit_ids = {key: posting_id for key, posting_id in requests if posting_id is not None}
    for key, (row, found) in zip(keys, brought, strict=True):
        found.reward.order_id = row.order_id
        found.reward.credit_id = credit_ids[key]
    Reward.objects.bulk_create(found.reward for _row, found in brought)


def keep_courses(shares: Shares) -> None:
    """Count the orders on the referrals that led to them; one statement."""
    moved = list(_moved(shares))
    if not moved:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "update referrals_referral referral"
            "   set orders_count = referral.orders_count + moved.new_orders,"
            "       first_bought_at = least(coalesce(referral.first_bought_at, moved.first_paid_at),"
            "                               moved.first_paid_at)"
            "  from unnest(%s::bigint[], %s::integer[], %s::timestamptz[])"
            "       as moved (id, new_orders, first_paid_at)"
            " where referral.id = moved.id",
            tuple(list(column) for column in zip(*moved, strict=True)),
        )


def _moved(shares: Shares) -> Iterator[tuple[int, int, datetime]]:
    for course in shares.courses.values():
        if course.first_paid_at is not None:
            yield course.referral.pk, course.new_orders, course.first_paid_at


def _common(course: Course, rule_set: RuleSet, paid_at: datetime) -> dict[str, object]:
    """What a share and a welcome have in common; the order gets its id when it is written."""
    return {
        "referral": course.referral,
        "rule_set": rule_set,
        "rewarded_at": paid_at,
        "available_at": reward_available_at(rule_set, paid_at),
        "is_held": course.is_doubted,
    }


def _key(row: Written, reward: Reward) -> UUID:
    return event_key(row.key, "inviter's share" if reward.kind == Reward.Kind.SHARE else "welcome")
