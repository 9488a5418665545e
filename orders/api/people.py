"""Whose an order is, as the API tells it."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.contacts import normalise_email, normalise_phone
from accounts.errors import InvalidMemberNumber
from accounts.models import Member
from accounts.numbers import parse_member_number
from orders.api.questions import Basket
from orders.errors import MemberNotFound, UnknownMember
from orders.models import Customer, Source


@dataclass(frozen=True)
class Person:
    """Whose an order is: the member, if it names one, and its contacts in their one spelling."""

    member: Member | None
    email: str | None
    phone: str | None


class People:
    """The members whom some baskets name, read at once."""

    def __init__(self, source: Source, baskets: Sequence[Basket]) -> None:
        numbers = {member_number(basket.member) for basket in baskets if basket.member}
        customer_ids = {basket.customer_id for basket in baskets if basket.customer_id}
        members = Member.objects.filter(is_sandbox=source.is_sandbox)
        self.by_number = {member.number: member for member in members.filter(number__in=numbers)}
        self.by_customer_id = {
            customer.external_id: customer.member
            for customer in Customer.objects.select_related("member").filter(
                source=source, external_id__in=customer_ids
            )
        }

    def person_of(self, basket: Basket) -> Person:
        """Whose a basket is.

        Raises:
            UnknownMember: it names somebody whom the source may not see, or who is not there.
            InvalidEmail, InvalidPhone: a contact cannot be read.
        """
        member = None
        if basket.member:
            member = self.by_number.get(member_number(basket.member) or "")
            if member is None:
                raise UnknownMember("member")
        elif basket.customer_id:
            member = self.by_customer_id.get(basket.customer_id)
            if member is None and not (basket.email or basket.phone):
                raise UnknownMember("customer_id")
        return Person(
            member,
            normalise_email(basket.email) if basket.email else None,
            normalise_phone(basket.phone) if basket.phone else None,
        )


def named_member(source: Source, number: str, *, field: str) -> Member:
    """The member of that number, however it is grouped; `field` is the part of the body that names it.

    Raises:
        MemberNotFound: there is none whom the source may see.
    """
    member = Member.objects.filter(is_sandbox=source.is_sandbox, number=member_number(number)).first()
    if member is None:
        raise MemberNotFound(field)
    return member


def member_number(text: str) -> str | None:
    """The digits of a member number, however it is grouped; None where it can be nobody's."""
    try:
        return parse_member_number(text)
    except InvalidMemberNumber:
        return None
