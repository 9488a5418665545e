"""What colleagues search for, and lists that they read or take out: written down each time."""

from datetime import datetime

from accounts.models import AuditRecord, User
from accounts.queries import Found
from accounts.services.audit import record


def note_search(*, found: Found, letters: int, at: datetime, actor: User) -> None:
    """Write down what a colleague looked for, by the `letters` typed, and how many were found.

    What was typed is not told: it may be a contact.
    """
    record(
        action=AuditRecord.Action.SEARCHED,
        member=None,
        at=at,
        actor=actor,
        kinds=list(found.kinds),
        letters=letters,
        found=len(found.hits),
    )


def note_list(*, name: str, filters: str, at: datetime, actor: User) -> None:
    """Write down that a colleague was shown a page of a list.

    It is one record for the page. `filters` are the list's own words, such as “?tier=1”, in which
    nothing personal can stand.
    """
    record(
        action=AuditRecord.Action.SEARCHED,
        member=None,
        at=at,
        actor=actor,
        kind="list",
        list=name,
        filters=filters,
    )


def note_export(
    *, name: str, filters: str, file_format: str, rows_count: int, at: datetime, actor: User
) -> None:
    """Write down that a colleague takes a list out as a file, and how many rows are in it."""
    record(
        action=AuditRecord.Action.EXPORTED,
        member=None,
        at=at,
        actor=actor,
        list=name,
        filters=filters,
        format=file_format,
        rows=rows_count,
    )
