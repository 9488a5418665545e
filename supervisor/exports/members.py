"""The list of members as rows of a file, with the columns of the page."""

from collections.abc import Iterable, Iterator, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.numbers import format_member_number
from loyalty.spreadsheets import Cell, Row
from loyalty.templatetags.numbers import CURRENCY_SIGN
from supervisor.queries.members import MemberRow

SHEET_WIDTHS = (18, 22, 34, 16, 12, 16, 12, 16, 16)


def headings() -> list[str]:
    """What the columns are called, in the active language."""
    return [
        _("Member number"),
        _("Name"),
        _("Contacts"),
        _("Tier"),
        _("Points"),
        f"{_('Paid sum')}, {CURRENCY_SIGN}",
        _("Joined"),
        _("Cabinet"),
        _("Account of points"),
    ]


def batches(parts: Iterable[Sequence[MemberRow]]) -> Iterator[list[Row]]:
    """The members as rows, in the language that is active when each part is asked for."""
    for part in parts:
        yield [_row(one) for one in part]


def _row(one: MemberRow) -> list[Cell]:
    member = one.member
    return [
        format_member_number(member.number),
        member.full_name,
        ", ".join(one.contacts),
        one.tier.shown_name,
        one.available_points,
        one.paid_sum,
        timezone.localdate(member.joined_at),
        _("Has a login") if member.user_id else _("Without a login"),
        pgettext("accounts", "Blocked") if one.is_blocked else pgettext("accounts", "Open"),
    ]
