"""The import of an order file from its beginning to its end."""

from collections import Counter as Counts
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from django.db import DatabaseError, connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.facts import in_language
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.services import ledger
from loyalty.services.locks import session_lock
from orders.imports.errors import AlreadyRunning, Interrupted, RowsRefused
from orders.imports.mapping import ColumnMapping
from orders.imports.rows import BadRow, read_rows
from orders.models import Outlet, Source
from orders.services.importing import staging, writing
from orders.services.importing.parallel import in_parallel
from orders.services.importing.staging import Part, Staged
from orders.services.outlets import make_outlets
from orders.services.sets.counting import Counter, Outcome, RulesChanged

# Of PostgreSQL's advisory locks: the first number is ours, the second the source's.
IMPORT_LOCK = 20_260_311
SETTLED_AT_ONCE = 500

# What is being done, for whoever watches, each in their language.
READING = _("Reading")
COMPARING = _("Comparing")
COUNTING = _("Counting")
IMPORTING = _("Importing")
SETTLING = _("Settling")


@dataclass(kw_only=True)
class ImportReport:
    """What an import did, or what a dry run says it would do.

    `points` is what the new orders earn their members. `tiers` says how many of the people whose
    orders are new stand in which tier afterwards, the lowest first; `english_tiers` is what those are
    called in English that have a name in it. `settled_members` had points that became available or
    expired since their orders.
    """

    is_dry_run: bool
    new_orders: int
    known_orders: int
    bad_rows: int
    new_members: int
    total_sum: Decimal
    points: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    tiers: dict[str, int] = field(default_factory=dict)
    english_tiers: dict[str, str] = field(default_factory=dict)
    settled_members: int = 0

    def shown_tiers(self) -> list[tuple[str, int]]:
        """The tiers by their names in the active language, with how many stand in each."""
        english = self.english_tiers
        return [(in_language(name, english.get(name, "")), count) for name, count in self.tiers.items()]


Progress = Callable[[Promise, int, int | None], None]
Refuse = Callable[[BadRow], None]


def import_orders(
    *,
    path: Path,
    mapping: ColumnMapping,
    at: datetime,
    is_dry_run: bool = False,
    skip_bad_rows: bool = False,
    refuse: Refuse = lambda row: None,
    progress: Progress = lambda stage, done, total: None,
) -> ImportReport:
    """Take over the paid orders of a file, by the edition in force at `at`, dated as they are there.

    The whole file is read and compared first; every row that cannot be taken is handed to
    `refuse`. Then the new orders are written in batches, each of them whole: an import that was
    interrupted goes on where it stopped when it is run again, and one that is done changes nothing.
    `progress` is told what is being done, and how far it is.

    Raises:
        ImportRefused: the file or the mapping is wrong, or rows are and were not to be skipped.
        NoRulesInForce: there is no edition at `at`.
    """
    rule_set = rule_set_in_force(at)
    bad_rows = 0

    def count_and_refuse(row: BadRow) -> None:
        nonlocal bad_rows
        bad_rows += 1
        refuse(row)

    with _alone(mapping.source):
        staging.stage_rows(
            read_rows(path, mapping, latest_at=at),
            refuse=count_and_refuse,
            progress=lambda done: progress(READING, done, None),
        )
        source = Source.objects.filter(code=mapping.source).first()
        progress(COMPARING, 0, None)
        staged = staging.compare_staged(
            source=source,
            has_numbers="number" in mapping.columns,
            refuse=count_and_refuse,
        )
        if bad_rows and not (skip_bad_rows or is_dry_run):
            raise RowsRefused(bad_rows)
        report = ImportReport(
            is_dry_run=is_dry_run,
            new_orders=staged.orders_count,
            known_orders=staged.known_count,
            bad_rows=bad_rows,
            new_members=staged.members_count,
            total_sum=staged.total_sum,
            first_at=staged.first_at,
            last_at=staged.last_at,
        )
        if not staged.parts:
            return report
        if is_dry_run:
            _try_out(staged, mapping, rule_set, at, report, progress)
        else:
            _write_all(staged, mapping, rule_set, at, report, progress)
    return report


@contextmanager
def _alone(source_code: str) -> Iterator[None]:
    """No other import of this source meanwhile, and no temporary tables afterwards."""
    with session_lock(IMPORT_LOCK, source_code) as is_alone:
        if not is_alone:
            raise AlreadyRunning(source_code)
        held_by = connection.connection
        try:
            yield
        finally:
            # A connection that was lost has taken them with it.
            if connection.connection is held_by and not held_by.closed:
                staging.drop_staged()


