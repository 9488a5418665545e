"""Everybody whose tier a draft would change, as a file."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.numbers import format_member_number
from loyalty import spreadsheets
from loyalty.spreadsheets import Row
from loyalty.templatetags.numbers import CURRENCY_SIGN
from supervisor.models import Preview
from supervisor.queries.preview_card import ShownNames, shown_names
from supervisor.queries.what_if import ChangedMember, changed_members

BATCH_MEMBERS = 1000


def csv_parts(
    preview: Preview, *, at: datetime, language: str, note: Callable[[int], None]
) -> Iterator[bytes]:
    """The file bit by bit, of any length: who falls and who rises as of `at`, which is now.

    At its end, also where it is broken off, `note` is told how many rows were written.
    """
    written = 0

    def counted(batches: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        nonlocal written
        for rows in batches:
            written += len(rows)
            yield rows

    members = changed_members(draft=preview.draft, live=preview.compared_with, at=at)
    with translation.override(language):
        columns = _headings()
        now, then = shown_names(preview.compared_with), shown_names(preview.draft)
    try:
        yield from spreadsheets.csv_parts(columns, counted(_batches(members, now, then)), language=language)
    finally:
        note(written)


def _headings() -> list[str]:
    return [
        _("Member number"),
        _("Name"),
        _("Tier now"),
        _("Tier then"),
        _("Direction"),
        f"{_('Paid sum')}, {CURRENCY_SIGN}",
    ]


def _batches(members: Iterator[ChangedMember], now: ShownNames, then: ShownNames) -> Iterator[Sequence[Row]]:
    while batch := list(islice(members, BATCH_MEMBERS)):
        yield [_row(member, now, then) for member in batch]


def _row(member: ChangedMember, now: ShownNames, then: ShownNames) -> Row:
    return [
        format_member_number(member.number),
        member.masked_name,
        now[member.from_name],
        then[member.to_name],
        _("rises") if member.is_rise else _("falls"),
        member.paid_sum,
    ]
