"""The rows of a file in temporary tables, compared with each other and with what is known already.

Everything that concerns the file as a whole happens here, in the database, so that memory does not
grow with the file. What comes out are batches of orders, each in the order of time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from orders.imports.rows import BadRow, OrderRow
from orders.models import Outlet, Source
from orders.services.sets.purchase import Purchase

# As many orders as are written in one transaction: some seconds' work, and a few megabytes.
BATCH_ORDERS = 5_000
# Orders that bring an inviter a share are written one by one: fewer of them at a time.
LINKED_BATCH_ORDERS = 250
PROGRESS_ROWS = 5_000

TABLES = "import_ready, import_customer, import_order, import_row"
STAGE = """
    create temporary table import_row (
        line integer, number text, customer text, paid_at timestamptz, total_sum numeric(14, 2),
        delivery_sum numeric(14, 2), email text, phone text, first_name text, last_name text, outlet text
    )
"""
COLUMNS = tuple(field.name for field in fields(OrderRow))
# Rows that are equal to the letter are orders of their own: the second gets a number of its own.
NUMBER_EQUAL_ROWS = """
    create temporary table import_order as
    select line, case when turn = 1 then number else number || '-' || turn end as number, customer, paid_at,
           total_sum, delivery_sum, email, phone, first_name, last_name, outlet, line as first_line,
           false as is_other
      from (select *, row_number() over (partition by number order by line) as turn from import_row) as rows
"""
# Where orders have numbers, the same number again is the same order again, or a mistake.
FIND_REPEATS = """
    create temporary table import_order as
    select *, first_value(line) over same_number as first_line,
           (customer, paid_at, total_sum, delivery_sum) is distinct from (
               first_value(customer) over same_number, first_value(paid_at) over same_number,
               first_value(total_sum) over same_number, first_value(delivery_sum) over same_number
           ) as is_other
      from import_row window same_number as (partition by number order by line)
"""
OTHER_REPEATS = "select line, number, first_line from import_order where is_other order by line"
DELETE_REPEATS = "delete from import_order where line <> first_line"
# A day without a time, as in many files, is the day of the order as it is known.
OTHER_KNOWN = """
    select import_order.line, known.number
      from import_order
      join orders_order known on known.source_id = %(source_id)s and known.number = import_order.number
      left join orders_customer customer
             on customer.source_id = known.source_id and customer.external_id = import_order.customer
     where (known.total_sum, known.delivery_sum) <> (import_order.total_sum, import_order.delivery_sum)
        or coalesce(customer.member_id <> known.member_id, false)
        or known.paid_at is null
        or known.paid_at <> import_order.paid_at and not (
               import_order.paid_at = date_trunc('day', import_order.paid_at, %(zone)s)
               and date_trunc('day', known.paid_at, %(zone)s) = import_order.paid_at)
     order by import_order.line
"""
DELETE_KNOWN = """
    delete from import_order using orders_order known
     where known.source_id = %(source_id)s and known.number = import_order.number
"""
# A contact finds its member only once it was verified: else anybody's typing would join two people.
CONTACT_OF_ANOTHER = """
    with told as (
        select line, import_order.{contact}, import_order.customer,
               member.id as member_id, member.{contact}_verified_at as verified_at,
               first_value(import_order.customer) over (
                   partition by import_order.{contact} order by import_order.paid_at, line) as first_customer
          from import_order
          left join orders_customer known
                 on known.source_id = %(source_id)s and known.external_id = import_order.customer
          left join accounts_member member
                 on member.{contact} = import_order.{contact} and member.is_sandbox = %(is_sandbox)s
         where import_order.{contact} is not null and known.id is null
    )
    select line, {contact}, member_id is not null from told
     where (member_id is not null and verified_at is null)
        or (member_id is null and customer <> first_customer)
     order by line
