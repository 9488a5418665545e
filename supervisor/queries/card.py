"""What the console shows of one member."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum

from accounts.models import AuditRecord, Consent, Member
from accounts.queries import ConsentStanding, consent_standings, consents
from accounts.queries.looks import ACTS
from loyalty.models import PaidSumEntry, Standing, Tier, TierChange, Transfer
from loyalty.queries.balance import Balance, balance
from loyalty.queries.rules import tiers_of
from loyalty.queries.standing import StandingCard, standing_card
from orders.models import Order
from referrals.models import Referral
from referrals.queries import referral_of
from referrals.queries.people import may_be_noted_at_till
from supervisor.models import Approval
from supervisor.queries.approvals import open_approvals
from supervisor.queries.people import contact_for_staff, names_of_users

YEAR = timedelta(days=365)
LATEST_ACTS = 5


@dataclass(frozen=True)
class Contact:
    """An e-mail or a phone; `masked` shows no more than tells two people apart."""

    kind: str
    masked: str
    whole: str
    is_verified: bool


@dataclass(frozen=True)
class Act:
    """What was done to the account; `by` is empty where it was nobody who is known."""

    title: str
    happened_at: datetime
    by: str
    is_by_owner: bool
    reason: str


@dataclass(frozen=True)
class TierStory:
    """How the member came to the tier, and the tier below which they do not fall, if one was set."""

    cause: str
    changed_at: datetime | None
    by: str
    reason: str
    floor: Tier | None


@dataclass(frozen=True)
class MemberCard:
    """A member as a colleague sees them at `balance.as_of`.

    `year_sum` is what was paid for orders in the last 365 days, less what came back of it; `orders_count`
    leaves cancelled orders out; `block` is the last time that the account was blocked or opened again;
    `waiting` is what a second person has yet to decide about.
    """

    member: Member
    balance: Balance
    standing: StandingCard
    tier_story: TierStory
    year_sum: Decimal
    orders_count: int
    contacts: Sequence[Contact]
    consents: Sequence[ConsentStanding]
    given_count: int
    received_count: int
    referral: Referral | None
    friends_count: int
    block: Act | None
    acts: Sequence[Act]
    waiting: Sequence[Approval]
    may_note_inviter: bool

    @property
    def agrees_to_advertising(self) -> bool:
        """Whether the programme may send advertising."""
        return any(one.is_given for one in self.consents if one.kind == Consent.Kind.ADVERTISING)


def member_card(member: Member, at: datetime) -> MemberCard:
    """Everything that the first page of a member shows beside its lists; always as many queries."""
    records = list(
        AuditRecord.objects.filter(member=member, action__in=ACTS)
        .exclude(actor_id=None)
        .exclude(actor_id=member.user_id)
        .order_by("-happened_at", "-pk")[:LATEST_ACTS]
    )
    block = (
        AuditRecord.objects.filter(member=member, action__in=BLOCKS).order_by("-happened_at", "-pk").first()
    )
    referral = referral_of(member)
    change = TierChange.objects.filter(member=member).order_by("-changed_at", "-pk").first()
    names = names_of_users(
        [
            *(record.actor_id for record in records),
            block.actor_id if block else None,
            change.actor_id if change else None,
        ]
    )
    standing = standing_card(member, at)
    transfers = Transfer.objects.filter(Q(sender=member) | Q(recipient=member)).aggregate(
        given=Count("pk", filter=Q(sender=member)), received=Count("pk", filter=Q(recipient=member))
    )
    return MemberCard(
        member=member,
        balance=balance(account_id=member.pk, at=at),
        standing=standing,
        tier_story=_tier_story(member, standing, change, names),
        year_sum=_paid_sum(member, since_at=at - YEAR, until_at=at),
        orders_count=Order.objects.filter(member=member).exclude(status=Order.Status.CANCELLED).count(),
        contacts=contacts_of(member),
        consents=consent_standings(list(consents(member=member))),
        given_count=transfers["given"],
        received_count=transfers["received"],
        referral=referral,
        friends_count=Referral.objects.filter(inviter=member).count(),
        block=_act(block, member, names) if block else None,
        acts=[_act(record, member, names) for record in records],
        waiting=list(open_approvals().filter(member=member)),
        may_note_inviter=referral is None and may_be_noted_at_till(member, at),
    )


BLOCKS = (AuditRecord.Action.ACCOUNT_BLOCKED, AuditRecord.Action.ACCOUNT_UNBLOCKED)


def contacts_of(member: Member) -> list[Contact]:
    """The member's e-mail and phone, those that there are; no query."""
    return [
        Contact(
            kind=kind,
            masked=contact_for_staff(str(contact)),
            whole=str(contact),
            is_verified=verified_at is not None,
        )
        for kind, contact, verified_at in (
            ("phone", member.phone, member.phone_verified_at),
            ("email", member.email, member.email_verified_at),
        )
        if contact
    ]


def _paid_sum(member: Member, *, since_at: datetime, until_at: datetime) -> Decimal:
    entries = PaidSumEntry.objects.filter(member=member, counted_at__gt=since_at, counted_at__lte=until_at)
    total: Decimal | None = entries.aggregate(total=Sum("paid_sum"))["total"]
    return total or Decimal(0)


def _tier_story(
    member: Member, standing: StandingCard, change: TierChange | None, names: dict[int, str]
) -> TierStory:
    floor_position = Standing.objects.filter(member=member).values_list("floor_position", flat=True).first()
    floors = [tier for tier in tiers_of(standing.tier.rule_set) if tier.position == floor_position]
    return TierStory(
        cause=str(TierChange.Cause(change.cause).label) if change else "",
        changed_at=change.changed_at if change else None,
        by=names.get(change.actor_id or 0, "") if change else "",
        reason=change.reason if change else "",
        floor=floors[0] if floors else None,
    )


def _act(record: AuditRecord, member: Member, names: dict[int, str]) -> Act:
    return Act(
        title=str(AuditRecord.Action(record.action).label),
        happened_at=record.happened_at,
        by=names.get(record.actor_id or 0, ""),
        is_by_owner=record.actor_id is not None and record.actor_id == member.user_id,
        reason=str(record.facts.get("reason", "")),
    )