def _write_all(
    staged: Staged,
    mapping: ColumnMapping,
    rule_set: RuleSet,
    at: datetime,
    report: ImportReport,
    progress: Progress,
) -> None:
    tally = _Tally(report)
    try:
        source, outlets = _prepare(mapping, staged)
        for part in staged.parts:
            if not part.is_whole:
                tally.add(part, _part_writer(part, source, outlets, rule_set, at)())
                progress(IMPORTING, tally.orders_count, staged.orders_count)
        whole = [part for part in staged.parts if part.is_whole]
        writers = (_part_writer(part, source, outlets, rule_set, at) for part in whole)
        for part, outcome in zip(whole, in_parallel(writers), strict=True):
            tally.add(part, outcome)
            progress(IMPORTING, tally.orders_count, staged.orders_count)
    except (DatabaseError, RulesChanged) as error:
        raise Interrupted(tally.orders_count) from error
    tally.finish(rule_set)
    while settled := ledger.settle_due(at=at, limit=SETTLED_AT_ONCE):
        report.settled_members += settled
        progress(SETTLING, report.settled_members, None)


def _try_out(
    staged: Staged,
    mapping: ColumnMapping,
    rule_set: RuleSet,
    at: datetime,
    report: ImportReport,
    progress: Progress,
) -> None:
    """Count everything as an import would, and write nothing.

    Only the orders that bring somebody a share are written, since they depend on each other, and
    rolled back.
    """
    tally = _Tally(report)
    linked = [part for part in staged.parts if part.is_linked]
    if linked:
        with transaction.atomic():
            source, outlets = _prepare(mapping, staged)
            for part in linked:
                tally.add(part, _part_writer(part, source, outlets, rule_set, at)())
            transaction.set_rollback(True)
    counter, counted_batch = Counter(rule_set), None
    for part in staged.parts[len(linked) :]:
        if part.batch != counted_batch:
            counter, counted_batch = Counter(rule_set), part.batch
        orders = staging.orders_of(part)
        counter.load({order.person for order in orders if order.person > 0})
        points = sum(counter.count(order.purchase(order.person, None)).points for order in orders)
        tally.add(part, Outcome(points, counter.tiers()))
        progress(COUNTING, tally.orders_count, staged.orders_count)
    tally.finish(rule_set)


def _prepare(mapping: ColumnMapping, staged: Staged) -> tuple[Source, dict[str, Outlet]]:
    source, _is_new = Source.objects.get_or_create(
        code=mapping.source, defaults={"name": mapping.source_name or mapping.source}
    )
    return source, make_outlets(source, staged.outlets)


def _part_writer(
    part: Part, source: Source, outlets: dict[str, Outlet], rule_set: RuleSet, at: datetime
) -> Callable[[], Outcome]:
    """Reads a part, and returns what will write it: from another connection, if need be."""
    orders, customers = staging.orders_of(part), staging.customers_of(part)
    if part.is_linked:
        return partial(
            writing.write_linked_orders,
            source=source,
            outlets=outlets,
            customers=customers,
            orders=orders,
            rule_set=rule_set,
        )
    return partial(
        writing.write_orders,
        source=source,
        outlets=outlets,
        customers=customers,
        orders=orders,
        rule_set=rule_set,
        settle_until=at if part.is_whole else None,
    )


class _Tally:
    """Adds up what the parts bring. A person's tier counts when the batch with all their orders is done."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        self.orders_count = 0
        self.batch: int | None = None
        self.tiers_of_batch: dict[int, Tier] = {}
        self.people: Counts[str] = Counts()

    def add(self, part: Part, outcome: Outcome) -> None:
        if part.batch != self.batch:
            self._count_people()
        self.batch = part.batch
        self.tiers_of_batch.update(outcome.tiers)
        self.orders_count += part.orders_count
        self.report.points += outcome.points

    def finish(self, rule_set: RuleSet) -> None:
        self._count_people()
        tiers = tiers_of(rule_set)
        self.report.tiers = {tier.name: self.people[tier.name] for tier in tiers}
        self.report.english_tiers = {tier.name: tier.name_en for tier in tiers if tier.name_en}

    def _count_people(self) -> None:
        self.people.update(tier.name for tier in self.tiers_of_batch.values())
        self.tiers_of_batch = {}
