"""Everybody whose tier a draft would change, as a file."""

from collections.abc import Iterator, Sequence
from itertools import islice

from django.utils import translation
from django.utils.translation import gettext as _

from loyalty import spreadsheets
from loyalty.spreadsheets import Row
from supervisor.models import Preview
from supervisor.queries.what_if import ChangedMember, changed_members

BATCH_MEMBERS = 1000


def csv_parts(preview: Preview, *, language: str) -> Iterator[bytes]:
    """The file bit by bit, of any length: who falls and who rises as of the preview's data."""
    if preview.data_at is None:
        raise ValueError(f"Preview {preview.pk} is not computed.")
    members = changed_members(draft=preview.draft, live=preview.compared_with, at=preview.data_at)
    with translation.override(language):
        columns = _headings()
    return spreadsheets.csv_parts(columns, _batches(members), language=language)


def _headings() -> list[str]:
    return [_("Member number"), _("Name"), _("Tier now"), _("Tier then"), _("Direction"), _("Paid sum")]


def _batches(members: Iterator[ChangedMember]) -> Iterator[Sequence[Row]]:
    while batch := list(islice(members, BATCH_MEMBERS)):
        yield [_row(member) for member in batch]


def _row(member: ChangedMember) -> Row:
    return [
        member.number,
        member.masked_name,
        member.from_name,
        member.to_name,
        _("rises") if member.is_rise else _("falls"),
        str(member.paid_sum),
    ]
