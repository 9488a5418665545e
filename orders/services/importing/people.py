"""Who the orders of a file are from: members, made when they are not known."""

from collections.abc import Sequence

from accounts.models import Language, Member
from accounts.numbers import new_member_numbers
from orders.models import Customer, Source
from orders.services.importing.staging import StagedCustomer
from orders.services.sets.bulk import copy_rows, next_ids


def members_of(source: Source, customers: Sequence[StagedCustomer]) -> dict[str, int]:
    """The member of each customer, made if there is none."""
    known = Customer.objects.filter(
        source=source, external_id__in=[customer.customer for customer in customers]
    )
    members = dict(known.values_list("external_id", "member_id"))
    unknown = [customer for customer in customers if customer.customer not in members]
    joining = [customer for customer in unknown if customer.person < 0]
    ids = next_ids("accounts_member", len(joining))
    copy_rows(
        "accounts_member",
        ("id", "number", "first_name", "last_name", "email", "phone", "language", "joined_at", "is_sandbox"),
        (
            (
                member_id,
                number,
                customer.first_name,
                customer.last_name,
                customer.email,
                customer.phone,
                Language.RUSSIAN.value,
                customer.joined_at,
                source.is_sandbox,
            )
            for member_id, number, customer in zip(ids, _free_numbers(len(joining)), joining, strict=True)
        ),
    )
    made = {customer.customer: member_id for customer, member_id in zip(joining, ids, strict=True)}
    added = {customer.customer: made.get(customer.customer, customer.person) for customer in unknown}
    copy_rows(
        "orders_customer",
        ("source_id", "external_id", "member_id"),
        ((source.pk, customer, member_id) for customer, member_id in added.items()),
    )
    return members | added


def _free_numbers(count: int) -> list[str]:
    """As many member numbers that nobody has."""
    free: dict[str, None] = {}
    while len(free) < count:
        drawn = new_member_numbers(count - len(free))
        taken = set(Member.objects.filter(number__in=drawn).values_list("number", flat=True))
        free.update((number, None) for number in drawn if number not in taken)
    return list(free)
