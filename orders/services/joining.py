"""A person joins, and the orders that waited for them are theirs."""

from datetime import datetime
from uuid import UUID

from accounts.models import Member, User
from accounts.services import claim_member
from loyalty.services.ledger import event_key
from loyalty.services.retry import ledger_write
from loyalty.services.standing import standing_of
from orders.models import Order
from orders.queries.orders import members_left_waiting, waiting_orders
from orders.services.earning import earn
from orders.services.steps import lock_accounts_of
from referrals.services import Click, answer_invitation, welcome_at_sign_up


def join_programme(
    *,
    user: User,
    verified_email: str,
    joined_at: datetime,
    language: str,
    click: Click | None = None,
    device_token: UUID | None = None,
) -> Member:
    """The member behind a login whose e-mail is verified, from top to bottom.

    `click` is the invitation that their browser remembers, `device_token` the browser itself. The
    inviter is attached and the welcome given with the membership, in one transaction; then come the
    orders that waited, and those paid since the click bring the inviter a share.
    """
    member = _become_member(
        user=user,
        verified_email=verified_email,
        joined_at=joined_at,
        language=language,
        click=click,
        device_token=device_token,
    )
    credit_waiting_orders(member=member, at=joined_at)
    return member


@ledger_write
def _become_member(
    *,
    user: User,
    verified_email: str,
    joined_at: datetime,
    language: str,
    click: Click | None,
    device_token: UUID | None,
) -> Member:
    member = claim_member(user=user, claimed_at=joined_at, verified_email=verified_email, language=language)
    if click is None:
        return member
    # Whoever was a member before, with a login or without one, joined before.
    is_new_member = member.joined_at == joined_at
    referral = answer_invitation(
        click=click, invited=member, is_new_member=is_new_member, device_token=device_token, at=joined_at
    )
    if referral is not None and is_new_member:
        welcome_at_sign_up(referral=referral, at=joined_at)
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
