"""The audit journal: who did what, about whom, when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q, QuerySet

from accounts.models import AuditRecord, Member, User
from accounts.roles import CONSOLE_ROLES
from supervisor.queries.pages import ListPage, Sorting, every_row, in_period, list_page
from supervisor.queries.people import names_of_users

NEWEST_FIRST = Sorting(("happened_at",), is_descending=True)
# What facts name people by: members by their ids, and logins by theirs.
MEMBER_FACTS = ("inviter_id", "invited_id")
USER_FACTS = ("colleague", "asked_by", "approved_by")


@dataclass(frozen=True)
class JournalFilter:
    """Which records are wanted: what is None or empty asks for nothing. `until_on` is the last day."""

    action: str = ""
    actor_id: int | None = None
    member: Member | None = None
    since_on: date | None = None
    until_on: date | None = None


@dataclass(frozen=True)
class People:
    """Whom records name: logins by their names, and members by their numbers."""

    names: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)


def journal(filters: JournalFilter) -> QuerySet[AuditRecord]:
    """The records that are wanted, in no order; those of sandboxes are none."""
    found = AuditRecord.objects.select_related("member").filter(Q(member=None) | Q(member__is_sandbox=False))
    if filters.action:
        found = found.filter(action=filters.action)
        if filters.action in AuditRecord.ABOUT_THE_PROGRAMME:
            # Such a record names nobody, and the index of members' records has those together.
            found = found.filter(member=None)
    if filters.actor_id is not None:
        found = found.filter(actor_id=filters.actor_id)
    if filters.member is not None:
        found = found.filter(member=filters.member)
    return in_period(found, "happened_at", since_on=filters.since_on, until_on=filters.until_on)


def journal_page(
    filters: JournalFilter, *, before: int | None = None, after: int | None = None
) -> ListPage[AuditRecord]:
    """A page of the records that are wanted, the newest first."""
    return list_page(journal(filters), sorting=NEWEST_FIRST, before=before, after=after)


def every_record(filters: JournalFilter) -> Iterator[Sequence[AuditRecord]]:
    """All records that are wanted, the newest first, some at a time."""
    return every_row(journal(filters), sorting=NEWEST_FIRST)


def people_of(records: Iterable[AuditRecord]) -> People:
    """Everybody whom the records name; two queries."""
    user_ids: set[int | None] = set()
    member_ids: set[int] = set()
    for record in records:
        user_ids |= {record.actor_id, *_ids(record, USER_FACTS)}
        member_ids |= _ids(record, MEMBER_FACTS)
    numbers = Member.objects.filter(pk__in=member_ids).values_list("pk", "number")
    return People(names=names_of_users(user_ids), numbers=dict(numbers))


def colleagues() -> dict[int, str]:
    """The names of those who have a role in the console, in their order; one query."""
    is_colleague = Q(groups__name__in=CONSOLE_ROLES) | Q(is_superuser=True)
    users = User.objects.filter(is_colleague).distinct().order_by("first_name", "last_name", "pk")
    return {user.pk: user.known_as for user in users}


def _ids(record: AuditRecord, names: Iterable[str]) -> set[int]:
    found = (record.facts.get(name) for name in names)
    return {value for value in found if isinstance(value, int)}
