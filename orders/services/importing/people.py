"""Who and where the orders of a file are from: members and outlets, made when they are not known."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from accounts.models import Language, Member
from accounts.numbers import new_member_numbers
from orders.models import Customer, Outlet, Source
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


def make_outlets(source: Source, names: Iterable[str]) -> dict[str, Outlet]:
    """The outlets of a source by what the file calls them: code or name. Unknown ones are made."""
    outlets = _outlets_of(source)
    unknown = [name for name in names if name not in outlets]
    if unknown:
        with transaction.atomic():
            # Whoever else names them at this moment waits, and finds them afterwards.
            Source.objects.select_for_update(no_key=True).get(pk=source.pk)
            outlets = _outlets_of(source)
            _add_outlets(source, outlets, unknown)
    return outlets


def _outlets_of(source: Source) -> dict[str, Outlet]:
    known = list(source.outlets.all())
    return {outlet.name: outlet for outlet in known} | {outlet.code: outlet for outlet in known}


def _add_outlets(source: Source, outlets: dict[str, Outlet], names: Iterable[str]) -> None:
    taken = {outlet.code for outlet in outlets.values()}
    for name in names:
        if name in outlets:
            continue
        number = len(taken) + 1
        while f"outlet-{number}" in taken:
            number += 1
        outlets[name] = Outlet.objects.create(source=source, code=f"outlet-{number}", name=name)
        taken.add(outlets[name].code)


def _free_numbers(count: int) -> list[str]:
    """As many member numbers that nobody has."""
    free: dict[str, None] = {}
    while len(free) < count:
        drawn = new_member_numbers(count - len(free))
        taken = set(Member.objects.filter(number__in=drawn).values_list("number", flat=True))
        free.update((number, None) for number in drawn if number not in taken)
    return list(free)
