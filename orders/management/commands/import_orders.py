"""manage.py import_orders: the paid orders of a file, with their members, tiers and points."""

import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors import LoyaltyError
from orders.imports.bad_rows import BadRows
from orders.imports.errors import ImportRefused, MappingInvalid
from orders.imports.mapping import FIELDS, SEPARATORS, ColumnMapping, mapping_for, parse_columns
from orders.services.importing.orders import ImportReport, import_orders

BAR_LETTERS = 30
# Where nobody watches a bar, a line now and then says that it goes on.
SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_BARS = 0.1
USAGE_ERROR = 2
# What a shell expects after Ctrl-C.
STOPPED = 130


class Command(BaseCommand):
    help = (
        "Import the paid orders of a text file with columns. Members who are not known yet are made; "
        "points are credited by the current edition of the rules, at the dates of the orders. Orders "
        "that are known already are left as they are, so a file may be imported again. "
        "docs/import.md says more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the orders, one a row")
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="FILE",
            help="a TOML file that says what the columns are; else orders.mapping.toml beside orders.csv",
        )
        parser.add_argument("--source", help="the code of the shop or till that the orders are from")
        parser.add_argument(
            "--columns",
            metavar="FIELD=COLUMN,…",
            help=f"the headers of the columns, or their places from 1. Fields: {', '.join(FIELDS)}",
        )
        parser.add_argument("--separator", help=f"a character, or one of: {', '.join(SEPARATORS)}")
        parser.add_argument("--encoding", help="such as utf-8 or cp1251")
        parser.add_argument(
            "--date-format", help="such as %%d.%%m.%%Y; without it, 2026-12-31 or 2026-12-31 18:30"
        )
        parser.add_argument("--decimal", help="what stands before kopecks: . or ,")
        parser.add_argument(
            "--no-header",
            action="store_const",
            const=False,
            dest="has_header",
            help="the first row is an order",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--skip-bad-rows", action="store_true", help="take the good rows all the same")
        parser.add_argument(
            "--bad-rows", type=Path, metavar="FILE", help="write the rows that cannot be taken here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mapping = self._mapping(options)
        with ExitStack() as stack:
            bad_rows = self._bad_rows(options["bad_rows"], stack)
            progress = ProgressLine()
            try:
                report = import_orders(
                    path=options["file"],
                    mapping=mapping,
                    at=timezone.now(),
                    is_dry_run=options["dry_run"],
                    skip_bad_rows=options["skip_bad_rows"],
                    refuse=bad_rows.add,
                    progress=progress.show,
                )
            except LoyaltyError as refusal:
                progress.end()
                self._show_bad_rows(bad_rows)
                raise CommandError(_said(refusal)) from refusal
            except KeyboardInterrupt as stop:
                progress.end()
                sentence = _("Stopped. What was imported stays; run it again to go on.")
                raise CommandError(sentence, returncode=STOPPED) from stop
            progress.end()
            self._show_bad_rows(bad_rows)
        for line in report_lines(report):
            self.stdout.write(line)

    def _mapping(self, options: dict[str, Any]) -> ColumnMapping:
        given = {
            name: options[name]
            for name in ("source", "separator", "encoding", "date_format", "decimal", "has_header")
        }
        try:
            if options["columns"] is not None:
                given["columns"] = parse_columns(options["columns"])
            return mapping_for(options["file"], mapping_file=options["mapping"], options=given)
        except MappingInvalid as refusal:
            raise CommandError(_said(refusal), returncode=USAGE_ERROR) from refusal
        except LoyaltyError as refusal:
            raise CommandError(_said(refusal)) from refusal

    def _bad_rows(self, path: Path | None, stack: ExitStack) -> BadRows:
        if path is None:
            return BadRows()

        def open_file() -> TextIO:
            try:
                return stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}", returncode=USAGE_ERROR) from error

        return BadRows(open_file)

    def _show_bad_rows(self, bad_rows: BadRows) -> None:
        for row in bad_rows.first:
            self.stderr.write(
                _("Row %(row)s, %(field)s: found “%(found)s”, expected %(expected)s.")
                % {
                    "row": row.row,
                    "field": row.field or _("columns"),
                    "found": row.found,
                    "expected": row.expected,
                }
            )
        more = bad_rows.count - len(bad_rows.first)
        if more > 0:
            self.stderr.write(
                ngettext("… and %(count)s more row.", "… and %(count)s more rows.", more) % {"count": more}
                + ("" if bad_rows.is_written else " " + _("All of them are written with --bad-rows FILE."))
            )


def _said(refusal: LoyaltyError) -> str:
    """What is refused, and the option that helps."""
    remedy = refusal.remedy if isinstance(refusal, ImportRefused) else ""
    return f"{refusal} {remedy}".strip()


class ProgressLine:
    """What is being done, on stderr: a bar that moves where somebody watches, plain lines elsewhere."""

    def __init__(self) -> None:
        self.is_watched = sys.stderr.isatty()
        self.shown_at = monotonic() if not self.is_watched else 0.0
        self.stage = ""
        self.is_open = False

    def show(self, what: Promise, done: int, total: int | None) -> None:
        """Say how far a stage is; not oftener than can be read."""
        stage = str(what)
        now = monotonic()
        pause = SECONDS_BETWEEN_BARS if self.is_watched else SECONDS_BETWEEN_LINES
        if now - self.shown_at < pause and (stage == self.stage or not self.is_watched) and done != total:
            return
        if self.is_watched and self.stage and stage != self.stage:
            self.end()
        self.shown_at, self.stage = now, stage
        text = f"{stage}: {done} / {total}" if total else f"{stage}: {done}" if done else stage
        if self.is_watched:
            filled = BAR_LETTERS * done // total if total else 0
            bar = f"[{'█' * filled}{'·' * (BAR_LETTERS - filled)}] " if total else ""
            sys.stderr.write(f"\r\x1b[K{bar}{text}")
            self.is_open = True
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Go on to a new line, if one is open."""
        if self.is_open:
            sys.stderr.write("\n")
            self.is_open = False


def report_lines(report: ImportReport) -> list[str]:
    """What happened, or would happen, in sentences."""
    known = ngettext("%(count)s known before", "%(count)s known before", report.known_orders) % {
        "count": report.known_orders
    }
    bad = ngettext("%(count)s bad row", "%(count)s bad rows", report.bad_rows) % {"count": report.bad_rows}
    if not report.new_orders:
        return [_("Nothing to import: no new orders, %(known)s, %(bad)s.") % {"known": known, "bad": bad}]
    new = ngettext("%(count)s new order", "%(count)s new orders", report.new_orders) % {
        "count": report.new_orders
    }
    lines = [
        (
            _("Would import %(new)s; %(known)s, %(bad)s.")
            if report.is_dry_run
            else _("Imported %(new)s; %(known)s, %(bad)s.")
        )
        % {"new": new, "known": known, "bad": bad},
        _("Paid from %(first)s to %(last)s, %(sum)s together.")
        % {"first": _day(report.first_at), "last": _day(report.last_at), "sum": report.total_sum},
        _("New members: %(members)s. Points earned: %(points)s.")
        % {"members": report.new_members, "points": report.points},
        _("Members of these orders by tier: %(tiers)s.")
        % {"tiers": ", ".join(f"{name} {count}" for name, count in report.shown_tiers())},
    ]
    if report.settled_members:
        lines.append(
            ngettext(
                "Points of %(count)s member became available or expired since then.",
                "Points of %(count)s members became available or expired since then.",
                report.settled_members,
            )
            % {"count": report.settled_members}
        )
    if report.is_dry_run:
        lines.append(_("This was a dry run: nothing was changed."))
    return lines


def _day(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d")
