"""Everything that writes invitations, and the inviter's share of a friend's orders."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.models import Member
from loyalty.models import Purpose, RuleSet, Tier
from loyalty.queries.rules import available_at, expires_on, points_for
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.standing import standing_of
from referrals.errors import AlreadyInvited, SelfInvitation
from referrals.models import How, Referral, Reward
from referrals.queries import earning_referral


@transaction.atomic
def attach_inviter(*, inviter: Member, invited: Member, since_at: datetime, how: How) -> Referral:
    """Note who invited a member; the first inviter stays for ever.

    Raises:
        SelfInvitation: both are the same member.
        AlreadyInvited: somebody else invited them before.
    """
    if inviter.pk == invited.pk:
        raise SelfInvitation
    referral, _ = Referral.objects.get_or_create(
        invited=invited, defaults={"inviter": inviter, "since_at": since_at, "how": how}
    )
    if referral.inviter_id != inviter.pk:
        raise AlreadyInvited
    return referral


def reward_inviter(
    *, invited: Member, order_id: int, base_sum: Decimal, rule_set: RuleSet, at: datetime, key: UUID
) -> Reward | None:
    """Give the inviter their share of a friend's paid order, by the inviter's tier at that moment.

    The caller holds the lock of the inviter's account. Returns None when there is nothing to give.
    """
    referral = earning_referral(invited=invited, rule_set=rule_set, order_id=order_id, at=at)
    if referral is None:
        return None
    tier = standing_of(member=referral.inviter, at=at).tier
    points = points_for(rule_set, base_sum, tier.referral_rate)
    if not points:
        return None
    free_at = available_at(rule_set, at)
    credited = ledger.credit(
        key=key,
        account_id=referral.inviter.pk,
        points=points,
        at=at,
        available_at=free_at,
        expires_on=expires_on(rule_set, at),
        note=share_note(invited=invited, order_id=order_id, rule_set=rule_set, tier=tier, base_sum=base_sum),
    )
    return Reward.objects.create(
        referral=referral,
        order_id=order_id,
        credit_id=credited.posting_id,
        base_sum=base_sum,
        referral_rate=tier.referral_rate,
        rule_set=rule_set,
        points=points,
        rewarded_at=at,
        available_at=free_at,
    )


def share_note(*, invited: Member, order_id: int, rule_set: RuleSet, tier: Tier, base_sum: Decimal) -> Note:
    """What the credit of a share says about itself."""
    return Note(
        purpose=Purpose.REFERRAL,
        order_id=order_id,
        rule_set_id=rule_set.pk,
        explanation={
            "friend": invited.masked_name,
            "edition": rule_set.number,
            "tier": tier.name,
            "coefficient": tier.referral_rate,
            "base_sum": base_sum,
            "rounding": rule_set.rounding,
        },
    )


def take_back_share(*, order_id: int, base_sum: Decimal, at: datetime, key: UUID) -> int:
    """Take back the inviter's share of what a friend returned; `base_sum` is what still earns.

    What stays is the share of the rest by the rate of then, so any sequence of returns ends where
    one would have. Returns how many points were taken back.
    """
    reward = (
        Reward.objects.select_related("rule_set", "referral__invited")
        .filter(order_id=order_id)
        .order_by("pk")
        .last()
    )
    if reward is None:
        return 0
    kept_points = points_for(reward.rule_set, base_sum, reward.referral_rate)
    points = max(reward.points - reward.taken_back_points - kept_points, 0)
    if points:
        ledger.take_back(
            key=event_key(key, reward.pk),
            credit_id=reward.credit_id,
            points=points,
            at=at,
            note=Note(
                purpose=Purpose.REFERRAL,
                order_id=order_id,
                rule_set_id=reward.rule_set_id,
                explanation={
                    "friend": reward.referral.invited.masked_name,
                    "edition": reward.rule_set.number,
                    "coefficient": reward.referral_rate,
                    "base_sum": base_sum,
                    "kept_points": kept_points,
                    "rounding": reward.rule_set.rounding,
                },
            ),
        )
        reward.taken_back_points += points
        reward.save(update_fields=["taken_back_points"])
    return points
