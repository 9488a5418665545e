"""One good request for every operation of the API, to be spoilt in one way or another."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse

from orders.models import Scope
from tests.orders.api.shops import Shop

NO_MEMBER = "200000000004"
NO_CHECK = "4f0c6d3e-6f3a-4c58-9d3b-0a4c1f0b7d11"


@dataclass(frozen=True)
class Call:
    """A request that the API takes, with the scope it needs and the status of its answer."""

    method: str
    path: str
    scope: Scope
    status: int = 200
    fields: dict[str, Any] | None = None
    parameters: dict[str, object] = field(default_factory=dict)
    is_write: bool = False
    key: str = "key-of-the-call"

    def by(self, shop: Shop, **how: Any) -> HttpResponse:
        """The answer that the shop gets; `how` overrides what is sent."""
        how.setdefault("fields", self.fields)
        how.setdefault("parameters", self.parameters)
        if self.is_write:
            how.setdefault("once", self.key)
        fields = how.pop("fields")
        return shop.send(self.method, how.pop("path", self.path), fields, **how)


def sale(number: str, **fields: object) -> dict[str, object]:
    """A paid order of nobody, as it is sent among others."""
    return {"number": number, "total_sum": "100.00", "paid_at": "2026-03-01T12:00:00+03:00", **fields}


def calls(
    member: str, *, giver: str = "", receiver: str = "", check: str = "", transfer: str = ""
) -> dict[str, Call]:
    """A call of each operation, by the operation's id, in the world of the fixture `world`.

    Orders and balances are the member's; the giver has checked one transfer to the receiver and made another.
    """
    return {
        "register_member": Call(
            "POST",
            "/members",
            Scope.MEMBERS_WRITE,
            201,
            {"first_name": "Ян", "email": "jan@example.com", "agrees_to_programme": True},
            is_write=True,
        ),
        "find_member": Call("POST", "/members/search", Scope.MEMBERS_READ, fields={"number": member}),
        "get_member": Call("GET", f"/members/{member}", Scope.MEMBERS_READ),
        "get_balance": Call("GET", f"/members/{member}/balance", Scope.POINTS_READ),
        "list_operations": Call("GET", f"/members/{member}/operations", Scope.POINTS_READ),
        "quote_order": Call(
            "POST", "/quotes", Scope.ORDERS_READ, fields={"member": member, "total_sum": "1000.00"}
        ),
        "place_order": Call(
            "POST",
            "/orders",
            Scope.ORDERS_WRITE,
            201,
            {"number": "A-next", "member": member, "total_sum": "1000.00"},
            is_write=True,
        ),
        "list_orders": Call("GET", "/orders", Scope.ORDERS_READ),
        "get_order": Call("GET", "/orders/A-paid", Scope.ORDERS_READ),
        "pay_order": Call("POST", "/orders/A-new/pay", Scope.ORDERS_WRITE, fields={}, is_write=True),
        "refund_order": Call(
            "POST", "/orders/A-paid/refund", Scope.ORDERS_WRITE, fields={"is_whole": True}, is_write=True
        ),
        "cancel_order": Call("POST", "/orders/A-new/cancel", Scope.ORDERS_WRITE, fields={}, is_write=True),
        "register_orders": Call(
            "POST",
            "/order-batches",
            Scope.ORDERS_WRITE,
            fields={"orders": [sale("B-1"), sale("B-2")]},
            is_write=True,
        ),
        "get_day_sums": Call("GET", "/sums", Scope.ORDERS_READ, parameters={"day": "2026-03-10"}),
        "check_transfer": Call(
            "POST",
            "/transfer-checks",
            Scope.TRANSFERS_WRITE,
            201,
            {"sender": giver, "recipient": receiver, "points": 30},
            is_write=True,
        ),
        "send_transfer_code": Call(
            "POST", f"/transfer-checks/{check}/code", Scope.TRANSFERS_WRITE, 202, {}, is_write=True
        ),
        "make_transfer": Call(
            "POST", "/transfers", Scope.TRANSFERS_WRITE, 201, {"check": check}, is_write=True
        ),
        "get_transfer": Call("GET", f"/transfers/{transfer}", Scope.TRANSFERS_WRITE),
        "take_back_transfer": Call(
            "POST", f"/transfers/{transfer}/take-back", Scope.TRANSFERS_WRITE, 200, {}, is_write=True
        ),
    }


OPERATIONS = tuple(calls(""))
WITH_BODY = tuple(name for name, call in calls("").items() if call.method == "POST")
WRITES = tuple(name for name, call in calls("").items() if call.is_write)
OF_A_MEMBER = ("get_member", "get_balance", "list_operations")
OF_A_TRANSFER = ("get_transfer", "take_back_transfer")
OF_AN_ORDER = ("get_order", "pay_order", "refund_order", "cancel_order")