"""
# One row per customer. `person` is the member, or a number below 0 for one who is to become it;
# `is_linked` are those whose orders bring somebody a share, and the somebodies.
FIND_CUSTOMERS = """
    create temporary table import_customer as
    with told as (
        select customer, min(paid_at) as joined_at,
               (array_agg(email order by paid_at, line) filter (where email <> ''))[1] as email,
               (array_agg(phone order by paid_at, line) filter (where phone <> ''))[1] as phone,
               (array_agg(first_name order by paid_at, line) filter (where first_name <> ''))[1] as first,
               (array_agg(last_name order by paid_at, line) filter (where last_name <> ''))[1] as last
          from import_order group by customer
    ), by_contact as (
        select distinct on (customer) customer, id
          from (select customer, paid_at, line, member.id, 1 as turn from import_order
                  join accounts_member member
                    on member.email = import_order.email and member.email_verified_at is not null
                   and member.is_sandbox = %(is_sandbox)s
                union all
                select customer, paid_at, line, member.id, 2 from import_order
                  join accounts_member member
                    on member.phone = import_order.phone and member.phone_verified_at is not null
                   and member.is_sandbox = %(is_sandbox)s) as found
         order by customer, turn, paid_at, line
    )
    select told.*, coalesce(known.member_id, by_contact.id, -row_number() over (order by joined_at, customer))
                       as person,
           false as is_linked
      from told
      left join orders_customer known on known.source_id = %(source_id)s and known.external_id = customer
      left join by_contact using (customer)
"""
LINK_CUSTOMERS = """
    update import_customer set is_linked = true
      from referrals_referral referral
     where person in (referral.invited_id, referral.inviter_id)
       and exists (select from import_customer friend where friend.person = referral.invited_id)
"""
# All orders of a person are in one batch, those of linked people in the order of time among them
# all. A part is what one transaction takes: the whole batch, unless a person has very many orders.
MAKE_BATCHES = """
    create temporary table import_ready as
    with person as (
        select person, bool_or(is_linked) as is_linked, min(joined_at) as joined_at, sum(orders) as orders
          from import_customer
          join (select customer, count(*) as orders from import_order group by customer) as counted
         using (customer)
         group by person
    ), batch as (
        select person, is_linked,
               case when is_linked then -1
                    else div(sum(orders) over (partition by is_linked order by joined_at, person) - 1,
                             %(batch_orders)s) end as batch
          from person
    )
    select batch, is_linked,
           div(row_number() over (partition by batch order by paid_at, line) - 1,
               case when is_linked then %(linked_orders)s else %(batch_orders)s * 2 end) as part,
           person, customer, line, number, paid_at, total_sum, delivery_sum, outlet
      from import_order
      join import_customer using (customer)
      join batch using (person, is_linked)
"""


# What the statements above are filled with.
Values = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class StagedOrder:
    """An order that is ready to be written. `person` is below 0 while there is no member yet."""

    person: int
    customer: str
    number: str
    paid_at: datetime
    total_sum: Decimal
    delivery_sum: Decimal
    outlet: str

    def purchase(self, person: int, outlet: Outlet | None) -> Purchase:
        """The order as that person's, ready to be counted and written."""
        return Purchase(
            person=person,
            number=self.number,
            paid_at=self.paid_at,
            total_sum=self.total_sum,
            delivery_sum=self.delivery_sum,
            outlet=outlet,
        )


@dataclass(frozen=True, slots=True)
class StagedCustomer:
    """A customer of the source, and what the file says about them."""

    customer: str
    person: int
    joined_at: datetime
    email: str | None
    phone: str | None
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class Part:
    """The orders of one transaction; `is_whole` when no person's orders go on in the next one."""

    batch: int
    number: int
    is_linked: bool
    is_whole: bool
    orders_count: int


@dataclass(frozen=True, slots=True)
class Staged:
    """What the file holds: orders that are new, and how many are known."""

    parts: Sequence[Part]
    orders_count: int
    known_count: int
    members_count: int
    total_sum: Decimal
    first_at: datetime | None
    last_at: datetime | None
    outlets: Sequence[str]


def stage_rows(
    rows: Iterator[OrderRow | BadRow],
    *,
    refuse: Callable[[BadRow], None],
    progress: Callable[[int], None],
) -> None:
    """Put the good rows into a temporary table, and hand the bad ones to `refuse`."""
    drop_staged()
    with transaction.atomic(), connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.execute(STAGE)
        with cursor.copy("copy import_row from stdin") as copy:
            for count, row in enumerate(rows, start=1):
                if isinstance(row, BadRow):
                    refuse(row)
                else:
                    copy.write_row(tuple(getattr(row, name) for name in COLUMNS))
                if count % PROGRESS_ROWS == 0:
                    progress(count)


