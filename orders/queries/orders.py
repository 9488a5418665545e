"""Orders, page by page, and what belongs to them in the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Min, Q, QuerySet

from accounts.models import Member
from accounts.queries import members_by_contact
from loyalty.models import Credit, Hold, Posting, Purpose, Spending
from loyalty.queries.operations import Operation, operations_named
from orders.models import Order

ORDERS_PER_PAGE = 25


@dataclass(frozen=True)
class OrdersPage:
    """Some orders of a member, newest first, and the orders that the pages beside them begin at."""

    orders: Sequence[Order]
    newer_cursor: int | None
    older_cursor: int | None


def orders_page(
    *, member: Member, before: int | None = None, after: int | None = None, limit: int = ORDERS_PER_PAGE
) -> OrdersPage:
    """A page of a member's orders: the newest, or those next to one of them, by its id.

    Next to what is no order of theirs there is nothing.
    """
    own = member.orders.select_related("source", "outlet").order_by("-placed_at", "-pk")
    anchor_id = before if after is None else after
    if anchor_id is None:
        found = list(own[: limit + 1])
        return _page(found[:limit], has_newer=False, has_older=len(found) > limit)
    placed_at = member.orders.filter(pk=anchor_id).values_list("placed_at", flat=True).first()
    if placed_at is None:
        return _page([], has_newer=False, has_older=False)
    if after is None:
        # The first condition follows from the second, and is the one that an index can start at.
        older = Q(placed_at__lt=placed_at) | Q(pk__lt=anchor_id)
        found = list(own.filter(older, placed_at__lte=placed_at)[: limit + 1])
        return _page(found[:limit], has_newer=True, has_older=len(found) > limit)
    newer = Q(placed_at__gt=placed_at) | Q(pk__gt=anchor_id)
    found = list(own.filter(newer, placed_at__gte=placed_at).reverse()[: limit + 1])
    return _page(found[:limit][::-1], has_newer=len(found) > limit, has_older=True)


def is_step_taken(order: Order, key: UUID) -> bool:
    """Whether a step of this order was taken under that key."""
    return order.steps.filter(key=key).exists()


def operations_of(order: Order, *, account_id: int) -> list[Operation]:
    """Everything that the order moved on an account, the oldest first; two queries."""
    own = _postings(order)
    moved = Posting.objects.filter(Q(pk__in=own) | Q(origin_id__in=own)).values_list("pk", flat=True)
    return operations_named(account_id=account_id, posting_ids=moved)


def first_bought_at(member: Member, *, but: Order) -> datetime | None:
    """When the first order of an invited member was paid that their invitation led to and that stands."""
    standing = member.orders.filter(status__in=[Order.Status.PAID, Order.Status.PARTLY_REFUNDED])
    counted = standing.filter(paid_at__gte=F("member__referral__since_at")).exclude(pk=but.pk)
    found: datetime | None = counted.aggregate(first_at=Min("paid_at"))["first_at"]
    return found


def live_holds(order: Order, at: datetime) -> list[Hold]:
    """What is set aside for an order and has not run out by `at`, whether or not a job has run."""
    return [hold for hold in open_holds(order) if hold.expires_at > at]


def member_of_contact(*, email: str | None, phone: str | None, is_sandbox: bool = False) -> Member | None:
    """The member who has proved that this e-mail or phone is theirs."""
    for member in members_by_contact(email=email, phone=phone, is_sandbox=is_sandbox):
        if email and member.email == email and member.email_verified_at:
            return member
        if phone and member.phone == phone and member.phone_verified_at:
            return member
    return None


def open_holds(order: Order) -> Iterable[Hold]:
    """What is set aside for an order, in the order in which it was."""
    return Hold.objects.filter(posting_id__in=_postings(order), is_open=True).order_by("posting_id")


def open_spendings(order: Order) -> list[Spending]:
    """What was spent on an order and not given back, the latest first."""
    spendings = Spending.objects.filter(posting_id__in=_postings(order)).order_by("-posting_id")
    return [spending for spending in spendings if spending.points > spending.given_back_points]


def open_credits(order: Order) -> list[Credit]:
    """What an order earned its member and was not taken back, the latest first."""
    earned = _postings(order).filter(purpose=Purpose.ORDER)
    credited = Credit.objects.filter(posting_id__in=earned).order_by("-posting_id")
    return [credit for credit in credited if credit.points > credit.taken_back_points]


def _postings(order: Order) -> QuerySet[Posting]:
    return Posting.objects.filter(order_id=order.pk).only("pk")


def waiting_orders(member: Member) -> QuerySet[Order]:
    """Orders of nobody yet, sent with a contact that this member has verified; oldest first."""
    contacts = Q()
    if member.email and member.email_verified_at:
        contacts |= Q(customer_email=member.email)
    if member.phone and member.phone_verified_at:
        contacts |= Q(customer_phone=member.phone)
    if not contacts:
        return Order.objects.none()
    waiting = Order.objects.filter(contacts, member=None, source__is_sandbox=member.is_sandbox)
    return waiting.order_by("placed_at", "pk")


def _page(orders: Sequence[Order], *, has_newer: bool, has_older: bool) -> OrdersPage:
    return OrdersPage(
        orders=orders,
        newer_cursor=orders[0].pk if orders and has_newer else None,
        older_cursor=orders[-1].pk if orders and has_older else None,
    )


# Whoever verifies a contact at the moment when an order is sent with it may miss that order.
LEFT_WAITING = """
    select member.id from orders_order waiting
      join orders_source source on source.id = waiting.source_id
      join accounts_member member on member.email = waiting.customer_email
                                 and member.is_sandbox = source.is_sandbox
     where waiting.member_id is null and member.email_verified_at is not null
     union
    select member.id from orders_order waiting
      join orders_source source on source.id = waiting.source_id
      join accounts_member member on member.phone = waiting.customer_phone
                                 and member.is_sandbox = source.is_sandbox
     where waiting.member_id is null and member.phone_verified_at is not null
"""


def members_left_waiting() -> list[Member]:
    """The members whose verified contacts stand on orders of nobody."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_WAITING)
        member_ids = [member_id for (member_id,) in cursor.fetchall()]
    return list(Member.objects.filter(pk__in=member_ids).order_by("pk"))
