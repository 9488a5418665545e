"""A sale that staff register for a member who stands before them: placed and paid in one go."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import AuditRecord, Member
from accounts.services.audit import record
from loyalty.errors import TillCodeRefused
from loyalty.services.ledger import event_key
from loyalty.services.retry import ledger_write
from loyalty.services.till_codes import check_till_code, use_till_code
from orders.errors import OrderDiffers, OutletClosed, PointsChanged, ReceiptSent, SaleDiffers, SaleNumberTaken
from orders.models import Order, Outlet, Source
from orders.queries.sale_limits import refuse_large_sale, refuse_own_friend
from orders.queries.sales import SALES_CODE, order_of_receipt, sale_by_key
from orders.services import steps
from orders.services.orders import pay_order, place_order

SOURCE_CODE = SALES_CODE
# Of PostgreSQL's advisory locks: a colleague's sales come one after the other.
LOCK_NAME = "sales of a colleague"
# Numbers that the programme gives have eight digits, for somebody may read them out.
LEAST_NUMBER, MOST_NUMBERS = 10**7, 9 * 10**7


def till_source() -> Source:
    """The source of the sales that staff register; made on first use."""
    source = Source.objects.filter(code=SOURCE_CODE).first()
    if source is None:
        # Its name is one for all: that of the programme's language, whoever is the first to sell.
        with translation.override(settings.LANGUAGE_CODE):
            defaults = {"name": gettext("Sales registered by staff")}
        source, _is_new = Source.objects.get_or_create(code=SOURCE_CODE, defaults=defaults)
    return source


def sale_key(member: Member, key: UUID) -> UUID:
    """The key of the payment that a form with this key makes.

    A browser may send any key, so it is made into one that no other member and no shop can have.
    """
    return event_key("sale", member.pk, key)


def check_receipt(*, number: str, outlet: Outlet | None) -> None:
    """See that no sale or order has this receipt number at this outlet; without a number there is none.

    Raises:
        SaleNumberTaken: staff have registered it.
        ReceiptSent: the shop has sent it.
    """
    known = order_of_receipt(number=number, outlet=outlet) if number else None
    if known is not None:
        raise (
            SaleNumberTaken(number)
            if known.source.code == SOURCE_CODE
            else ReceiptSent(known.number, known.source.name)
        )


def register_sale(
    *,
    outlet: Outlet | None,
    member: Member,
    total_sum: Decimal,
    points: int,
    number: str,
    key: UUID,
    at: datetime,
    actor_id: int,
    code: str = "",
) -> Order:
    """The sale, placed and paid at once; sent again under its key, the one that was registered.

    `points` of the member's points are taken, neither more nor fewer, against the `code` that the
    member shows. A wrong code is counted although nothing is registered; a right one is used up only
    by a sale. Without a `number` of a receipt the sale gets one.

    Raises:
        TillCodeNeeded, TillCodeWrong, TillCodeOver: the code does not let points be taken.
        OwnInvitation: the colleague would get the inviter's share.
        SaleTooLarge: it is above the limits of staff.
        OutletClosed: the outlet takes no sales.
        SaleNumberTaken, ReceiptSent: the receipt is registered already, by staff or by the shop.
        SaleDiffers: the key came before with other content.
        PointsChanged: not so many points may pay for it, by cap.
        BelowMinimum, NotEnoughPoints, AccountBlocked, BadSum: as an order is refused.
    """
    if points and sale_by_key(sale_key(member, key)) is None:
        try:
            check_till_code(member=member, code=code, at=at)
        except TillCodeRefused:
            # The same form, sent twice at once, may have used it.
            if sale_by_key(sale_key(member, key)) is None:
                raise
    return _register(
        outlet=outlet,
        member=member,
        total_sum=total_sum,
        points=points,
        number=number.strip(),
        key=sale_key(member, key),
        at=at,
        actor_id=actor_id,
        code=code,
    )


@ledger_write
def _register(
    *,
    outlet: Outlet | None,
    member: Member,
    total_sum: Decimal,
    points: int,
    number: str,
    key: UUID,
    at: datetime,
    actor_id: int,
    code: str,
) -> Order:
    # Otherwise two forms that are sent at once would both find the whole of the day's limit.
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", (LOCK_NAME, actor_id))
    steps.lock_accounts_of(member.pk)
    registered = sale_by_key(key)
    if registered is not None:
        return _same_sale(registered, outlet=outlet, total_sum=total_sum, points=points, number=number)
    refuse_own_friend(member=member, actor_id=actor_id)
    refuse_large_sale(total_sum=total_sum, actor_id=actor_id, at=at)
    if outlet is not None and Outlet.objects.filter(pk=outlet.pk, closed_at__isnull=False).exists():
        raise OutletClosed
    source = till_source()
    check_receipt(number=number, outlet=outlet)
    if points:
        use_till_code(member=member, code=code, at=at)
    order = _placed(
        source=source,
        number=number or _new_number(source),
        total_sum=total_sum,
        placed_at=at,
        member=member,
        outlet=outlet,
        points=points,
        actor_id=actor_id,
    )
    if order.held_points != points:
        raise PointsChanged(order.held_points)
    order = pay_order(order=order, paid_at=at, key=key, actor_id=actor_id)
    record(
        action=AuditRecord.Action.SALE_REGISTERED,
        member=member,
        at=at,
        actor=actor_id,
        order=order.number,
        points=points,
        outlet=outlet.code if outlet else "",
    )
    return order


def _placed(*, number: str, **facts: Any) -> Order:
    """The new order; where two colleagues register one receipt at once, it is the quicker one's alone."""
    try:
        order = place_order(number=number, **facts)
    except OrderDiffers as refusal:
        raise SaleNumberTaken(number) from refusal
    if order.status != Order.Status.NEW:
        raise SaleNumberTaken(number)
    return order


def _same_sale(order: Order, *, outlet: Outlet | None, total_sum: Decimal, points: int, number: str) -> Order:
    """The sale that its form registered before, unless the form says something else now."""
    said = (outlet and outlet.pk, total_sum, points, number or order.number)
    if said != (order.outlet_id, order.total_sum, order.spent_points, order.number):
        raise SaleDiffers(order.number)
    return order


def _new_number(source: Source) -> str:
    """A number that no sale has; the rare one that two get at once is refused to the second."""
    while True:
        number = str(LEAST_NUMBER + secrets.randbelow(MOST_NUMBERS))
        if not source.orders.filter(number=number).exists():
            return number
