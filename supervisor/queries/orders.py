"""Orders of everybody as the console lists them, and what one of them brought whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from accounts.models import Member
from loyalty.models import Credit, Hold
from loyalty.queries.operations import Operation
from loyalty.queries.standing import tier_since_at
from orders.models import Order
from orders.queries import orders as queries
from orders.wording import OrderCard, OrderRow, card, last_credit, row
from referrals.models import Reward
from supervisor.queries.pages import ListPage, Sorting, in_period, list_page

NEWEST_FIRST = Sorting(("placed_at",), is_descending=True)


@dataclass(frozen=True)
class OrderFilter:
    """Which orders are wanted: what is None or empty asks for nothing. `until_on` is the last day."""

    status: str = ""
    source_id: int | None = None
    outlet_id: int | None = None
    number: str = ""
    since_on: date | None = None
    until_on: date | None = None
    is_of_nobody: bool = False


@dataclass(frozen=True)
class ListedOrder:
    """An order of the list, and whose it is, if it is somebody's already."""

    row: OrderRow
    member: Member | None


@dataclass(frozen=True)
class OrderPage:
    """An order, how it came to its points, and what it brought by an invitation."""

    card: OrderCard
    member: Member | None
    rewards: Sequence[Reward]


def orders(filters: OrderFilter) -> QuerySet[Order]:
    """The orders that are wanted, those of sandboxes left out."""
    found = Order.objects.filter(source__is_sandbox=False)
    wanted = {
        "status": filters.status,
        "source": filters.source_id,
        "outlet": filters.outlet_id,
        "number__iexact": filters.number,
    }
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    found = in_period(found, "placed_at", since_on=filters.since_on, until_on=filters.until_on)
    return found.filter(member=None) if filters.is_of_nobody else found


def orders_page(
    *, filters: OrderFilter, before: int | None = None, after: int | None = None
) -> ListPage[Order]:
    """A page of the orders that are wanted, the latest first."""
    found = orders(filters).select_related("source", "outlet", "member")
    return list_page(found, sorting=NEWEST_FIRST, before=before, after=after)


def listed_orders(page: ListPage[Order]) -> list[ListedOrder]:
    """The rows of a page; no query."""
    return [ListedOrder(row(order), order.member) for order in page.rows]


def live_order(order_id: int) -> QuerySet[Order]:
    """The order of that id, unless it is one of a sandbox."""
    found = orders(OrderFilter()).select_related("source", "outlet", "member")
    return found.filter(pk=order_id)


def order_page(order: Order, at: datetime) -> OrderPage:
    """Everything that the page of one order shows, as it is at that moment."""
    operations: list[Operation] = []
    credits_: list[Credit] = []
    holds: list[Hold] = []
    since_at = None
    if order.member_id is not None:
        operations = queries.operations_of(order, account_id=order.member_id)
        credits_ = queries.open_credits(order)
        holds = queries.live_holds(order, at)
        if earning := last_credit(operations):
            since_at = tier_since_at(
                member_id=order.member_id,
                tier_name=earning.explanation.get("tier", ""),
                at=earning.effective_at,
            )
    return OrderPage(
        card=card(
            order, operations=operations, credits_=credits_, holds=holds, tier_since_at=since_at, at=at
        ),
        member=order.member,
        rewards=list(
            Reward.objects.filter(order_id=order.pk)
            .select_related("referral__inviter", "rule_set")
            .order_by("kind", "pk")
        ),
    )
