"""The inviters' shares of many orders: what `reward_inviter` gives for one, worked out in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from loyalty.models import Request, RuleSet, Tier
from loyalty.queries.rules import available_at, points_for
from loyalty.services.ledger import CreditRow, event_key
from orders.services.registering.counters import Counters
from orders.services.sets.counting import Counted, Counter
from orders.services.sets.purchase import Purchase
from orders.services.sets.writing import Written
from referrals.models import Referral, Reward
from referrals.queries import is_in_time
from referrals.services import share_note


@dataclass(frozen=True, slots=True)
class Share:
    """What an inviter gets of an order of the friend, by the tier that they stand in then."""

    referral: Referral
    tier: Tier
    points: int


class Shares:
    """Finds the share that an order brings; asked in the order of time."""

    def __init__(self, referrals: Mapping[int, Referral], rule_sets: Iterable[RuleSet]) -> None:
        self.referrals = referrals
        self.rewarded_orders: dict[int, int] = {}
        if referrals and any(rule_set.referral_orders is not None for rule_set in rule_sets):
            counts = (
                Reward.objects.filter(referral__in=[referral.pk for referral in referrals.values()])
                .values_list("referral_id")
                .annotate(Count("order_id", distinct=True))
            )
            self.rewarded_orders = dict(counts)

    def share_of(self, purchase: Purchase, counted: Counted, counters: Counters) -> Share | None:
        """The share of an order that has just been counted; the inviter's tier may move with it."""
        referral = self.referrals.get(purchase.person) if purchase.person else None
        if referral is None or not self._earns(referral, purchase, counted.rule_set):
            return None
        counter = counters.counter_of(referral.inviter_id, counted.rule_set)
        tier = counter.tier_of(referral.inviter_id, purchase.paid_at, counted.changes)
        points = points_for(counted.rule_set, counted.sums.base_sum, tier.referral_rate)
        if not points:
            return None
        self.rewarded_orders[referral.pk] = self.rewarded_orders.get(referral.pk, 0) + 1
        return Share(referral, tier, points)

    def _earns(self, referral: Referral, purchase: Purchase, rule_set: RuleSet) -> bool:
        """Whether the edition lets the invitation bring a share, as `earning_referral` decides it."""
        if not is_in_time(referral, rule_set, purchase.paid_at):
            return False
        if rule_set.referral_orders is None:
            return True
        return self.rewarded_orders.get(referral.pk, 0) < rule_set.referral_orders


def share_row(counter: Counter, row: Written, counted: Counted, share: Share) -> CreditRow:
    """The credit of a share, said as `reward_inviter` says it."""
    paid_at = row.purchase.paid_at
    return CreditRow(
        key=_key(row),
        account_id=share.referral.inviter_id,
        points=share.points,
        at=paid_at,
        available_at=counter.available_at(paid_at),
        expires_on=counter.expires_on(paid_at),
        note=share_note(
            invited=share.referral.invited,
            order_id=row.order_id,
            rule_set=counted.rule_set,
            tier=share.tier,
            base_sum=counted.sums.base_sum,
        ),
    )


def keep_rewards(shared: Sequence[tuple[Written, Share]]) -> None:
    """Keep what each share followed from, once its points are credited."""
    keys = [_key(row) for row, _share in shared]
    requests = Request.objects.filter(key__in=keys).values_list("key", "posting_id") if keys else ()
    credit_ids = {key: posting_id for key, posting_id in requests if posting_id is not None}
    Reward.objects.bulk_create(
        Reward(
            referral=share.referral,
            order_id=row.order_id,
            credit_id=credit_ids[key],
            base_sum=row.counted.sums.base_sum,
            referral_rate=share.tier.referral_rate,
            rule_set=row.counted.rule_set,
            points=share.points,
            rewarded_at=row.purchase.paid_at,
            available_at=available_at(row.counted.rule_set, row.purchase.paid_at),
        )
        for key, (row, share) in zip(keys, shared, strict=True)
        if row.counted
    )


def _key(row: Written) -> UUID:
    return event_key(row.key, "inviter's share")
