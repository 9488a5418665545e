"""What a shop may be refused beside the steps of its orders."""

from django.utils.translation import gettext as _

from orders.errors.steps import OrderError


class MemberNotFound(OrderError):
    """There is no such member among those whom the source may see."""

    code = "member_not_found"

    def __init__(self, field: str = "") -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return _("There is no such member. Check the number or the contact.")


class UnknownMember(OrderError):
    """An order names a member or customer who is not there."""

    code = "unknown_member"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return _(
            "There is no such member. Register them first, or send the order with an e-mail or phone: "
            "then it waits until they join."
        )


class ConsentMissing(OrderError):
    """Somebody was to be registered who has not agreed to the programme's rules."""

    code = "consent_missing"
    field = "agrees_to_programme"

    def __str__(self) -> str:
        return _("Without consent to the rules and the processing of personal data nobody becomes a member.")


class CustomerTaken(OrderError):
    """The source's own customer id belongs to another member already."""

    code = "customer_taken"
    field = "customer_id"

    def __str__(self) -> str:
        return _("This customer id belongs to another member already.")


class MomentInFuture(OrderError):
    """Something is said to have happened later than now."""

    code = "moment_in_future"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return _("This moment lies in the future. Check the clock and the offset, or leave the field out.")


class IdempotencyKeyReused(OrderError):
    """The same `Idempotency-Key` came with other content."""

    code = "idempotency_key_reused"
    field = "Idempotency-Key"

    def __str__(self) -> str:
        return _(
            "This Idempotency-Key was used for a request with other content. "
            "Send a new request under a new key."
        )
