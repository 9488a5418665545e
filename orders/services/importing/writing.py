"""Writes the orders of one transaction: members, orders, standings and points."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from accounts.models import Member
from loyalty.models import RuleSet
from loyalty.services import ledger
from loyalty.services.retry import ledger_write
from orders.models import Outlet, Source
from orders.services.importing.people import members_of
from orders.services.importing.staging import StagedCustomer, StagedOrder
from orders.services.sets import writing
from orders.services.sets.counting import Counted, Counter, Outcome
from orders.services.sets.purchase import Purchase
from orders.services.sets.writing import Written
from orders.services.steps import InviterAttached
from referrals.models import Referral
from referrals.services import FriendsOrder, count_friends_order, give_welcome, reward_inviter


@ledger_write
def write_orders(
    *,
    source: Source,
    outlets: Mapping[str, Outlet],
    customers: Sequence[StagedCustomer],
    orders: Sequence[StagedOrder],
    rule_set: RuleSet,
    settle_until: datetime | None,
) -> Outcome:
    """Write these orders as placed and paid, with all that follows; oldest first.

    Members who are not there yet are made. What has become due between their orders is posted up
    to `settle_until`.
    """
    members = members_of(source, customers)
    invited = _lock(members.values())
    if invited:
        # Whoever has joined by a link since the file was read.
        return _write_one_by_one(source, outlets, members, invited, orders, rule_set)
    counter = Counter(rule_set)
    counter.load(members.values())
    purchases = [_purchase(order, members, outlets) for order in orders]
    written = _write(source, purchases, counter, settle_until)
    return Outcome(sum(row.counted.points for row in written if row.counted), counter.tiers())


@ledger_write
def write_linked_orders(
    *,
    source: Source,
    outlets: Mapping[str, Outlet],
    customers: Sequence[StagedCustomer],
    orders: Sequence[StagedOrder],
    rule_set: RuleSet,
) -> Outcome:
    """As `write_orders`, for people who were invited, and who invited them: one order at a time.

    A share depends on where the inviter stands at the moment of the friend's order.
    """
    members = members_of(source, customers)
    return _write_one_by_one(source, outlets, members, _lock(members.values()), orders, rule_set)


def _lock(member_ids: Collection[int]) -> dict[int, Member]:
    """Lock the accounts of members and of their inviters; returns those of them who were invited, by id.

    Raises:
        InviterAttached: one of them got an inviter while the accounts were waited for.
    """
    inviter_ids = _inviters(member_ids)
    ledger.lock_accounts(*member_ids, *inviter_ids.values())
    # Once noted an inviter stays, and nobody is attached while the accounts are locked.
    if _inviters(member_ids) != inviter_ids:
        raise InviterAttached("A member has just got an inviter.")
    return Member.objects.in_bulk(inviter_ids)


def _inviters(member_ids: Collection[int]) -> dict[int, int]:
    return dict(Referral.objects.filter(invited__in=member_ids).values_list("invited_id", "inviter_id"))


def _write_one_by_one(
    source: Source,
    outlets: Mapping[str, Outlet],
    members: Mapping[str, int],
    invited: Mapping[int, Member],
    orders: Sequence[StagedOrder],
    rule_set: RuleSet,
) -> Outcome:
    """Write the orders with what those of the invited bring; the accounts are locked."""
    points, tiers = 0, {}
    for order in orders:
        counter = Counter(rule_set)
        member_id = members[order.customer]
        counter.load([member_id])
        (row,) = _write(source, [_purchase(order, members, outlets)], counter, None)
        tiers.update(counter.tiers())
        if row.counted is None:
            continue
        points += row.counted.points
        if member_id in invited:
            _reward(invited[member_id], row, row.counted)
    return Outcome(points, tiers)


def _reward(invited: Member, row: Written, counted: Counted) -> None:
    """What the order of somebody who was invited brings; nobody is told about years gone by."""
    paid_at = row.purchase.paid_at
    referral = count_friends_order(invited=invited, paid_at=paid_at, at=paid_at)
    if referral is None:
        return
    order = FriendsOrder(
        order_id=row.order_id,
        base_sum=counted.sums.base_sum,
        rule_set=counted.rule_set,
        paid_at=paid_at,
        at=paid_at,
        key=row.key,
    )
    with ledger.nobody_told():
        reward_inviter(referral, order, is_told=False)
        give_welcome(referral, order)


def _purchase(order: StagedOrder, members: Mapping[str, int], outlets: Mapping[str, Outlet]) -> Purchase:
    return order.purchase(members[order.customer], outlets[order.outlet] if order.outlet else None)


def _write(
    source: Source, purchases: Sequence[Purchase], counter: Counter, settle_until: datetime | None
) -> list[Written]:
    """Count the orders and write everything; the accounts are locked, the places loaded."""
    written = writing.with_ids(source, [(purchase, counter.count(purchase)) for purchase in purchases])
    writing.write_orders(source, written)
    writing.write_standings(counter.places.values(), written)
    earned = [writing.credit_row(counter, row) for row in written]
    with ledger.nobody_told():
        ledger.credit_many(rows=[row for row in earned if row], settle_until=settle_until)
    return written
