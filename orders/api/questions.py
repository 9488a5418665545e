"""What the API is asked: the bodies and parameters of its requests."""

from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, model_validator

from orders.api.types import (
    Day,
    Flag,
    Id,
    Moment,
    OrderNumber,
    Points,
    Quantity,
    Question,
    Sum,
    Text50,
    Text100,
    Text200,
    expected,
)

MOST_LINES = 500
CODE_PATTERN = r"^[0-9]{6}$"


class NewMember(Question):
    """Somebody who joins at the shop or till."""

    first_name: Text100 = Field(examples=["Мария"])
    last_name: Text100 | None = Field(None, examples=["Петрова"])
    email: Text200 | None = Field(None, examples=["maria@example.com"])
    phone: Text100 | None = Field(None, examples=["+7 916 123-45-67"])
    language: Literal["ru", "en"] = "ru"
    customer_id: Text100 | None = Field(None, description="What you call this customer.", examples=["C-1001"])
    agrees_to_programme: Flag = Field(
        description="They accept the rules and the processing of their data; nobody joins without."
    )
    agrees_to_advertising: Flag = False


class MemberSearch(Question):
    """Exactly one of these; only a whole and exact match is found."""

    number: Text100 | None = Field(None, examples=["248190736514"])
    email: Text200 | None = None
    phone: Text100 | None = None
    customer_id: Text100 | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        told = [value for value in (self.number, self.email, self.phone, self.customer_id) if value]
        if len(told) != 1:
            raise expected(_("Exactly one of number, email, phone and customer_id."))
        return self


class NewLine(Question):
    """One item of an order; `line_sum` is what all its units cost together."""

    name: Text200 = Field(examples=["Coffee beans, 1 kg"])
    line_sum: Sum = Field(examples=["4700.00"])
    quantity: Quantity = Field("1", validate_default=True)
    category: Annotated[Text100, Field(examples=["coffee"])] | None = None


class Basket(Question):
    """What is ordered, and by whom."""

    member: Text50 | None = Field(None, description="The member's number.", examples=["248190736514"])
    customer_id: Text100 | None = Field(
        None, description="The customer as you call them, if you registered them."
    )
    email: Text200 | None = Field(
        None, description="Of somebody who may join later: the order waits for them."
    )
    phone: Text100 | None = None
    total_sum: Sum = Field(description="What goods and delivery cost together.", examples=["4990.00"])
    delivery_sum: Sum = Field("0", validate_default=True, examples=["290.00"])
    lines: list[NewLine] = Field([], max_length=MOST_LINES)
    points: Points = Field(0, description="How many points the member wants to spend.")

    @model_validator(mode="after")
    def _one_member(self) -> Self:
        if self.member and self.customer_id:
            raise expected(_("Either member or customer_id, not both."))
        return self


class NewOrder(Basket):
    """An order. With `paid_at` it is paid already, as at a till."""

    number: OrderNumber = Field(description="Unique among your orders, for ever.", examples=["A-1001"])
    outlet: Text100 | None = Field(
        None, description="The shop or branch, by code or name.", examples=["Arbat"]
    )
    placed_at: Moment | None = Field(None, description="Now, unless you say otherwise.")
    paid_at: Moment | None = Field(None, description="When it was paid, if it was.")


class Payment(Question):
    """The order was paid."""

    paid_at: Moment | None = Field(None, description="Now, unless you say otherwise.")
    money_sum: Sum | None = Field(
        None, description="What you took. Refused when the points leave another sum to pay."
    )


class LineRefund(Question):
    """What is returned of one line."""

    position: Annotated[Points, Field(ge=1)] = Field(description="The first line has 1.")
    line_sum: Sum = Field(examples=["1200.00"])


class Refund(Question):
    """What is returned: everything that is left, or lines, or a sum of goods, or the delivery."""

    is_whole: Flag = Field(False, description="Everything that is left of the order.")
    lines: list[LineRefund] = Field([], max_length=MOST_LINES, description="Of an order with lines.")
    goods_sum: Sum = Field("0", validate_default=True, description="Of an order without lines.")
    delivery_sum: Sum = Field("0", validate_default=True)
    refunded_at: Moment | None = Field(None, description="Now, unless you say otherwise.")

    @model_validator(mode="after")
    def _clear(self) -> Self:
        if self.is_whole and (self.lines or self.goods_sum or self.delivery_sum):
            raise expected(_("Either is_whole or what is returned, not both."))
        if len({line.position for line in self.lines}) < len(self.lines):
            raise expected(_("Each line once."))
        return self


class Cancellation(Question):
    """The order does not happen."""

    cancelled_at: Moment | None = Field(None, description="Now, unless you say otherwise.")


class WantedDay(Question):
    """A day of the programme's time zone."""

    day: Day


class NewCheck(Question):
    """Points that a member wants to give to another one."""

    sender: Text50 = Field(description="The member's number.", examples=["248190736514"])
    recipient: Text200 = Field(
        description="Member number, e-mail or phone, however it is written; only a whole match is found.",
        examples=["+7 916 123-45-67"],
    )
    points: Annotated[Points, Field(ge=1)] = Field(examples=[500])


class NewTransfer(Question):
    """What was checked and agreed to is to be done."""

    check: Id = Field(description="The id of the check.")
    code: Annotated[str, StringConstraints(strict=True, pattern=CODE_PATTERN)] | None = Field(
        None, description="The code that was sent to the member, if the check needs one.", examples=["123456"]
    )


class NothingMore(Question):
    """An empty object: the address says it all."""
