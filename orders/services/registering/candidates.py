"""The orders of a request with what is known about them, and which of them go their way one by one."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from accounts.models import Member
from loyalty.models import RuleSet
from loyalty.queries.rules import editions, rule_set_in_force
from orders.models import Order, Source
from orders.queries.figures import KOPECK
from orders.services.registering.outcomes import PaidOrder
from orders.services.sets.purchase import Purchase, stored_phone
from referrals.models import Referral


@dataclass(slots=True)
class Candidate:
    """An order that may come to be. `turn` is its place among those sent.

    `known` is the order that has its number already. `people` are all members whose points or tier
    it may move. One that `has_inviters_phone` looks as if both were one person. With `is_single` it
    is registered by the services, alone.
    """

    turn: int
    order: PaidOrder
    member: Member | None
    purchase: Purchase
    known: Order | None = None
    rule_set: RuleSet | None = None
    people: frozenset[int] = frozenset()
    has_inviters_phone: bool = False
    is_single: bool = False


def candidates_of(source: Source, orders: Mapping[int, PaidOrder]) -> list[Candidate]:
    """These orders, each with its member as `place_order` would find them."""
    book = contact_book(source, list(orders.values()))
    candidates = []
    for turn, order in orders.items():
        member = order.member or book.member_of(order)
        candidates.append(Candidate(turn, order, member, _purchase(order, member)))
    return candidates


class ContactBook:
    """Finds the members who have proved that an e-mail or a phone is theirs."""

    def __init__(self, members: Iterable[Member]) -> None:
        verified = list(members)
        self.by_email = {member.email: member for member in verified if member.email_verified_at}
        self.by_phone = {
            member.phone.as_e164: member for member in verified if member.phone and member.phone_verified_at
        }

    def member_of(self, order: PaidOrder) -> Member | None:
        """The member whose contacts an order was sent with; the e-mail comes before the phone."""
        by_email = self.by_email.get(order.customer_email) if order.customer_email else None
        by_phone = self.by_phone.get(stored_phone(order.customer_phone)) if order.customer_phone else None
        return by_email or by_phone


def contact_book(source: Source, orders: Sequence[PaidOrder]) -> ContactBook:
    """The members behind the contacts of those orders that name none, as they are now: one query."""
    unnamed = [order for order in orders if order.member is None]
    emails = {order.customer_email for order in unnamed if order.customer_email}
    phones = {stored_phone(order.customer_phone) for order in unnamed if order.customer_phone}
    if not emails and not phones:
        return ContactBook(())
    verified = Q(email__in=emails, email_verified_at__isnull=False) | Q(
        phone__in=phones, phone_verified_at__isnull=False
    )
    return ContactBook(Member.objects.filter(verified, is_sandbox=source.is_sandbox))


def find_editions(candidates: Sequence[Candidate]) -> None:
    """Note which edition was in force when each order was paid; there may have been none."""
    begins = list(editions().values_list("number", "effective_at"))
    rule_sets: dict[int, RuleSet] = {}
    for candidate in candidates:
        paid_at = candidate.order.paid_at
        number = next(
            (number for number, effective_at in begins if effective_at and effective_at <= paid_at), None
        )
        if number is not None:
            if number not in rule_sets:
                rule_sets[number] = rule_set_in_force(paid_at)
            candidate.rule_set = rule_sets[number]


def find_people(candidates: Sequence[Candidate], referrals: Mapping[int, Referral]) -> None:
    """Note whom each order may concern: its member and their inviter, as sent and as known."""
    for candidate in candidates:
        members = [candidate.purchase.person, candidate.known.member_id if candidate.known else None]
        people = {member_id for member_id in members if member_id is not None}
        inviters = {referrals[member_id].inviter_id for member_id in people if member_id in referrals}
        candidate.people = frozenset(people | inviters)


def choose_singles(candidates: Sequence[Candidate]) -> None:
    """Note which orders are registered one by one.

    Those with points to spend, with numbers that are known or come twice, with their inviter's phone,
    and all others of people whom such an order concerns: everything of one person goes the same way,
    so that it is counted in the order of time.
    """
    times = Counts(candidate.order.number for candidate in candidates)
    single_people: set[int] = set()
    for candidate in candidates:
        candidate.is_single = bool(
            candidate.order.points
            or candidate.known
            or candidate.has_inviters_phone
            or times[candidate.order.number] > 1
        )
        if candidate.is_single:
            single_people |= candidate.people
    known_count = -1
    while known_count < len(single_people):
        known_count = len(single_people)
        for candidate in candidates:
            if not single_people.isdisjoint(candidate.people):
                candidate.is_single = True
                single_people |= candidate.people


def _purchase(order: PaidOrder, member: Member | None) -> Purchase:
    """The order as it is written; its sums have been checked, so no digit is lost."""
    return Purchase(
        person=member.pk if member else None,
        number=order.number,
        paid_at=order.paid_at,
        total_sum=order.total_sum.quantize(KOPECK),
        delivery_sum=order.delivery_sum.quantize(KOPECK),
        outlet=order.outlet,
        lines=[replace(line, line_sum=line.line_sum.quantize(KOPECK)) for line in order.lines],
        customer_email=order.customer_email,
        customer_phone=order.customer_phone,
    )
