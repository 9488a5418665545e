"""A person joins, and the orders that waited for them are theirs."""

from datetime import datetime

from accounts.models import Member, User
from accounts.services import claim_member
from loyalty.services.ledger import event_key
from loyalty.services.retry import ledger_write
from loyalty.services.standing import standing_of
from orders.models import Order
from orders.queries.orders import members_left_waiting, waiting_orders
from orders.services.earning import earn
from orders.services.steps import lock_accounts_of


def join_programme(*, user: User, verified_email: str, joined_at: datetime, language: str) -> Member:
    """The member behind a login whose e-mail is verified, with the orders that waited for it."""
    member = claim_member(user=user, claimed_at=joined_at, verified_email=verified_email, language=language)
    credit_waiting_orders(member=member, at=joined_at)
    return member


@ledger_write
def credit_waiting_orders(*, member: Member, at: datetime) -> list[Order]:
    """Give a member the orders sent with an e-mail or phone that they have verified.

    Paid ones earn by the edition of their own day, from `at` on. Returns them, oldest first.
    """
    lock_accounts_of(member.pk)
    standing_of(member=member, at=at)
    orders = list(waiting_orders(member).select_for_update(of=["self"]))
    for order in orders:
        order.member = member
        if order.status in (Order.Status.PAID, Order.Status.PARTLY_REFUNDED):
            key = event_key("order", order.source_id, order.number, "credited", order.payments_count)
            earn(order, key=key, at=at, actor_id=None)
        order.save()
    return orders


def credit_left_waiting(*, at: datetime) -> int:
    """Give members the orders that were sent while they verified their contact; returns how many."""
    return sum(len(credit_waiting_orders(member=member, at=at)) for member in members_left_waiting())
