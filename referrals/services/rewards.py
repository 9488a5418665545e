"""What invitations bring: the inviter's share of each paid order, and the friend's welcome points.

The callers hold the locks of both accounts, the friend's and the inviter's.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Coalesce, Least

from accounts.models import Member
from accounts.services.messages import tell
from loyalty.models import UNDECIDED_AT, Fund, Purpose, RuleSet, Tier
from loyalty.queries.rules import expires_on, points_for, rule_set_in_force
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.standing import tier_at
from referrals.models import Flag, Referral, Reward
from referrals.queries.people import phones_of, referral_of
from referrals.queries.rewards import doubted, has_welcome, month_points, rewarded_orders
from referrals.queries.shares import (
    brings_share,
    brings_welcome,
    counts_order,
    gives_welcome_at_sign_up,
    gives_welcome_with_order,
    reward_available_at,
    share_points,
)
from referrals.services.flags import note_flag
from referrals.services.telling import reward_taken_back, welcome_given


@dataclass(frozen=True, kw_only=True)
class FriendsOrder:
    """A paid order of somebody who was invited: what a reward may follow from.

    `at` is when it is counted, which is later than `paid_at` for an order that waited for its member.
    """

    order_id: int
    base_sum: Decimal
    rule_set: RuleSet
    paid_at: datetime
    at: datetime
    key: UUID


def count_friends_order(
    *, invited: Member, paid_at: datetime, at: datetime, phone: str | None = None
) -> Referral | None:
    """Count a paid order that an invitation led to; None when nobody invited the member.

    `phone` is the one that the order was sent with: the inviter's own is noticed.
    """
    referral = referral_of(invited)
    if referral is None or not counts_order(referral, paid_at):
        return referral
    Referral.objects.filter(pk=referral.pk).update(
        orders_count=F("orders_count") + 1,
        first_bought_at=Least(Coalesce("first_bought_at", paid_at), paid_at),
    )
    if phone and phone in phones_of(referral.inviter):
        note_flag(referral=referral, kind=Flag.Kind.SAME_PHONE, at=at)
    return referral


def reward_inviter(referral: Referral, order: FriendsOrder, *, is_told: bool = True) -> Reward | None:
    """Give the inviter their share of a friend's paid order, by their tier of then in the order's edition.

    The inviter is told of a tier that new rules, or the time, have brought meanwhile, unless not
    `is_told`. Returns None when the edition gives nothing for it.
    """
    rule_set = order.rule_set
    is_limited = rule_set.referral_orders is not None
    if not brings_share(
        referral,
        rule_set,
        base_sum=order.base_sum,
        paid_at=order.paid_at,
        rewarded_orders=rewarded_orders(referral, but_order_id=order.order_id) if is_limited else 0,
    ):
        return None
    tier = tier_at(member=referral.inviter, rule_set=rule_set, at=order.at, is_told=is_told)
    has_month_limit = rule_set.referral_month_limit_points is not None
    points = share_points(
        rule_set,
        base_sum=order.base_sum,
        referral_rate=tier.referral_rate,
        month_points=month_points(referral.inviter_id, order.at) if has_month_limit else 0,
    )
    if not points:
        return None
    return _credit(
        Reward(
            kind=Reward.Kind.SHARE,
            referral=referral,
            order_id=order.order_id,
            base_sum=order.base_sum,
            referral_rate=tier.referral_rate,
            rule_set=rule_set,
            points=points,
            rewarded_at=order.at,
            available_at=reward_available_at(rule_set, order.at),
        ),
        key=event_key(order.key, "inviter's share"),
        account_id=referral.inviter_id,
        fund=Fund.PURCHASES,
        note=share_note(
            invited=referral.invited,
            order_id=order.order_id,
            rule_set=rule_set,
            tier=tier,
            base_sum=order.base_sum,
            points=points,
        ),
    )


def give_welcome(referral: Referral, order: FriendsOrder) -> Reward | None:
    """Give the friend their welcome points with the first order that deserves them, once.

    Returns None when this order is not the one.
    """
    rule_set = order.rule_set
    if not brings_welcome(
        referral,
        rule_set,
        base_sum=order.base_sum,
        paid_at=order.paid_at,
        has_welcome=gives_welcome_with_order(rule_set) and has_welcome(referral),
    ):
        return None
    return _welcome(
        referral,
        rule_set,
        order_id=order.order_id,
        at=order.at,
        available_at=reward_available_at(rule_set, order.at),
        key=event_key(order.key, "welcome"),
    )


def welcome_at_sign_up(*, referral: Referral, at: datetime) -> Reward | None:
    """Give the friend welcome points as they join, where the edition gives them then, and tell them; once."""
    rule_set = rule_set_in_force(at)
    if not gives_welcome_at_sign_up(rule_set) or has_welcome(referral):
        return None
    key = event_key("welcome", referral.invited_id)
    welcome = _welcome(referral, rule_set, order_id=None, at=at, available_at=at, key=key)
    tell(*welcome_given(welcome, friend=referral.invited))
    return welcome


def share_note(
    *, invited: Member, order_id: int, rule_set: RuleSet, tier: Tier, base_sum: Decimal, points: int
) -> Note:
    """What the credit of a share says about itself; also that the month's limit has cut it."""
    uncut_points = points_for(rule_set, base_sum, tier.referral_rate)
    limit = {"uncut_points": uncut_points, "month_limit_points": rule_set.referral_month_limit_points}
    return Note(
        purpose=Purpose.REFERRAL,
        order_id=order_id,
        rule_set_id=rule_set.pk,
        explanation={
            "friend": invited.masked_name,
            "edition": rule_set.number,
            **tier.words(),
            "coefficient": tier.referral_rate,
            "base_sum": base_sum,
            "rounding": rule_set.rounding,
            **(limit if points < uncut_points else {}),
        },
    )


