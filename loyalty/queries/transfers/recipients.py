"""Who is meant by what a sender entered, and whether points can be given to them.

Whatever the answer is, the same statements are asked for it in the same order: whoever guesses
learns nothing from the time it takes.
"""

from dataclasses import dataclass

from django.db import connection

from accounts.contacts import normalise_email, normalise_phone
from accounts.errors import (
    AccountsError,
    InvalidEmail,
    InvalidMemberNumber,
    InvalidPhone,
    MemberNumberLengthError,
    MistypedMemberNumber,
)
from accounts.numbers import FIRST_DIGITS, parse_member_number
from loyalty.errors import RecipientUnreadable
from loyalty.models import RuleSet
from loyalty.queries.transfers.giving import Periods

# What may name a recipient, and the condition for it. A contact counts once its owner has proved it;
# in the sandbox nobody proves anything.
NAMED_BY = {
    "number": "recipient.number = %(named)s",
    "email": "recipient.email = %(named)s and (recipient.email_verified_at is not null or %(is_sandbox)s)",
    "phone": "recipient.phone = %(named)s and (recipient.phone_verified_at is not null or %(is_sandbox)s)",
}
RECIPIENT = """
    select recipient.id, loyalty_may_receive(recipient.id, recipient.user_id),
           loyalty_received_points(
               recipient.id, %(is_limited)s, %(day_from)s, %(month_from)s, %(until)s)
      from accounts_member recipient
     where recipient.is_sandbox = %(is_sandbox)s and {named}
"""


@dataclass(frozen=True)
class Named:
    """What a sender entered, in its one spelling: `by` is number, email or phone."""

    by: str
    value: str


@dataclass(frozen=True)
class Receiving:
    """A member whom points might be given to, and what they have got by gift so far."""

    member_id: int
    may_receive: bool
    received_points: tuple[int, int]  # in the day and in the month

    def can_get(self, points: int, rule_set: RuleSet) -> bool:
        """Whether that many can be given to them under an edition."""
        return self.may_receive and all(
            limit is None or received + points <= limit
            for limit, received in zip(received_limits(rule_set), self.received_points, strict=True)
        )


def received_limits(rule_set: RuleSet) -> tuple[int | None, int | None]:
    """The most that a member may get from others in a day and in a month; None without a limit."""
    return rule_set.transfer_received_day_limit_points, rule_set.transfer_received_month_limit_points


def read_recipient(text: str) -> Named:
    """What is meant by a member number, an e-mail or a phone in any spelling.

    Raises:
        RecipientUnreadable: it is none of them.
    """
    if "@" in text:
        try:
            return Named("email", normalise_email(text))
        except InvalidEmail as error:
            raise RecipientUnreadable(error) from error
    reason: AccountsError | None = None
    try:
        return Named("number", parse_member_number(text))
    except (MemberNumberLengthError, MistypedMemberNumber) as error:
        # A member number begins like no phone of the home country: then the slip is in its digits.
        reason = error if text.strip().startswith(tuple(FIRST_DIGITS)) else None
    except InvalidMemberNumber:
        pass
    try:
        return Named("phone", normalise_phone(text))
    except InvalidPhone as error:
        raise RecipientUnreadable(reason) from error


def find_recipient(
    named: Named, *, is_sandbox: bool, periods: Periods, rule_set: RuleSet
) -> Receiving | None:
    """The member who is meant, or None when there is nobody; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            RECIPIENT.format(named=NAMED_BY[named.by]),
            {
                "named": named.value,
                "is_sandbox": is_sandbox,
                "is_limited": any(limit is not None for limit in received_limits(rule_set)),
                **vars(periods),
            },
        )
        row = cursor.fetchone()
    return None if row is None else Receiving(*row)