def compare_staged(*, source: Source | None, has_numbers: bool, refuse: Callable[[BadRow], None]) -> Staged:
    """Find out which of the staged rows are new, known, or wrong, and who their people are."""
    values: Values = {
        "source_id": source.pk if source else None,
        "is_sandbox": bool(source and source.is_sandbox),
        "zone": settings.TIME_ZONE,
        "batch_orders": BATCH_ORDERS,
        "linked_orders": LINKED_BATCH_ORDERS,
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND_REPEATS if has_numbers else NUMBER_EQUAL_ROWS)
        cursor.execute("analyze import_order")
        known_count = -_refuse_repeats(refuse)
        cursor.execute(DELETE_REPEATS)
        known_count += cursor.rowcount
        known_count -= _refuse_other_known(values, refuse)
        cursor.execute(DELETE_KNOWN, values)
        known_count += cursor.rowcount
        for contact in ("email", "phone"):
            _refuse_contacts_of_others(contact, values, refuse)
        cursor.execute(FIND_CUSTOMERS, values)
        cursor.execute(LINK_CUSTOMERS)
        cursor.execute("analyze import_customer")
        cursor.execute(MAKE_BATCHES, values)
        cursor.execute("create index on import_ready (batch, part, paid_at, line)")
        cursor.execute("analyze import_ready")
    return _staged(known_count)


def orders_of(part: Part) -> list[StagedOrder]:
    """The orders of a part, oldest first, as in the file where the moment is the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select person, customer, number, paid_at, total_sum, delivery_sum, outlet from import_ready"
            " where batch = %s and part = %s order by paid_at, line",
            (part.batch, part.number),
        )
        return [StagedOrder(*row) for row in cursor.fetchall()]


def customers_of(part: Part) -> list[StagedCustomer]:
    """The customers of a part, in the order of their first orders."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select customer, person, joined_at, email, phone, coalesce(first, ''), coalesce(last, '')"
            "  from import_customer"
            " where customer in (select customer from import_ready where batch = %s and part = %s)"
            " order by joined_at, customer",
            (part.batch, part.number),
        )
        return [StagedCustomer(*row) for row in cursor.fetchall()]


def drop_staged() -> None:
    """Drop the temporary tables, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {TABLES}")


def _refuse_repeats(refuse: Callable[[BadRow], None]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(OTHER_REPEATS)
        for line, number, first_line in cursor.fetchall():
            expected = _("a number of its own: row %(row)s has the same one with other content") % {
                "row": first_line
            }
            refuse(BadRow(line, "number", number, expected))
        return cursor.rowcount


def _refuse_other_known(values: Values, refuse: Callable[[BadRow], None]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(OTHER_KNOWN, values)
        for line, number in cursor.fetchall():
            expected = _(
                "the order that is known under this number: its sum, date, customer or state differs"
            )
            refuse(BadRow(line, "number", number, expected))
        return cursor.rowcount


def _refuse_contacts_of_others(contact: str, values: Values, refuse: Callable[[BadRow], None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CONTACT_OF_ANOTHER.format(contact=contact), values)
        found = cursor.fetchall()
        for line, text, is_of_member in found:
            if is_of_member:
                expected = _("a contact of nobody else: a member has it and has not verified it")
            else:
                expected = _("a contact of nobody else: another customer of this file has it")
            refuse(BadRow(line, contact, text, expected))
        cursor.execute("delete from import_order where line = any(%s)", ([line for line, *_more in found],))


def _staged(known_count: int) -> Staged:
    with connection.cursor() as cursor:
        cursor.execute(
            "select batch, part, is_linked, count(*) from import_ready"
            " group by batch, part, is_linked order by batch, part"
        )
        rows = cursor.fetchall()
        parts_count: dict[int, int] = {}
        for batch, *_more in rows:
            parts_count[batch] = parts_count.get(batch, 0) + 1
        cursor.execute(
            "select count(*), coalesce(sum(total_sum), 0), min(paid_at), max(paid_at) from import_ready"
        )
        orders_count, total_sum, first_at, last_at = cursor.fetchone()
        cursor.execute("select count(*) from import_customer where person < 0")
        (members_count,) = cursor.fetchone()
        cursor.execute("select distinct outlet from import_ready where outlet <> '' order by outlet")
        outlets = [outlet for (outlet,) in cursor.fetchall()]
    return Staged(
        parts=[
            Part(int(batch), int(part), is_linked, parts_count[batch] == 1 and not is_linked, count)
            for batch, part, is_linked, count in rows
        ],
        orders_count=orders_count,
        known_count=known_count,
        members_count=members_count,
        total_sum=total_sum,
        first_at=first_at,
        last_at=last_at,
        outlets=outlets,
    )