def welcome_note(*, order_id: int | None, rule_set: RuleSet) -> Note:
    """What the credit of welcome points says about itself."""
    return Note(purpose=Purpose.WELCOME, order_id=order_id, rule_set_id=rule_set.pk)


def take_back_rewards(
    *,
    invited: Member,
    order_id: int,
    paid_at: datetime,
    base_sum: Decimal,
    is_over: bool,
    bought_at: datetime | None,
    at: datetime,
    key: UUID,
) -> None:
    """Take back what an order brought and no longer deserves; `base_sum` is what still earns.

    What stays of the inviter's share is what the rest brings by the rate of then, so any sequence of
    returns ends where one would have. The welcome goes when nothing is left that earns. An order that
    `is_over`, returned whole or cancelled, no longer counts: the first of the others that do was paid
    at `bought_at`, None when there is none.
    """
    rewards = Reward.objects.select_related("rule_set", "referral__invited").filter(
        order_id=order_id, points__gt=F("taken_back_points")
    )
    for reward in rewards.order_by("pk"):
        kept_points = _kept_points(reward, base_sum)
        if kept_points < reward.points - reward.taken_back_points:
            _take_back(reward, base_sum, kept_points, at, event_key(key, reward.pk))
    if is_over:
        _uncount(invited, paid_at, bought_at)


def _kept_points(reward: Reward, base_sum: Decimal) -> int:
    """What a reward still deserves."""
    if reward.kind == Reward.Kind.SHARE:
        return points_for(reward.rule_set, base_sum, reward.referral_rate)
    return reward.points if base_sum else 0


def _take_back(reward: Reward, base_sum: Decimal, kept_points: int, at: datetime, key: UUID) -> None:
    points = reward.points - reward.taken_back_points - kept_points
    share = {
        "friend": reward.referral.invited.masked_name,
        "edition": reward.rule_set.number,
        "coefficient": reward.referral_rate,
        "base_sum": base_sum,
        "kept_points": kept_points,
        "rounding": reward.rule_set.rounding,
    }
    is_share = reward.kind == Reward.Kind.SHARE
    ledger.take_back(
        key=key,
        credit_id=reward.credit_id,
        points=points,
        at=at,
        note=Note(
            purpose=Purpose.REFERRAL if is_share else Purpose.WELCOME,
            order_id=reward.order_id,
            rule_set_id=reward.rule_set_id,
            explanation=share if is_share else {},
        ),
    )
    reward.taken_back_points += points
    reward.taken_back_for = Reward.TakenBack.RETURNED
    reward.is_held = reward.is_held and kept_points > 0
    reward.save(update_fields=["taken_back_points", "taken_back_for", "is_held"])
    tell(*reward_taken_back(reward, points=points, at=at))


def _uncount(invited: Member, paid_at: datetime, bought_at: datetime | None) -> None:
    """An order that an invitation led to does not count any more; `bought_at` is the first of the others."""
    counted = Referral.objects.filter(invited=invited, since_at__lte=paid_at, orders_count__gt=0)
    counted.update(orders_count=F("orders_count") - 1, first_bought_at=bought_at)


def _welcome(
    referral: Referral,
    rule_set: RuleSet,
    *,
    order_id: int | None,
    at: datetime,
    available_at: datetime,
    key: UUID,
) -> Reward:
    return _credit(
        Reward(
            kind=Reward.Kind.WELCOME,
            referral=referral,
            order_id=order_id,
            rule_set=rule_set,
            points=rule_set.welcome_points,
            rewarded_at=at,
            available_at=available_at,
        ),
        key=key,
        account_id=referral.invited_id,
        fund=Fund.PROMOTIONS,
        note=welcome_note(order_id=order_id, rule_set=rule_set),
    )


def _credit(reward: Reward, *, key: UUID, account_id: int, fund: Fund, note: Note) -> Reward:
    """Credit a reward and keep it; while somebody has doubts, its points wait for the decision."""
    reward.is_held = bool(doubted([reward.referral]))
    credited = ledger.credit(
        key=key,
        account_id=account_id,
        points=reward.points,
        at=reward.rewarded_at,
        available_at=UNDECIDED_AT if reward.is_held else reward.available_at,
        expires_on=expires_on(reward.rule_set, reward.rewarded_at),
        fund=fund,
        note=note,
    )
    reward.credit_id = credited.posting_id
    reward.save()
    return reward
